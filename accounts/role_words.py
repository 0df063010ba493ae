"""What roles and permissions are called, and what they mean, in words for people."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.roles import Permission, Role

ROLE_NAMES: dict[Role, Promise] = {
    Role.OWNER: _("Owner"),
    Role.ADMIN: _("Administrator"),
    Role.SUPERVISOR: _("Supervisor"),
    Role.SUPPORT_AGENT: _("Support agent"),
    Role.KNOWLEDGE_EDITOR: _("Knowledge editor"),
    Role.PRIVACY_OFFICER: _("Privacy officer"),
    Role.BILLING: _("Billing"),
    Role.AUDITOR: _("Auditor"),
}
ROLE_MEANINGS: dict[Role, Promise] = {
    Role.OWNER: _("Answers for the organization and may do everything, owners included."),
    Role.ADMIN: _("Runs members, channels, keys and settings. Cannot touch owners or erase people."),
    Role.SUPERVISOR: _("Leads the team: sees every conversation, assigns them and reads the reports."),
    Role.SUPPORT_AGENT: _("Talks with End Users: reads, answers and takes conversations over."),
    Role.KNOWLEDGE_EDITOR: _("Writes what the virtual agent knows. Sees no conversations."),
    Role.PRIVACY_OFFICER: _("Carries out the requests of data subjects: export, erasure, holds, retention."),
    Role.BILLING: _("Sees and pays invoices. Sees no conversations."),
    Role.AUDITOR: _("Looks at everything that has to be checked, and changes nothing."),
}
PERMISSION_NAMES: dict[Permission, Promise] = {
    Permission.CONVERSATIONS_READ: _("Read conversations"),
    Permission.CONVERSATIONS_REPLY: _("Answer conversations and take them over"),
    Permission.CONVERSATIONS_ASSIGN: _("Assign conversations to members"),
    Permission.END_USERS_READ: _("See End Users, their phone and e-mail masked"),
    Permission.END_USERS_REVEAL: _("Reveal what is masked, with a reason"),
    Permission.END_USERS_ERASE: _("Erase End Users"),
    Permission.END_USERS_EXPORT: _("Export the data of End Users"),
    Permission.REPORTS_READ: _("Read the reports"),
    Permission.KNOWLEDGE_READ: _("Read the knowledge base"),
    Permission.KNOWLEDGE_WRITE: _("Write the knowledge base"),
    Permission.CHANNELS_READ: _("See the channels"),
    Permission.CHANNELS_MANAGE: _("Connect and disable channels"),
    Permission.ORGANIZATION_READ: _("See the organization"),
    Permission.ORGANIZATION_MANAGE: _("Change the organization"),
    Permission.MEMBERS_READ: _("See the members"),
    Permission.MEMBERS_MANAGE: _("Invite, change and revoke members"),
    Permission.OWNERS_MANAGE: _("Make and revoke owners"),
    Permission.SECURITY_MANAGE: _("Change what signing in demands"),
    Permission.API_KEYS_READ: _("See the API keys"),
    Permission.API_KEYS_MANAGE: _("Create, rotate and revoke API keys"),
    Permission.RETENTION_MANAGE: _("Set how long data is kept"),
    Permission.LEGAL_HOLDS_MANAGE: _("Place and release legal holds"),
    Permission.BILLING_READ: _("See invoices and usage"),
    Permission.BILLING_MANAGE: _("Pay, and change the plan"),
    Permission.AUDIT_READ: _("Read the audit trail"),
}
AREAS: dict[str, Promise] = {
    "conversations": _("Conversations"),
    "end_users": _("End Users"),
    "reports": _("Reports"),
    "knowledge": _("Knowledge base"),
    "channels": _("Channels"),
    "organization": _("Organization"),
    "members": _("Members"),
    "owners": _("Owners"),
    "security": _("Security"),
    "api_keys": _("API keys"),
    "retention": _("Retention"),
    "legal_holds": _("Legal holds"),
    "billing": _("Billing"),
    "audit": _("Audit trail"),
}
"""What the first half of a permission's code is called."""
