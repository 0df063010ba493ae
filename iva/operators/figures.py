"""How the platform is, in figures that are asked when somebody looks; each costs one bounded question."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from celery.schedules import maybe_schedule
from django.db.models import Count, Q
from django.utils import timezone

from accounts import agreements, announcing, household
from accounts.agreements import Edition
from accounts.announcing import Progress
from accounts.models import Kind, LegalDocument, Organization
from iva import rounds
from iva.audit.events import Event
from iva.audit.models import AuditEvent
from iva.crypto import kms
from iva.crypto.kms import KeyServiceUnavailable
from iva.models import Round
from iva.operators.lists import MOST
from iva.outbox import draining
from iva.outbox.models import Promise
from iva.personal_data import Purpose

GRACE = timedelta(minutes=2)
MOST_VISITED = 100
LATELY = 8
OF_OPERATORS = [
    Event.ORGANIZATION_SUSPENDED,
    Event.DOCUMENT_DRAFTED,
    Event.DOCUMENT_DISCARDED,
    Event.DOCUMENT_APPROVED,
    Event.DOCUMENT_PUBLISHED,
    Event.OPERATOR_APPOINTED,
    Event.OPERATOR_DISMISSED,
    Event.FACTORS_RESET,
    Event.OPERATOR_SEARCHED,
    Event.SIGNED_IN,
    Event.SIGN_IN_REFUSED,
]


@dataclass(frozen=True, slots=True)
class Coming:
    """A periodic task, its last round, and whether the next one is overdue."""

    task: str
    last: Round | None
    is_late: bool

    @property
    def look(self) -> str:
        if self.last is None:
            return ""
        return "bad" if self.last.failure else "warn" if self.is_late else "good"


@dataclass(frozen=True, slots=True)
class Outbox:
    """Work that is promised: due, how old the oldest is in seconds, taken by a worker, given up."""

    due: int
    oldest: float
    leased: int
    given_up: int

    @property
    def look(self) -> str:
        return "bad" if self.given_up else "warn" if self.oldest > GRACE.total_seconds() else "good"


@dataclass(frozen=True, slots=True)
class Documents:
    """Legal documents by what they wait for, and how far the letters about them have come."""

    drafts: int
    approved: int
    published: list[Edition]
    letters: Progress
    visited: int


@dataclass(frozen=True, slots=True)
class Keys:
    """The key service: its current epoch and how many still exist; None when it does not answer."""

    epoch: int | None
    existing: int = 0


def gather() -> dict[str, Any]:
    """Everything the overview shows."""
    coming = {one.task: one for one in periodic()}
    return {
        "organizations": organizations(),
        "outbox": outbox(),
        "documents": documents(),
        "keys": keys(),
        "periodic": list(coming.values()),
        "late": [one for one in coming.values() if one.look in ("bad", "warn")],
        "verified": coming["audit.verify"],
        "anchored": coming["audit.anchor"],
        "rolled": coming["privacy.roll_epoch"],
        "lately": lately(),
    }


def organizations() -> dict[str, int]:
    """Organizations by their state; the household is none of them."""
    ended, suspended = Q(contract_ended_at__isnull=False), Q(suspended_at__isnull=False)
    return Organization.objects.exclude(pk=household.HOUSEHOLD).aggregate(
        active=Count("pk", ~ended & ~suspended),
        suspended=Count("pk", suspended & ~ended),
        ended=Count("pk", ended),
    )


def outbox() -> Outbox:
    due, oldest = draining.waiting()
    leased = Promise.objects.filter(leased_until__gt=timezone.now(), given_up_at=None)
    given_up = Promise.objects.exclude(given_up_at=None)
    return Outbox(due, oldest, leased[:MOST].count(), given_up[:MOST].count())


def documents() -> Documents:
    """Letters are counted in the first hundred organizations; `visited` says in how many."""
    counts = LegalDocument.objects.aggregate(
        drafts=Count("pk", Q(approved_at=None)),
        approved=Count("pk", Q(approved_at__isnull=False, published_at=None)),
    )
    waiting = [edition for edition in agreements.editions(Kind.TERMS) if edition.since is None]
    letters, visited = letters_about([edition.document for edition in waiting])
    return Documents(counts["drafts"], counts["approved"], waiting, letters, visited)


def letters_about(waiting: list[LegalDocument]) -> tuple[Progress, int]:
    """How far the letters about significant versions have come, and in how many organizations."""
    significant = [document for document in waiting if document.is_significant]
    ids = list(Organization.objects.order_by("id").values_list("id", flat=True)[:MOST_VISITED])
    found = Progress()
    for document in significant:
        found += announcing.progress(document, ids)
    return found, len(ids) if significant else 0


def keys() -> Keys:
    try:
        return Keys(kms.service().current_epoch(), len(kms.service().epochs()))
    except KeyServiceUnavailable:
        return Keys(None)


def periodic() -> list[Coming]:
    """Every task of the one list, in its order."""
    known = Round.objects.in_bulk()
    return [coming(task, known.get(task)) for task in rounds.expected()]


def coming(task: str, last: Round | None) -> Coming:
    """How a task of the list stands, by its last round."""
    return Coming(task, last, _is_late(rounds.expected()[task], last))


def lately() -> list[AuditEvent]:
    """The newest events of the household's trail that say something about operators and doors."""
    with household.at_home(Purpose.SUPPORT_TECHNICAL):
        events = AuditEvent.objects.filter(event__in=OF_OPERATORS).order_by("-sequence")
        return list(events[:LATELY])


def _is_late(schedule: Any, last: Round | None) -> bool:
    if last is None:
        return False
    due: Any = maybe_schedule(schedule)
    return bool(due.remaining_estimate(last.ended_at) < -GRACE)
