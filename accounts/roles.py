"""Who may do what: one table, from which the pages, the documentation and the tests are made (P50).

A member has one role in an organization. What the table does not grant is denied. Some permissions also
need a fresh second factor (`STEP_UP`): they move data out, destroy it, or change who may do so.
"""

from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum

FRESH = timedelta(minutes=5)


class Role(StrEnum):
    """What somebody is to an organization."""

    OWNER = "owner"
    ADMIN = "admin"
    SUPERVISOR = "supervisor"
    SUPPORT_AGENT = "support_agent"
    KNOWLEDGE_EDITOR = "knowledge_editor"
    PRIVACY_OFFICER = "privacy_officer"
    BILLING = "billing"
    AUDITOR = "auditor"


class Permission(StrEnum):
    """What can be done in the dashboard."""

    CONVERSATIONS_READ = "conversations.read"
    CONVERSATIONS_REPLY = "conversations.reply"
    CONVERSATIONS_ASSIGN = "conversations.assign"
    END_USERS_READ = "end_users.read"
    END_USERS_REVEAL = "end_users.reveal"
    END_USERS_ERASE = "end_users.erase"
    END_USERS_EXPORT = "end_users.export"
    REPORTS_READ = "reports.read"
    KNOWLEDGE_READ = "knowledge.read"
    KNOWLEDGE_WRITE = "knowledge.write"
    CHANNELS_READ = "channels.read"
    CHANNELS_MANAGE = "channels.manage"
    ORGANIZATION_READ = "organization.read"
    ORGANIZATION_MANAGE = "organization.manage"
    MEMBERS_READ = "members.read"
    MEMBERS_MANAGE = "members.manage"
    OWNERS_MANAGE = "owners.manage"
    SECURITY_MANAGE = "security.manage"
    API_KEYS_READ = "api_keys.read"
    API_KEYS_MANAGE = "api_keys.manage"
    RETENTION_MANAGE = "retention.manage"
    LEGAL_HOLDS_MANAGE = "legal_holds.manage"
    BILLING_READ = "billing.read"
    BILLING_MANAGE = "billing.manage"
    AUDIT_READ = "audit.read"
    AUDIT_EXPORT = "audit.export"


class NotPermitted(Exception):
    """The role does not grant this. Carries the permission."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission
        super().__init__(permission.value)


class StepUpNeeded(Exception):
    """This opens after a second factor given within the last five minutes.

    `permission` is what the role grants then; None where it is about oneself and no role is asked.
    """

    def __init__(self, permission: Permission | None = None) -> None:
        self.permission = permission
        super().__init__(permission.value if permission else "oneself")


_O, _A, _S, _SA = Role.OWNER, Role.ADMIN, Role.SUPERVISOR, Role.SUPPORT_AGENT
_K, _P, _B, _AU = Role.KNOWLEDGE_EDITOR, Role.PRIVACY_OFFICER, Role.BILLING, Role.AUDITOR

GRANTS: dict[Permission, frozenset[Role]] = {
    Permission.CONVERSATIONS_READ: frozenset({_O, _A, _S, _SA, _P, _AU}),
    Permission.CONVERSATIONS_REPLY: frozenset({_O, _A, _S, _SA}),
    Permission.CONVERSATIONS_ASSIGN: frozenset({_O, _A, _S}),
    Permission.END_USERS_READ: frozenset({_O, _A, _S, _SA, _P, _AU}),
    Permission.END_USERS_REVEAL: frozenset({_O, _A, _S, _SA, _P}),
    Permission.END_USERS_ERASE: frozenset({_O, _P}),
    Permission.END_USERS_EXPORT: frozenset({_O, _P}),
    Permission.REPORTS_READ: frozenset({_O, _A, _S, _P, _AU}),
    Permission.KNOWLEDGE_READ: frozenset({_O, _A, _S, _SA, _K, _AU}),
    Permission.KNOWLEDGE_WRITE: frozenset({_O, _A, _K}),
    Permission.CHANNELS_READ: frozenset({_O, _A, _S, _AU}),
    Permission.CHANNELS_MANAGE: frozenset({_O, _A}),
    Permission.ORGANIZATION_READ: frozenset(Role),
    Permission.ORGANIZATION_MANAGE: frozenset({_O, _A}),
    Permission.MEMBERS_READ: frozenset({_O, _A, _S, _P, _AU}),
    Permission.MEMBERS_MANAGE: frozenset({_O, _A}),
    Permission.OWNERS_MANAGE: frozenset({_O}),
    Permission.SECURITY_MANAGE: frozenset({_O, _A}),
    Permission.API_KEYS_READ: frozenset({_O, _A, _AU}),
    Permission.API_KEYS_MANAGE: frozenset({_O, _A}),
    Permission.RETENTION_MANAGE: frozenset({_O, _P}),
    Permission.LEGAL_HOLDS_MANAGE: frozenset({_O, _P}),
    Permission.BILLING_READ: frozenset({_O, _A, _B, _AU}),
    Permission.BILLING_MANAGE: frozenset({_O, _B}),
    Permission.AUDIT_READ: frozenset({_O, _A, _P, _AU}),
    Permission.AUDIT_EXPORT: frozenset({_O, _A, _P, _AU}),
}

STEP_UP = frozenset(
    {
        Permission.END_USERS_ERASE,
        Permission.END_USERS_EXPORT,
        Permission.MEMBERS_MANAGE,
        Permission.OWNERS_MANAGE,
        Permission.SECURITY_MANAGE,
        Permission.API_KEYS_MANAGE,
        Permission.RETENTION_MANAGE,
        Permission.LEGAL_HOLDS_MANAGE,
        Permission.AUDIT_EXPORT,
    }
)

CHANGING = frozenset(
    permission
    for permission in Permission
    if not permission.value.endswith((".read", ".reveal")) and permission is not Permission.AUDIT_EXPORT
)
"""What an auditor can never do."""

SECOND_FACTOR_ALWAYS = frozenset({Role.OWNER, Role.ADMIN})
"""Roles that cannot be used without a second factor, whatever the organization has set."""


def grants(role: Role, permission: Permission) -> bool:
    """Whether the role may do this at all."""
    return role in GRANTS[permission]


def granted(role: Role) -> list[Permission]:
    """Everything the role may do."""
    return [permission for permission in Permission if grants(role, permission)]


def lacking(own: Role, handed_out: Role) -> list[Permission]:
    """What somebody with the one role would hand out with the other and may not do themselves."""
    return [permission for permission in granted(handed_out) if not grants(own, permission)]


def hands_out(own: Role, role: Role) -> bool:
    """Whether somebody with the one role may give the other: they manage members, and lack nothing of it."""
    return grants(own, Permission.MEMBERS_MANAGE) and not lacking(own, role)


def needs_second_factor(role: Role, is_demanded: bool) -> bool:
    """Whether this role is not used without one; `is_demanded` is what the organization asks of everybody."""
    return is_demanded or role in SECOND_FACTOR_ALWAYS


def matrix() -> Iterator[tuple[Permission, list[bool]]]:
    """The table by rows, the roles in their order."""
    for permission in Permission:
        yield permission, [grants(role, permission) for role in Role]


def as_markdown() -> str:
    """The tables as docs/roles.md shows them; • needs a fresh second factor."""
    head = ["| | " + " | ".join(map(_named, Role)) + " |", "|---" * 9 + "|"]
    rows = [
        f"| `{permission}` | " + " | ".join(_mark(permission, granted) for granted in row) + " |"
        for permission, row in matrix()
    ]
    return "\n".join([*head, *rows]) + "\n\n" + _handing_out()


def _handing_out() -> str:
    """Of those who manage members: which roles grant nothing that their own does not."""
    rows = [
        f"| {_named(own)} | {', '.join(_named(role) for role in Role if hands_out(own, role))} |"
        for own in Role
        if grants(own, Permission.MEMBERS_MANAGE)
    ]
    return "\n".join(["| who | may give the roles |", "|---|---|", *rows]) + "\n"


def _named(role: Role) -> str:
    return role.value.replace("_", " ")


def _mark(permission: Permission, granted: bool) -> str:
    if not granted:
        return " "
    return "✓•" if permission in STEP_UP else "✓"
