"""What a letter says: in the recipient's language, with no more of them in it than it needs.

Called inside `household.at_home()`.
"""

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.formats import date_format
from django.utils.functional import Promise as Lazy
from django.utils.translation import gettext_lazy as _

from accounts import links, mailing, people, provider, tokens
from accounts.models import Letter, LetterKind, Person, SignIn


class NobodyToWriteTo(LookupError):
    """There is no such person, or the link was taken back before it was sent."""


class Composed(NamedTuple):
    """A letter ready to be sent; the hash of the secret in its link, and how long that is good for."""

    letter: Letter
    message: EmailMessage
    secret_hash: bytes | None
    good_for: timedelta | None


SUBJECTS: Mapping[LetterKind, str | Lazy] = {
    LetterKind.CONFIRM_ADDRESS: _("Confirm your e-mail address"),
    LetterKind.ALREADY_KNOWN: _("You have an IVA login already"),
    LetterKind.RESET_PASSWORD: _("Choose a new password"),
    LetterKind.PASSWORD_CHANGED: _("Your password was changed"),
    LetterKind.FACTOR_ADDED: _("A second factor was added to your login"),
    LetterKind.FACTOR_REMOVED: _("A second factor was removed from your login"),
    LetterKind.RECOVERY_CODES_MADE: _("New recovery codes were made for your login"),
    LetterKind.NEW_DEVICE: _("You signed in from a new device"),
}


def compose(letter: Letter) -> Composed:
    """Raises NobodyToWriteTo."""
    person = Person.objects.filter(pk=letter.person_id).first()
    if person is None or letter.used_at is not None:
        raise NobodyToWriteTo
    sort = links.SORTS.get(LetterKind(letter.kind))
    secret = tokens.new_secret() if sort else None
    context: dict[str, Any] = {"token": secret and links.token(letter, secret)}
    if letter.kind == LetterKind.NEW_DEVICE:
        context |= _sign_in(letter.about_id, person)
    message = _message(letter, person.email, person.locale, context)
    return Composed(letter, message, secret and tokens.kept(secret), sort and sort.good_for)


def _sign_in(sign_in_id: uuid.UUID | None, person: Person) -> dict[str, str]:
    sign_in = SignIn.objects.filter(pk=sign_in_id).first()
    if sign_in is None:
        raise NobodyToWriteTo
    zone = people.zone_of(person.pk)
    with translation.override(person.locale):
        local = sign_in.began_at.astimezone(zone)
        return {"device": sign_in.device, "at": f"{date_format(local, 'Y-m-d H:i')} ({zone.key})"}


def _message(letter: Letter, to: str, locale: str, context: dict[str, Any]) -> EmailMessage:
    with translation.override(locale):
        said = context | {"site": settings.IVA_SITE_URL, "provider": provider.provider(locale)}
        return EmailMessage(
            subject=str(SUBJECTS[LetterKind(letter.kind)]),
            body=render_to_string(f"accounts/letters/{letter.kind}.txt", said).strip() + "\n",
            to=[to],
            headers={"Message-ID": mailing.message_id(letter.pk), "Auto-Submitted": "auto-generated"},
        )
