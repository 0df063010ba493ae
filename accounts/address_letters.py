"""The three letters of a change of address: the link, the warning, and the news that it happened."""

from urllib.parse import urlencode

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from accounts import provider
from accounts.models import AddressChange

SUBJECTS = {
    "link_sent_at": _("Confirm your new address for IVA"),
    "taken": _("Your address has a login at IVA already"),
    "warned_at": _("Your address for IVA is about to change"),
    "told_at": _("Your address for IVA has changed"),
}


def letter(change: AddressChange, moment: str, locale: str, token: str | None) -> EmailMessage:
    """The letter that goes with one moment of a change, in the person's language.

    The link goes to the new address, the others to the former one. Without a `token` the new address has a
    login already, and its owner is told so.
    """
    which = "taken" if moment == "link_sent_at" and token is None else moment
    to_new = moment == "link_sent_at"
    with translation.override(locale):
        context = {
            "which": which,
            "link": token and _address("confirm-address", token=token),
            "profile": _address("profile"),
            "provider": provider.provider(locale),
        }
        return EmailMessage(
            subject=str(SUBJECTS[which]),
            body=render_to_string("accounts/address_letter.txt", context),
            to=[str(change.email if to_new else change.former_email)],
            headers={"Auto-Submitted": "auto-generated"},
        )


def _address(route: str, **query: str) -> str:
    return settings.IVA_SITE_URL + reverse(route) + (f"?{urlencode(query)}" if query else "")
