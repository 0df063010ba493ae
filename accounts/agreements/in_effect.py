"""Which version counts, now and before (P91, P95).

A version takes effect when its predecessor is superseded: that is the one date that is entered after
publication. `effective_at` says when that is due; a significant version whose notices have not gone out takes
effect later than it says, never earlier.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models.documents import Kind, LegalDocument

TEXTS = ("text_mn", "text_en")


class NothingInEffect(Exception):
    """No terms have taken effect yet; nobody can agree to anything."""


class State(StrEnum):
    PUBLISHED = "published"
    EFFECTIVE = "effective"
    SUPERSEDED = "superseded"


class InEffect(NamedTuple):
    """The terms that count now, and the privacy policy that is part of them; without their texts."""

    terms: LegalDocument
    privacy_policy: LegalDocument


@dataclass(frozen=True, slots=True)
class Edition:
    """A published version in the order of its kind. `since` is when it took effect, None if it has not."""

    document: LegalDocument
    predecessor: LegalDocument | None
    since: datetime | None

    @property
    def state(self) -> State:
        if self.document.superseded_at is not None:
            return State.SUPERSEDED
        return State.EFFECTIVE if self.since else State.PUBLISHED

    @property
    def effective_at(self) -> datetime:
        """When it took effect, or is due to."""
        due = self.document.effective_at
        assert due is not None, "a published version has its date"
        return self.since or due

    @property
    def is_held_back(self) -> bool:
        """Whether its date has come but its notices have not all gone out."""
        return self.state is State.PUBLISHED and self.effective_at <= timezone.now()


def current() -> InEffect:
    """What counts now. Raises NothingInEffect."""
    waiting = published(Kind.TERMS).filter(superseded_at=None)
    terms = waiting.select_related("privacy_policy").defer(
        *TEXTS, *(f"privacy_policy__{text}" for text in TEXTS)
    )
    first = terms.first()
    if first is None or first.effective_at is None or first.effective_at > timezone.now():
        raise NothingInEffect
    assert first.privacy_policy is not None, "terms name their privacy policy"
    return InEffect(first, first.privacy_policy)


def published(kind: str) -> QuerySet[LegalDocument]:
    """All versions that were ever published, the oldest first."""
    return LegalDocument.objects.filter(kind=kind, published_at__isnull=False).order_by(
        "effective_at", "published_at", "id"
    )


def editions(kind: str) -> list[Edition]:
    """The same with their predecessors, without texts."""
    found: list[Edition] = []
    for document in published(kind).defer(*TEXTS):
        predecessor = found[-1].document if found else None
        found.append(Edition(document, predecessor, _since(document, predecessor)))
    return found


def edition(document: LegalDocument) -> Edition:
    """One version in the order of its kind; one that is not published yet follows the newest."""
    found = editions(document.kind)
    for known in found:
        if known.document.pk == document.pk:
            return known
    return Edition(document, found[-1].document if found else None, None)


def _since(document: LegalDocument, predecessor: LegalDocument | None) -> datetime | None:
    if predecessor is not None:
        return predecessor.superseded_at
    is_due = document.effective_at is not None and document.effective_at <= timezone.now()
    return document.effective_at if is_due else None
