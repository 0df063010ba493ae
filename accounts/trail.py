"""The audit trail for those who may read it: filtered, page by page, with names in the place of ids (P46).

Events are ids; what they are called is read here, in as many queries as there are kinds of names and not as
there are rows. Ids are in the order of time (UUIDv7), so a period is a range of them.
"""

import json
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import QuerySet

from accounts import people, trail_words
from accounts.models import ApiKey
from accounts.people import Acting
from accounts.roles import Permission
from accounts.trail_words import Group
from iva.audit import log as audit
from iva.audit.actors import ActorKind
from iva.audit.events import Event
from iva.audit.models import AuditEvent
from iva.tenancy.ids import first_of

PAGE = 50
MOST_EXPORTED = 50_000
SHORT = 8


class Wanted(NamedTuple):
    """Which events: `since` included, `until` not; `member` is a membership's id, with whose login's."""

    since: datetime | None = None
    until: datetime | None = None
    group: Group | None = None
    member: uuid.UUID | None = None
    end_user: uuid.UUID | None = None


class Detail(NamedTuple):
    """One id, count or code of an event. `end_user` is set where one can look further."""

    name: str
    said: str
    end_user: uuid.UUID | None = None


class Line(NamedTuple):
    """An event in words. `code` is its name in the closed vocabulary, for machines."""

    id: uuid.UUID
    sequence: int
    occurred_at: datetime
    code: str
    event: str
    actor: str
    details: list[Detail]


def page(wanted: Wanted, *, by: Acting, before: uuid.UUID | None = None, limit: int = PAGE) -> list[Line]:
    """The newest events first, from a position on (keyset). Raises NotPermitted."""
    by.require(Permission.AUDIT_READ)
    found = _filtered(wanted)
    if before is not None:
        found = found.filter(id__lt=before)
    return _in_words(list(found.order_by("-id")[:limit]), by)


def export(wanted: Wanted, *, by: Acting) -> list[Line]:
    """Everything that is wanted, 50,000 events at most, and an event of its own that says so.

    Raises NotPermitted and StepUpNeeded.
    """
    by.require(Permission.AUDIT_EXPORT)
    lines = list(_pages(wanted, by))
    audit.record(Event.AUDIT_EXPORTED, actor=by.actor, count=len(lines), end_user=wanted.end_user)
    return lines


def _pages(wanted: Wanted, by: Acting) -> Iterator[Line]:
    last, left = None, MOST_EXPORTED
    while left and (lines := page(wanted, by=by, before=last, limit=min(left, 1000))):
        yield from lines
        last, left = lines[-1].id, left - len(lines)


def _filtered(wanted: Wanted) -> QuerySet[AuditEvent]:
    found = AuditEvent.objects.all()
    if wanted.since is not None:
        found = found.filter(id__gte=first_of(wanted.since))
    if wanted.until is not None:
        found = found.filter(id__lt=first_of(wanted.until))
    if wanted.group is not None:
        found = found.filter(event__in=[event.value for event in trail_words.events_of(wanted.group)])
    if wanted.member is not None:
        found = found.filter(actor_id__in=_both_ids(wanted.member))
    if wanted.end_user is not None:
        found = found.filter(end_user_id=wanted.end_user)
    return found


def _both_ids(membership_id: uuid.UUID) -> list[uuid.UUID]:
    """A member acts under their membership's id, and under their login's before they have entered."""
    return [membership_id, *people.login_of(membership_id)]


def _in_words(events: Sequence[AuditEvent], by: Acting) -> list[Line]:
    read = [(event, _actor_of(event), json.loads(event.ids)) for event in events]
    names = _names(read) if by.may(Permission.MEMBERS_READ) else {}
    keys = _key_names(read)
    return [
        Line(
            event.pk,
            event.sequence,
            event.occurred_at,
            event.event,
            _event_name(event.event),
            _actor_name(actor, names, keys),
            [_detail(name, said, names, keys) for name, said in ids.items()],
        )
        for event, actor, ids in read
    ]


_Actor = tuple[ActorKind, uuid.UUID | None]
_Read = tuple[AuditEvent, _Actor, dict[str, str | int | list[str]]]


def _names(read: Sequence[_Read]) -> dict[uuid.UUID, str]:
    wanted = {id for _, (kind, id), _ in read if id and kind in (ActorKind.MEMBER, ActorKind.PERSON)}
    wanted |= {
        id
        for _, _, ids in read
        for name, said in ids.items()
        if name in trail_words.PEOPLE and (id := _uuid(said)) is not None
    }
    return people.names_of(wanted) if wanted else {}


def _key_names(read: Sequence[_Read]) -> dict[uuid.UUID, str]:
    wanted = {id for _, (kind, id), _ in read if id and kind is ActorKind.API_KEY}
    said = (ids.get(name, "") for _, _, ids in read for name in trail_words.API_KEYS)
    wanted |= {id for each in said if (id := _uuid(each)) is not None}
    return dict(ApiKey.objects.filter(pk__in=wanted).values_list("id", "name")) if wanted else {}


def _actor_of(event: AuditEvent) -> _Actor:
    kind, _, id = event.actor.partition(":")
    return ActorKind(kind) if kind in set(ActorKind) else ActorKind.SYSTEM, _uuid(id)


def _actor_name(actor: _Actor, names: dict[uuid.UUID, str], keys: dict[uuid.UUID, str]) -> str:
    kind, id = actor
    label = str(trail_words.ACTOR_NAMES[kind])
    if id is None:
        return label
    if kind in (ActorKind.MEMBER, ActorKind.PERSON):
        return names.get(id) or f"{label} …{str(id)[-SHORT:]}"
    return f"{label} «{keys[id]}»" if id in keys else f"{label} …{str(id)[-SHORT:]}"


def _event_name(code: str) -> str:
    return str(trail_words.EVENT_NAMES[Event(code)]) if code in set(Event) else code


def _detail(
    name: str, said: str | int | list[str], names: dict[uuid.UUID, str], keys: dict[uuid.UUID, str]
) -> Detail:
    label = str(trail_words.DETAIL_NAMES.get(name, name))
    if isinstance(said, list):
        return Detail(label, trail_words.several(name, said))
    id = _uuid(said)
    if id is None:
        return Detail(label, trail_words.value(name, str(said)))
    kind = names if name in trail_words.PEOPLE else keys if name in trail_words.API_KEYS else {}
    return Detail(label, kind.get(id) or f"…{str(id)[-SHORT:]}", id if name == "end_user" else None)


def _uuid(text: object) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if isinstance(text, str) and len(text) == 36 else None
    except ValueError:
        return None
