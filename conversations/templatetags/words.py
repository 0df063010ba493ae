"""What codes are called, for people."""

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from conversations.models import Resolution
from privacy.handles import HandleKind

register = template.Library()

ENDINGS: dict[str, str | Promise] = {
    Resolution.ANSWERED: _("Answered"),
    Resolution.UNANSWERED: _("Not answered"),
    Resolution.ABANDONED: _("Abandoned"),
}
HANDLES: dict[str, str | Promise] = {
    HandleKind.PHONE: _("Phone"),
    HandleKind.EMAIL: _("E-mail"),
    HandleKind.MESSENGER_ID: _("Messenger"),
    HandleKind.CUSTOMER_NUMBER: _("Customer number"),
}


@register.filter
def ending(resolution: str) -> str | Promise:
    """How a conversation ended."""
    return ENDINGS.get(resolution, "")


@register.filter
def handle_kind(kind: str) -> str | Promise:
    """A kind of handle."""
    return HANDLES.get(kind, "")
