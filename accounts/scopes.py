"""What an API key may be allowed to do. A route declares the scope it needs; the default is none."""

from collections.abc import Iterable
from enum import StrEnum

from accounts.roles import Permission


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
NEEDS: dict[Scope, Permission] = {
    Scope.MESSAGES_WRITE: Permission.CHANNELS_MANAGE,
    Scope.CONVERSATIONS_READ: Permission.CONVERSATIONS_READ,
    Scope.CONVERSATIONS_WRITE: Permission.CONVERSATIONS_REPLY,
    Scope.END_USERS_READ: Permission.END_USERS_REVEAL,
    Scope.END_USERS_ERASE: Permission.END_USERS_ERASE,
    Scope.KNOWLEDGE_READ: Permission.KNOWLEDGE_READ,
    Scope.KNOWLEDGE_WRITE: Permission.KNOWLEDGE_WRITE,
    Scope.CHANNELS_READ: Permission.CHANNELS_READ,
    Scope.AUDIT_READ: Permission.AUDIT_READ,
}
"""What a member must be permitted to make or rotate a key that may do this: nobody hands out what they lack.

The API shows handles in clear, so that reading End Users is revealing; delivering messages is a channel's.
"""
RIGHTS = frozenset({Scope.END_USERS_READ, Scope.END_USERS_ERASE})
"""What End Users' rights need: open to an organization that has not accepted what counts, too (P7)."""


def needed(scopes: Iterable[Scope]) -> list[Permission]:
    """What a member needs to make or rotate a key with these scopes."""
    return [Permission.API_KEYS_MANAGE, *(NEEDS[scope] for scope in sorted(scopes))]
