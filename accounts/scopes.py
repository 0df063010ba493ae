"""What an API key may be allowed to do. A route declares the scope it needs; the default is none."""

from enum import StrEnum


class Scope(StrEnum):
    MESSAGES_WRITE = "messages:write"
    CONVERSATIONS_READ = "conversations:read"
    CONVERSATIONS_WRITE = "conversations:write"
    END_USERS_READ = "end_users:read"
    END_USERS_ERASE = "end_users:erase"
    KNOWLEDGE_READ = "knowledge:read"
    KNOWLEDGE_WRITE = "knowledge:write"
    CHANNELS_READ = "channels:read"
    AUDIT_READ = "audit:read"


EVERY_SCOPE = frozenset(Scope)
RIGHTS = frozenset({Scope.END_USERS_READ, Scope.END_USERS_ERASE})
"""What End Users' rights need: open to an organization that has not accepted what counts, too (P7)."""
