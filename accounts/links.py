"""The links in letters to people: each opens once, until it expires, for one thing.

A link is a token of the household (`accounts/tokens.py`) whose secret is kept as its SHA-256. Looking at it
changes nothing, because programs that check mail look at every link; only `use` does. Everything here runs
inside `household.at_home()`.
"""

import hmac
import uuid
from datetime import timedelta
from typing import NamedTuple

from django.utils import timezone

from accounts import tokens
from accounts.household import HOUSEHOLD
from accounts.models import Letter, LetterKind
from accounts.tokens import Token


class LinkInvalid(Exception):
    """The link opens nothing. Why is not said: unknown, used, taken back and expired look alike."""


class Sort(NamedTuple):
    """How the tokens of a kind of link begin, and how long they are good for once sent."""

    prefix: str
    good_for: timedelta


SORTS = {
    LetterKind.CONFIRM_ADDRESS: Sort("ivc_", timedelta(days=3)),
    LetterKind.RESET_PASSWORD: Sort("ivr_", timedelta(hours=1)),
}


def token(letter: Letter, secret: bytes) -> str:
    """What the link of this letter says."""
    return tokens.pack(SORTS[LetterKind(letter.kind)].prefix, Token(HOUSEHOLD, letter.pk, secret))


def look_at(kind: LetterKind, text: str) -> uuid.UUID:
    """Whose link it is. Raises LinkInvalid."""
    person_id = _open(kind, text).person_id
    if person_id is None:
        raise LinkInvalid
    return person_id


def use(kind: LetterKind, text: str) -> uuid.UUID:
    """Follow the link, once, whoever else follows it in the same moment; whose it was. Raises LinkInvalid.

    The person's other links of this kind are taken back.
    """
    letter, now = _open(kind, text), timezone.now()
    if letter.person_id is None or not Letter.objects.filter(pk=letter.pk, used_at=None).update(used_at=now):
        raise LinkInvalid
    take_back(kind, letter.person_id)
    return letter.person_id


def take_back(kind: LetterKind, person_id: uuid.UUID) -> None:
    """The person's links of this kind open nothing any more, those included that are still to be sent."""
    Letter.objects.filter(person_id=person_id, kind=kind, used_at=None).update(used_at=timezone.now())


def _open(kind: LetterKind, text: str) -> Letter:
    try:
        organization_id, letter_id, secret = tokens.unpack(SORTS[kind].prefix, text)
    except tokens.NotAToken:
        raise LinkInvalid from None
    letter = Letter.objects.filter(pk=letter_id, kind=kind).first()
    stored = bytes(letter.secret_hash) if letter and letter.secret_hash else bytes(32)
    matches = hmac.compare_digest(stored, tokens.kept(secret))
    if letter is None or not matches or organization_id != HOUSEHOLD:
        raise LinkInvalid
    if letter.used_at is not None or letter.expires_at is None or letter.expires_at <= timezone.now():
        raise LinkInvalid
    return letter
