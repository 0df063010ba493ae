"""Who provides the platform: printed alike in every document, notice and machine-readable answer (P9).

The privacy policy this is taken from names a site and no other way to be reached (P98); until the operator
adds one, none is invented here.
"""

from typing import Any, NamedTuple


class Provider(NamedTuple):
    """A legal person, as it calls itself in one language."""

    name: str
    statement: str
    role: str
    site: str


ROLE = "processor"
SITE = "https://chimege.com"

_IN = {
    "mn": Provider(
        "«Чимэгэ Системс» ХХК",
        "IVA платформыг «Чимэгэ Системс» ХХК өмчилж, ажиллуулдаг.",
        "Өгөгдөл боловсруулагч",
        SITE,
    ),
    "en": Provider(
        "Chimege Systems LLC",
        "The IVA platform is owned and operated by Chimege Systems LLC.",
        "Data processor",
        SITE,
    ),
}


def provider(locale: str) -> Provider:
    """The provider in `mn` or `en`. Raises KeyError."""
    return _IN[locale]


def identity() -> dict[str, Any]:
    """The same for machines."""
    return {
        "name": {locale: known.name for locale, known in _IN.items()},
        "statement": {locale: known.statement for locale, known in _IN.items()},
        "role": ROLE,
        "site": SITE,
    }
