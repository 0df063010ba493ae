"""How an End User is addressed: kinds of handles and their one normal form.

The normal form is part of the blind index's format: change it and nobody is found any more.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import NamedTuple

import phonenumbers
from django.db import models

LONGEST = 254
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
HOME_REGION = "MN"
LONGEST_HOME_NUMBER = 9
HOME_NUMBER = re.compile(r"(?:\+976)?([5-9][0-9]{7})")
"""How nearly everybody writes it; what the library makes of it can be said without asking the library."""


class HandleInvalid(ValueError):
    """A handle cannot be what it claims to be. Carries the kind, never the value."""

    def __init__(self, kind: "HandleKind") -> None:
        self.kind = kind
        super().__init__(kind)


class HandleKind(models.TextChoices):
    PHONE = "phone"
    EMAIL = "email"
    MESSENGER_ID = "messenger_id"
    CUSTOMER_NUMBER = "customer_number"


EXPECTED = {
    HandleKind.PHONE: "a telephone number such as 99112233 or +97699112233",
    HandleKind.EMAIL: "an e-mail address such as bat@example.com",
    HandleKind.MESSENGER_ID: f"an id of 1 to {LONGEST} characters",
    HandleKind.CUSTOMER_NUMBER: f"a number of 1 to {LONGEST} letters and digits",
}
"""What each kind looks like, for who sent something else."""


class Handle(NamedTuple):
    """One address of an End User in its normal form."""

    kind: HandleKind
    value: str


def normalize(kind: HandleKind, value: str) -> Handle:
    """The normal form. Raises HandleInvalid.

    Phone: E.164, Mongolian when no country is given. E-mail: lower case; folding further would make one of
    two domains. Messenger id: as it is. Customer number: upper case without spaces and dashes. All NFKC. A
    telephone extension is refused: E.164 cannot say it, and two people behind one switchboard would become
    one.
    """
    text = unicodedata.normalize("NFKC", value).strip()
    if not text or len(text) > LONGEST or "\x00" in text:
        raise HandleInvalid(kind)
    normal = _NORMAL_FORMS[kind](text)
    if not 0 < len(normal) <= LONGEST:
        raise HandleInvalid(kind)
    return Handle(kind, normal)


def _phone(text: str) -> str:
    if home := HOME_NUMBER.fullmatch(text):
        return f"+976{home[1]}"
    if text.startswith("00") and len(text) > LONGEST_HOME_NUMBER:
        text = f"+{text[2:]}"
    try:
        number = phonenumbers.parse(text, HOME_REGION)
    except phonenumbers.NumberParseException:
        raise HandleInvalid(HandleKind.PHONE) from None
    if number.extension or not phonenumbers.is_possible_number(number):
        raise HandleInvalid(HandleKind.PHONE)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _email(text: str) -> str:
    folded = _settled(text, str.lower)
    if not EMAIL.fullmatch(folded):
        raise HandleInvalid(HandleKind.EMAIL)
    return folded


def _customer_number(text: str) -> str:
    return _settled(text, lambda spelled: re.sub(r"[\s\-]", "", spelled).upper())


def _settled(text: str, fold: Callable[[str], str]) -> str:
    """Folding can undo a composition and composing can undo a folding: repeat until neither changes it."""
    while (folded := unicodedata.normalize("NFKC", fold(text))) != text:
        text = folded
    return text


_NORMAL_FORMS: dict[HandleKind, Callable[[str], str]] = {
    HandleKind.PHONE: _phone,
    HandleKind.EMAIL: _email,
    HandleKind.MESSENGER_ID: lambda text: text,
    HandleKind.CUSTOMER_NUMBER: _customer_number,
}
