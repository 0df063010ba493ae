"""Erasing an End User: the key first, then the rows (P79, P85; DESIGN 6).

`erase` makes everything unreadable in one short transaction whose length does not depend on how much
there is. `finish` removes the rows batch by batch; it is promised in the outbox by the same transaction,
so that no crash can leave it undone. Shred before delete: whatever the walk misses is already dead.
"""

import time
import uuid

from django.utils import timezone

from iva import metrics, tenancy
from iva.audit import log as audit
from iva.audit.actors import SYSTEM, Actor
from iva.audit.events import Event
from iva.crypto import keys
from iva.outbox import promising
from iva.outbox.draining import settle
from iva.outbox.models import Work
from privacy.grounds import Ground
from privacy.models import EndUser, EndUserIdentity, ErasureRecord
from privacy.subjects import NoSuchEndUser
from retention import disposal, holds


class RowsRemain(RuntimeError):
    """The verification pass found rows after the disposal had ended."""


def erase(end_user_id: uuid.UUID, ground: Ground, *, actor: Actor) -> ErasureRecord:
    """Make everything of an End User unreadable, now. Call inside `tenant()`.

    Destroys their key, removes their blind indexes and marks them erased; the rows follow through
    `finish`. Erasing again returns the first record. Raises NoSuchEndUser and LegalHoldInForce.
    A hold cannot keep what was erased before a backup brought it back (EARLIER_ERASURE): its key is dead.
    The key is locked first, as by everybody who seals, and only then the End User's row.
    """
    if ground != Ground.EARLIER_ERASURE:
        earlier = ErasureRecord.objects.filter(end_user_id=end_user_id).first()
        if earlier is not None:
            return earlier
        holds.refuse_if_held(end_user_id)
    shredded = keys.shred(end_user_id, actor=actor)
    if ground != Ground.EARLIER_ERASURE:
        holds.refuse_if_held(end_user_id)  # one may have come while we waited for the key's row
    now = timezone.now()
    if not EndUser.objects.filter(pk=end_user_id, erased_at=None).update(erased_at=now):
        return _earlier(end_user_id)
    if not shredded:
        keys.write_down_missing(end_user_id)
    identities, _ = EndUserIdentity.objects.filter(end_user_id=end_user_id).delete()
    record = ErasureRecord.objects.create(
        end_user_id=end_user_id,
        ground=ground,
        requested_by=str(actor),
        unreadable_at=now,
        disposed_rows={EndUserIdentity._meta.db_table: identities},
    )
    promising.promise(Work.DISPOSE, record.pk)
    audit.record(Event.END_USER_ERASED, actor=actor, end_user=end_user_id, erasure=record.pk, ground=ground)
    metrics.ERASURES.inc()
    return record


def refuse(end_user_id: uuid.UUID, reason: str, *, actor: Actor) -> None:
    """Leave a trace of an erasure that was asked for and refused."""
    audit.record(Event.END_USER_ERASURE_REFUSED, actor=actor, end_user=end_user_id, reason=reason)


def finish(
    organization_id: uuid.UUID,
    erasure_id: uuid.UUID,
    *,
    promise_id: uuid.UUID | None = None,
    most_batches: int | None = None,
) -> bool:
    """Delete the rows of an erased End User, a transaction for each batch; True when none is left.

    A legal hold that has come meanwhile stops the disposal of what rows are left (LegalHoldInForce); it
    goes on when the hold is released. Pauses between batches for as long as a batch takes, so that the
    living are not slowed down. Safe to repeat and to run twice at once. Raises RowsRemain when the second
    look disagrees.
    """
    batches = 0
    while most_batches is None or batches < most_batches:
        started = time.monotonic()
        with tenancy.tenant(organization_id):
            record = ErasureRecord.objects.select_for_update().get(pk=erasure_id)
            if record.disposed_at is not None or not _dispose_some(record):
                _conclude(record)
                if promise_id is not None:
                    settle(promise_id)
                return True
        batches += 1
        if most_batches is None:
            time.sleep(time.monotonic() - started)
    return False


def _dispose_some(record: ErasureRecord) -> bool:
    if record.ground != Ground.EARLIER_ERASURE:
        holds.refuse_if_held(record.end_user_id)
    deleted = disposal.dispose_batch(record.end_user_id)
    for table, rows in deleted.items():
        record.disposed_rows[table] = record.disposed_rows.get(table, 0) + rows
    record.save(update_fields=["disposed_rows"])
    return bool(deleted)


def _conclude(record: ErasureRecord) -> None:
    if record.disposed_at is not None:
        return
    if left := disposal.remaining(record.end_user_id):
        raise RowsRemain(", ".join(sorted(left)))
    record.disposed_at = timezone.now()
    record.save(update_fields=["disposed_at"])
    audit.record(
        Event.END_USER_DISPOSED,
        actor=SYSTEM,
        end_user=record.end_user_id,
        erasure=record.pk,
        rows=sum(record.disposed_rows.values()),
    )


def _earlier(end_user_id: uuid.UUID) -> ErasureRecord:
    record = ErasureRecord.objects.filter(end_user_id=end_user_id).first()
    if record is None:
        raise NoSuchEndUser
    return record
