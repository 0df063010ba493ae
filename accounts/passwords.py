"""What a password may be: long, and not one that thieves try first (ASVS 6.2; NIST SP 800-63B 3.1.1).

No rules of composition and no forced renewal: they make passwords worse. The list of those already stolen
lies in Django itself, offline; repetition and rows of keys are found without a list.
"""

import unicodedata
from collections.abc import Iterable

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError

SHORTEST, LONGEST = 12, 128
FEWEST_DIFFERENT = 5
ROWS = ["qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890", "abcdefghijklmnopqrstuvwxyz", "йцукенгшщзхъ"]
ROWS += ["фйуцкэнгшүз", "абвгдеёжзиклмноөпрстуүфхцчшщъыьэюя"]
LONGEST_RUN = 5


class PasswordRefused(ValueError):
    """The password is too easy. Carries a code: short, long, stolen, repetitive, row, personal."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def refuse_weak(password: str, *, about: Iterable[str] = ()) -> None:
    """Raises PasswordRefused. `about`: the person's address and name, which must not make up the password."""
    text = unicodedata.normalize("NFKC", password).casefold()
    if len(password) < SHORTEST:
        raise PasswordRefused("short")
    if len(password) > LONGEST:
        raise PasswordRefused("long")
    if len(set(text)) < FEWEST_DIFFERENT:
        raise PasswordRefused("repetitive")
    if _is_stolen(text):
        raise PasswordRefused("stolen")
    if len(_without_rows(text)) < SHORTEST // 2:
        raise PasswordRefused("row")
    if len(_without(text, about)) < SHORTEST // 2:
        raise PasswordRefused("personal")


def _is_stolen(text: str) -> bool:
    """The list itself, and its entries said twice or with a few digits or signs around them."""
    bare = text.strip("0123456789!?.,-_*#@$ ")
    half = text[: len(text) // 2]
    return any(map(_is_listed, {text, bare, half if half * 2 == text else text}))


def _is_listed(text: str) -> bool:
    try:
        _LISTED.validate(text)
    except ValidationError:
        return True
    return False


def _without_rows(text: str) -> str:
    """What is left when runs along the keyboard and the alphabet, either way, are taken out."""
    for row in [*ROWS, *(row[::-1] for row in ROWS)]:
        for length in range(len(row), LONGEST_RUN - 1, -1):
            for start in range(len(row) - length + 1):
                text = text.replace(row[start : start + length], "")
    return text


def _without(text: str, about: Iterable[str]) -> str:
    for said in about:
        for part in (
            unicodedata.normalize("NFKC", said).casefold().replace("@", " ").replace(".", " ").split()
        ):
            if len(part) > 2:
                text = text.replace(part, "")
    return text


_LISTED = CommonPasswordValidator()
