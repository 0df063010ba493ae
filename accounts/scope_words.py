"""What the scopes of API keys are called, and what a key that has them can do."""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.scopes import Scope


class Said(NamedTuple):
    """A scope in words: its name, and what it opens."""

    name: Promise
    meaning: Promise


SCOPES: dict[Scope, Said] = {
    Scope.MESSAGES_WRITE: Said(
        _("Deliver messages"), _("Posts what End Users write, in anybody's name. Protect it accordingly.")
    ),
    Scope.CONVERSATIONS_READ: Said(
        _("Read conversations"), _("Lists conversations and opens their messages.")
    ),
    Scope.CONVERSATIONS_WRITE: Said(
        _("Answer conversations"), _("Replies, takes over, hands back and resolves.")
    ),
    Scope.END_USERS_READ: Said(
        _("Find and read End Users"), _("Searches by phone or e-mail and sees who somebody is.")
    ),
    Scope.END_USERS_ERASE: Said(
        _("Erase End Users"), _("Destroys a person's key and data. This cannot be undone.")
    ),
    Scope.KNOWLEDGE_READ: Said(_("Read the knowledge base"), _("Lists its entries.")),
    Scope.KNOWLEDGE_WRITE: Said(_("Write the knowledge base"), _("Publishes, revises and retires entries.")),
    Scope.CHANNELS_READ: Said(_("See the channels"), _("Lists the channels and names the organization.")),
    Scope.AUDIT_READ: Said(_("Read the audit trail"), _("Reads every event, to check the chain elsewhere.")),
}
GROUPS: list[tuple[Promise, list[Scope]]] = [
    (_("Conversations"), [Scope.MESSAGES_WRITE, Scope.CONVERSATIONS_READ, Scope.CONVERSATIONS_WRITE]),
    (_("End Users"), [Scope.END_USERS_READ, Scope.END_USERS_ERASE]),
    (_("Knowledge base"), [Scope.KNOWLEDGE_READ, Scope.KNOWLEDGE_WRITE]),
    (_("Organization"), [Scope.CHANNELS_READ, Scope.AUDIT_READ]),
]
