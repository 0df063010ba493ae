"""What somebody did, and what was done about them: their own part of the audit trails (P29).

Each trail, the household's or an organization's, is read by index: an event is one's own when one is its
actor, or when it is about oneself. It is shown with its codes; ids of others stay out.
"""

import heapq
import json
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q

from iva import tenancy
from iva.audit.actors import ActorKind
from iva.audit.models import AuditEvent
from iva.personal_data import Purpose

PAGE, LONGEST_PAGE = 50, 500


class Deed(NamedTuple):
    """One event. `codes` are its counts and codes; `is_own` says that one did it oneself."""

    occurred_at: datetime
    id: uuid.UUID
    event: str
    actor: ActorKind
    is_own: bool
    organization_id: uuid.UUID
    codes: dict[str, str | int]


class Trail(NamedTuple):
    """One organization's trail, or the household's, and what somebody is there: a person, memberships."""

    organization_id: uuid.UUID
    ids: frozenset[uuid.UUID]


def of(trails: Iterable[Trail], before: uuid.UUID | None = None, *, limit: int = PAGE) -> list[Deed]:
    """The newest events of somebody's in these trails, at most `limit`, those before the event `before`.

    Ids of events are in the order of time, in all trails together.
    """
    found = (deed for trail in trails for deed in _read(trail, before, limit))
    return heapq.nlargest(limit, found, key=lambda deed: deed.id)


def all_of(trail: Trail, *, most: int) -> Iterator[Deed]:
    """Every event of somebody's in one trail, newest first, up to so many."""
    before: uuid.UUID | None = None
    while most > 0 and (page := of([trail], before, limit=min(LONGEST_PAGE, most))):
        yield from page
        before, most = page[-1].id, most - len(page)


def _read(trail: Trail, before: uuid.UUID | None, limit: int) -> list[Deed]:
    """Each index is asked on its own: every question costs one page, however long the trail is."""
    questions = [question for id_ in trail.ids for question in (Q(actor_id=id_), Q(about_id=id_))]
    with tenancy.tenant(trail.organization_id, Purpose.LEGAL_REQUIREMENT):
        rows = {row.pk: row for asked in questions for row in _page(asked, before, limit)}
    return [_deed(row, trail) for row in rows.values()]


def _page(asked: Q, before: uuid.UUID | None, limit: int) -> Iterable[AuditEvent]:
    rows = AuditEvent.objects.filter(asked).order_by("-id")
    if before is not None:
        rows = rows.filter(id__lt=before)
    return rows.only("organization_id", "event", "actor", "actor_id", "ids", "occurred_at")[:limit]


def _deed(row: AuditEvent, trail: Trail) -> Deed:
    codes = {name: value for name, value in json.loads(row.ids).items() if _is_a_code(value)}
    kind, is_own = ActorKind(row.actor.partition(":")[0]), row.actor_id in trail.ids
    return Deed(row.occurred_at, row.pk, row.event, kind, is_own, row.organization_id, codes)


def _is_a_code(value: object) -> bool:
    try:
        uuid.UUID(str(value))
    except ValueError:
        return isinstance(value, str | int)
    return False
