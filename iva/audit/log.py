"""Recording an event: buffered during the transaction, chained at its very end.

The head of an organization's chain is a row that every append locks. Taking it last, just before
COMMIT, keeps the lock as short as a commit and makes deadlocks with other rows impossible; chains of
different organizations never wait for each other.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

from iva import tenancy
from iva.audit import chain
from iva.audit.actors import SYSTEM, Actor
from iva.audit.events import Event


class Entry(NamedTuple):
    """An event ready to be chained."""

    id: uuid.UUID
    event: str
    actor: str
    occurred_at: datetime
    ids: str


def record(event: Event, *, actor: Actor = SYSTEM, **ids: chain.Id | None) -> None:
    """Remember that something happened; written with the transaction or not at all.

    Raises NoTenantActive outside `tenant()` and NotAnId when content is offered instead of an id.
    """
    active = tenancy.active()
    entry = _entry(event, actor, ids)
    buffered: list[Entry] = active.memo.setdefault(__name__, [])
    if not buffered:
        active.before_commit(_flush, very_last=True)
    buffered.append(entry)


def _flush() -> None:
    organization_id = tenancy.active().organization_id
    entries: list[Entry] = tenancy.active().memo.pop(__name__)
    with connection.cursor() as cursor:
        if len(entries) == 1:
            cursor.execute(APPEND_ONE, _of_one(organization_id, entries[0]))
        else:
            append(cursor, organization_id, entries)


def append(cursor: Any, organization_id: uuid.UUID, entries: list[Entry]) -> None:
    """Chain the events after the organization's head, which stays locked until the transaction ends."""
    sequence, digest = _lock_head(cursor, organization_id)
    rows = []
    for item in entries:
        sequence += 1
        digest = chain.link(digest, sequence, chain.payload(organization_id, *item))
        rows.append((organization_id, sequence, digest, *item))
    cursor.executemany(INSERT, rows)
    cursor.execute(ADVANCE, [sequence, digest, organization_id])


def _lock_head(cursor: Any, organization_id: uuid.UUID) -> tuple[int, bytes]:
    for _ in range(2):
        cursor.execute(LOCK, [organization_id])
        row = cursor.fetchone()
        if row:
            return row[0], bytes(row[1])
        cursor.execute(BEGIN, [organization_id, chain.genesis(organization_id)])
    raise LookupError("the audit head of the organization cannot be created")


LOCK = "SELECT sequence, digest FROM iva_audit_audithead WHERE organization_id = %s FOR NO KEY UPDATE"
BEGIN = (
    "INSERT INTO iva_audit_audithead (organization_id, sequence, digest) VALUES (%s, 0, %s)"
    " ON CONFLICT DO NOTHING"
)
ADVANCE = "UPDATE iva_audit_audithead SET sequence = %s, digest = %s WHERE organization_id = %s"
INSERT = (
    "INSERT INTO iva_audit_auditevent (organization_id, sequence, digest, id, event, actor, occurred_at, ids)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
)

# One event for a statement of one's own whose `counted` has a row: the head is locked after it.
APPEND_COUNTED = """head AS (
    INSERT INTO iva_audit_audithead AS head (organization_id, sequence, digest)
    SELECT %(organization)s, 1, sha256(%(genesis)s::bytea || int8send(1) || %(payload)s) FROM counted
    ON CONFLICT (organization_id) DO UPDATE
    SET sequence = head.sequence + 1,
        digest = sha256(head.digest || int8send(head.sequence + 1) || %(payload)s)
    RETURNING sequence, digest
), appended AS (
    INSERT INTO iva_audit_auditevent (organization_id, sequence, digest, id, event, actor, occurred_at, ids)
    SELECT %(organization)s, sequence, digest, %(event_id)s, %(event)s, %(actor)s, %(occurred_at)s, %(ids)s
    FROM head
)"""
APPEND_ONE = f"WITH counted AS (SELECT), {APPEND_COUNTED} SELECT FROM counted"


def appending(event: Event, *, actor: Actor = SYSTEM, **ids: chain.Id | None) -> dict[str, Any]:
    """The parameters of `APPEND_COUNTED`. Raises NotAnId."""
    return _of_one(tenancy.active().organization_id, _entry(event, actor, ids))


def _entry(event: Event, actor: Actor, ids: Mapping[str, chain.Id | None]) -> Entry:
    return Entry(tenancy.new_id(), event.value, str(actor), timezone.now(), chain.canonical(ids))


def _of_one(organization_id: uuid.UUID, entry: Entry) -> dict[str, Any]:
    return {
        "organization": organization_id,
        "genesis": chain.genesis(organization_id),
        "payload": chain.payload(organization_id, *entry),
        "event_id": entry.id,
        "event": entry.event,
        "actor": entry.actor,
        "occurred_at": entry.occurred_at,
        "ids": entry.ids,
    }


def begin(organization_id: uuid.UUID) -> None:
    """Begin the chain of a newly founded organization; a single event is chained to an existing head."""
    with connection.cursor() as cursor:
        cursor.execute(BEGIN, [organization_id, chain.genesis(organization_id)])
