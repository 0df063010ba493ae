"""Everything IVA keeps about a member, found by walking the inventory (P83, P86, M15).

A model is here because it declares a member as its subject, not because somebody remembered it. It is read
in every place where the person is known: the household, and each organization they belong or belonged to.
What a model declares says what may be shown: nothing hashed, nothing of a credential that opens anything, no
id of anybody else.
"""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db import models

from accounts import activity, household, people
from accounts.activity import Trail
from accounts.models import Member, Membership, Organization, User
from iva import personal_data, tenancy
from iva.audit import log as audit
from iva.audit.events import Event
from iva.audit.models import AuditEvent
from iva.crypto import blind_index, bulk
from iva.crypto.keys import KeyShredded
from iva.personal_data import Category, Entry, PersonalData, Protection, Subject
from iva.tenancy import TenantModel

MOST_ROWS = 50_000
BATCH = 500
UNREADABLE = {Protection.HASHED, Protection.BLIND_INDEX, Protection.WRAPPED}
THINGS = frozenset({"document_id", "notice"})
"""Columns that hold ids of things; every other foreign id might be a person's and stays out."""

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class NotReachable(LookupError):
    """The model holds data of members, and nothing in its declaration says how to find somebody's rows."""


class Place(NamedTuple):
    """Where the person is known: the household (`organization` None) or an organization, and as which ids."""

    organization: Organization | None
    ids: frozenset[uuid.UUID]

    @property
    def organization_id(self) -> uuid.UUID:
        return self.organization.pk if self.organization else household.HOUSEHOLD


@dataclass(frozen=True)
class Section:
    """What one model keeps about the person in one place.

    `withheld` are columns that are kept and not shown; `is_whole` is False when there were more rows than
    a package holds.
    """

    model: str
    place: Place
    declaration: PersonalData
    withheld: tuple[str, ...] = ()
    rows: list[dict[str, Any]] = field(default_factory=list)
    is_whole: bool = True


def covered() -> list[Entry]:
    """The models a package reaches: a member's by declaration, and the login, which is theirs too."""
    return [
        entry
        for entry in personal_data.inventory()
        if entry.declaration.subject is Subject.MEMBER or entry.model is User
    ]


def places(person_id: uuid.UUID) -> list[Place]:
    """The household first, then every organization, those one has left included."""
    by_organization: dict[uuid.UUID, list[Membership]] = {}
    every = Membership.objects.filter(user_id=person_id).select_related("organization")
    for membership in every.order_by("organization__name", "id"):
        by_organization.setdefault(membership.organization_id, []).append(membership)
    known = [
        Place(memberships[0].organization, frozenset({person_id, *(m.pk for m in memberships)}))
        for memberships in by_organization.values()
    ]
    return [Place(None, frozenset({person_id})), *known]


def outline(person_id: uuid.UUID) -> list[Section]:
    """What would be in the package, without a single value. Raises NotReachable."""
    found = [_read(place, entry, person_id, most=0) for place, entry in _walk(person_id)]
    trails = [section for place in places(person_id) for section in _activity(place, most=1)]
    return [section for section in found if not section.is_whole] + trails


def everything(person_id: uuid.UUID, *, most: int = MOST_ROWS) -> Iterator[Section]:
    """The package, section by section, empty ones left out; at most so many rows in each, the newest.

    Raises NotReachable.
    """
    for place, entry in _walk(person_id):
        section = _read(place, entry, person_id, most)
        if section.rows:
            yield section
    for place in places(person_id):
        yield from _activity(place, most)


def handed_out(person_id: uuid.UUID, *, form: str) -> None:
    """Somebody has taken a copy of their data: every trail that concerns them says so."""
    for place in places(person_id):
        with tenancy.tenant(place.organization_id):
            audit.record(
                Event.MEMBER_DATA_EXPORTED, actor=household.oneself(person_id), person=person_id, form=form
            )


def way_to(entry: Entry) -> str:
    """The lookup that finds a subject's rows, without `__in`. Raises NotReachable."""
    declaration = entry.declaration
    if declaration.subject_field:
        return declaration.subject_field
    if declaration.subject_token:
        return declaration.subject_token[0]
    if declaration.reached_through:
        parent: Any = entry.model._meta.get_field(declaration.reached_through).related_model
        return f"{declaration.reached_through}__{way_to(Entry(parent, vars(parent)['personal_data']))}"
    raise NotReachable(entry.model._meta.label)


def _walk(person_id: uuid.UUID) -> Iterator[tuple[Place, Entry]]:
    """Each model in each place it can have rows in; what stands outside the wall belongs to the login."""
    for place in places(person_id):
        for entry in covered():
            if place.organization is None or issubclass(entry.model, TenantModel):
                yield place, entry


def _read(place: Place, entry: Entry, person_id: uuid.UUID, most: int) -> Section:
    """One transaction for the purpose the model declares: it opens nothing else (P16)."""
    with tenancy.tenant(place.organization_id, entry.declaration.purpose):
        wanted: Any = place.ids
        if entry.declaration.subject_token:
            wanted = [blind_index.token(entry.declaration.subject_token[1], _address(person_id, place))]
        manager: Any = entry.model._default_manager
        rows = manager.filter(**{f"{way_to(entry)}__in": wanted}).order_by("-pk")
        shown, withheld = _columns(entry)
        found = [row for batch in _batches(rows, most + 1) for row in _plain(batch, shown, place, entry)]
        label = entry.model._meta.label
        return Section(label, place, entry.declaration, tuple(withheld), found[:most], len(found) <= most)


def _address(person_id: uuid.UUID, place: Place) -> str:
    """The address by which an organization knows somebody: from their own row there, or their login."""
    if place.organization is None:
        return people.person(person_id).email
    member_ids = place.ids - {person_id}
    rows = Member.objects.filter(pk__in=member_ids).order_by("-pk")[:1]
    return rows[0].email if rows else ""


def _batches(rows: Any, most: int) -> Iterator[list[models.Model]]:
    last: Any = None
    while most > 0:
        page = rows if last is None else rows.filter(pk__lt=last)
        batch = list(page[: min(BATCH, most)])
        if not batch:
            return
        yield batch
        last, most = batch[-1].pk, most - len(batch)


def _columns(entry: Entry) -> tuple[list["models.Field[Any, Any]"], list[str]]:
    """The columns that are shown, and the names of those that are kept back."""
    shown, withheld = [], []
    for column in entry.model._meta.local_fields:
        if column.name == "organization_id":
            continue
        if _is_withheld(column, entry.declaration):
            withheld.append(column.name)
        else:
            shown.append(column)
    return shown, withheld


def _is_withheld(column: "models.Field[Any, Any]", declaration: PersonalData) -> bool:
    if declaration.fields.get(column.name) in UNREADABLE:
        return True
    if getattr(column, "sealed", False):
        return declaration.category is Category.CREDENTIAL and column.name not in declaration.disclosed
    return isinstance(column, models.BinaryField)


def _plain(
    batch: list[models.Model], shown: list["models.Field[Any, Any]"], place: Place, entry: Entry
) -> Iterator[dict[str, Any]]:
    sealed = [column.name for column in shown if getattr(column, "sealed", False)]
    if sealed:
        bulk.reveal(batch, *sealed)
    for row in batch:
        own = place.ids | {row.pk}
        values = {column.name: _value(row, column) for column in shown}
        yield {name: value for name, value in values.items() if name in THINGS or _is_ones_own(value, own)}


def _value(row: models.Model, column: "models.Field[Any, Any]") -> Any:
    """As JSON can say it; None for what cannot be opened any more."""
    try:
        value = getattr(row, column.name)
    except KeyShredded:
        return None
    if isinstance(value, Organization):
        return value.name
    if isinstance(value, models.Model):
        return str(value.pk)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, uuid.UUID) else value


def _is_ones_own(value: Any, own: frozenset[Any]) -> bool:
    """No id in the value is another's; `approved_by` and the like hold ids inside a text."""
    return {uuid.UUID(found) for found in ID.findall(str(value))} <= own


def _activity(place: Place, most: int) -> Iterator[Section]:
    """The trail names nobody, but its ids lead to somebody: one's own part of it belongs to the package."""
    declaration: PersonalData = vars(AuditEvent)["personal_data"]
    rows = [
        {"occurred_at": deed.occurred_at.isoformat(), "event": deed.event, "own": deed.is_own, **deed.codes}
        for deed in activity.all_of(Trail(place.organization_id, place.ids), most=most)
    ]
    if rows:
        yield Section(AuditEvent._meta.label, place, declaration, (), rows, len(rows) < most)
