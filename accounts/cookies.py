"""The cookies of IVA: a registry of all there are, and what a visitor decides about the optional ones (P30).

Today there are only strictly necessary ones. What is not in the registry is never set
(`accounts.cookie_guard`); what is optional is set after a choice only, never while the browser says
`Sec-GPC: 1` (Global Privacy Control), and not for a registry that has changed since: silence is no consent.
"""

import hashlib
import uuid
from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import household
from accounts.models import CookieChoice
from iva.personal_data import Purpose

CHOICE_LASTS = timedelta(days=180)
CHOICE_COOKIE = "__Host-cookies" if settings.OVER_TLS else "cookies"
PURPOSE = Purpose.LEGAL_REQUIREMENT


class Category(StrEnum):
    """What a cookie is for; all but `necessary` need a choice."""

    NECESSARY = "necessary"
    PREFERENCES = "preferences"
    STATISTICS = "statistics"


class UnknownCategory(ValueError):
    """Nothing optional of this kind is in the registry."""


class Cookie(NamedTuple):
    """One line of the registry. `lifetime` is for people; IVA's own cookies have no other provider."""

    name: str
    purpose: str | Promise
    category: Category
    lifetime: str | Promise
    provider: str = "IVA"


class Choice(NamedTuple):
    """What one browser has decided, of which version of the registry."""

    visitor_id: uuid.UUID
    registry: str
    accepted: frozenset[Category]


REGISTRY: tuple[Cookie, ...] = (
    Cookie(
        settings.SESSION_COOKIE_NAME,
        _("Keeps you signed in. It holds a random number and nothing about you."),
        Category.NECESSARY,
        _("until you sign out, twelve hours at most"),
    ),
    Cookie(
        settings.CSRF_COOKIE_NAME,
        _("Protects forms against being sent from other sites in your name."),
        Category.NECESSARY,
        _("one year"),
    ),
    Cookie(
        CHOICE_COOKIE,
        _("Remembers what you have chosen on this page. It is set only once you have."),
        Category.NECESSARY,
        _("180 days"),
    ),
)


def optional() -> list[Category]:
    """The kinds of optional cookies that exist."""
    found = {cookie.category for cookie in REGISTRY} - {Category.NECESSARY}
    return [category for category in Category if category in found]


def version() -> str:
    """Changes whenever a cookie is added, removed or used for something else. Twelve hexadecimal digits."""
    lines = sorted(f"{cookie.name} {cookie.category} {cookie.provider}" for cookie in REGISTRY)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


def may_be_set(name: str, choice: Choice | None, *, gpc: bool) -> bool:
    """Whether a cookie of this name may be set in a browser that has chosen this."""
    category = next((cookie.category for cookie in REGISTRY if cookie.name == name), None)
    return category is Category.NECESSARY or (category is not None and category in accepted(choice, gpc=gpc))


def accepted(choice: Choice | None, *, gpc: bool) -> frozenset[Category]:
    """The optional kinds a browser takes: none without a choice, for an older registry, or under GPC."""
    if choice is None or gpc or choice.registry != version():
        return frozenset()
    return choice.accepted


def choose(wanted: Iterable[str], *, visitor_id: uuid.UUID | None, gpc: bool) -> Choice:
    """Record a choice; under GPC nothing optional is taken, whatever was wanted. Raises UnknownCategory."""
    chosen = frozenset(wanted)
    if not chosen <= set(optional()):
        raise UnknownCategory
    choice = Choice(
        visitor_id or uuid.uuid4(), version(), frozenset() if gpc else frozenset(map(Category, chosen))
    )
    household.found()
    with household.at_home(PURPOSE):
        _end(choice.visitor_id)
        CookieChoice.objects.create(
            visitor_id=choice.visitor_id, registry=choice.registry, accepted=sorted(choice.accepted), gpc=gpc
        )
    return choice


def revoke(visitor_id: uuid.UUID) -> None:
    """The choice no longer counts; everything optional is refused until there is another."""
    household.found()
    with household.at_home(PURPOSE):
        _end(visitor_id)


def written(choice: Choice) -> str:
    """A choice as the cookie's value: `registry.visitor.kind+kind`."""
    return f"{choice.registry}.{choice.visitor_id.hex}.{'+'.join(sorted(choice.accepted))}"


def read(text: str) -> Choice | None:
    """What the cookie says; None for what we never wrote."""
    registry, _dot, rest = text.partition(".")
    visitor, _dot, kinds = rest.partition(".")
    try:
        choice = Choice(
            uuid.UUID(visitor), registry, frozenset(map(Category, kinds.split("+") if kinds else []))
        )
    except ValueError:
        return None
    return choice if written(choice) == text else None


def _end(visitor_id: uuid.UUID) -> None:
    CookieChoice.objects.filter(visitor_id=visitor_id, revoked_at=None).update(revoked_at=timezone.now())
