"""What exactly is agreed to: one form for each text, one hash for each form (P1).

A text is kept in its canonical form, so that whoever downloads it can hash what they have: Unicode NFC, lines
ended by a single line feed and without trailing blanks, one line feed at the end, UTF-8.
"""

import hashlib
import unicodedata
from collections.abc import Mapping

from accounts.models.documents import LOCALES, Kind, LegalDocument

FORMAT = "iva/legal/v1"
EFFECTIVE_DATE = "{{ effective_date }}"
"""Where a text shows its effective date, filled in when shown; the hash is of the text with this mark."""


class VersionIncomplete(ValueError):
    """A version has a text in every language; none may be empty or without its effective date."""


def canonical(text: str) -> str:
    """The one form of a text that is stored and hashed."""
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip("\n") + "\n"


def sha256(text: str) -> str:
    """Hexadecimal SHA-256 of the canonical bytes."""
    return hashlib.sha256(canonical(text).encode()).hexdigest()


def complete(texts: Mapping[str, str]) -> dict[str, str]:
    """The canonical texts of all languages. Raises VersionIncomplete."""
    found = {locale: canonical(texts.get(locale, "")) for locale in LOCALES}
    for locale, text in found.items():
        if EFFECTIVE_DATE not in text or "\x00" in text:
            raise VersionIncomplete(f"the text in {locale} is missing, or does not show {EFFECTIVE_DATE}")
    return found


def digest(kind: Kind, version: str, hashes: Mapping[str, str], privacy_policy: LegalDocument | None) -> str:
    """The hash of a whole version: hexadecimal SHA-256 over lines, as the database recomputes it."""
    part = privacy_policy.digest if privacy_policy else "-"
    lines = [FORMAT, kind.value, version, *(hashes[locale] for locale in LOCALES), part]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
