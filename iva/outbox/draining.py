"""Taking what is due: leased, so that a worker killed in the middle only delays it."""

import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Min, Q
from django.db.models.functions import Now
from django.utils import timezone

from iva import metrics
from iva.outbox import nudging
from iva.outbox.models import Promise, Work

BATCH = 20
MOST_ATTEMPTS = 8
LONGEST_WAIT = timedelta(minutes=10)

logger = structlog.get_logger("iva.outbox")
Fulfil = Callable[[Promise], None]

DUE = "given_up_at IS NULL AND due_at <= now() AND (leased_until IS NULL OR leased_until < now())"

# Organizations take turns, so that nobody waits behind another's backlog: the first due promise of each,
# then the second of each. The index is jumped through from one organization to the next.
TAKE = f"""
WITH RECURSIVE waiting AS (
    (SELECT organization_id FROM iva_outbox_promise WHERE {DUE} ORDER BY organization_id LIMIT 1)
    UNION ALL
    SELECT (
        SELECT following.organization_id FROM iva_outbox_promise following
        WHERE following.organization_id > waiting.organization_id AND {DUE}
        ORDER BY following.organization_id LIMIT 1
    ) FROM waiting WHERE waiting.organization_id IS NOT NULL
), turn AS (
    SELECT first.id FROM waiting CROSS JOIN LATERAL (
        SELECT id, due_at, row_number() OVER (ORDER BY due_at) AS place FROM iva_outbox_promise
        WHERE organization_id = waiting.organization_id AND {DUE}
        ORDER BY due_at LIMIT %(most)s
    ) AS first
    ORDER BY first.place, first.due_at LIMIT %(most)s
)
UPDATE iva_outbox_promise SET leased_until = now() + make_interval(secs => %(seconds)s)
WHERE id IN (
    SELECT id FROM iva_outbox_promise WHERE id IN (SELECT id FROM turn) AND {DUE} FOR UPDATE SKIP LOCKED
)
RETURNING id, organization_id, work, conversation_id, subject_id, due_at, leased_until, attempts, given_up_at
"""  # noqa: S608  only our own condition is set in


def drain(fulfil: Mapping[Work, Fulfil], most_batches: int = 50) -> int:
    """Do what is due, batch by batch, until nothing is left. Returns how many promises were kept.

    `fulfil` maps each kind of work to the function that does it and deletes the promise in its own
    transaction (`settle`). A full batch wakes a second worker, so that load spreads by itself.
    """
    nudging.begin_looking()
    kept = 0
    for _ in range(most_batches):
        batch = take()
        if not batch:
            break
        if len(batch) == BATCH:
            nudging.nudge()
        kept += sum(_attempt(promise, fulfil) for promise in batch)
    if kept:
        logger.info("promises kept", count=kept)
    return kept


def take(most: int = BATCH) -> list[Promise]:
    """Lease what is due and not leased; a lease ends by itself after `IVA_LEASE_SECONDS`.

    RETURNING names the columns in the order of the model's fields.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(TAKE, {"seconds": settings.IVA_LEASE_SECONDS, "most": most})
        rows = [Promise(*row) for row in cursor.fetchall()]
    return sorted(rows, key=lambda promise: promise.due_at)


def settle(promise_id: uuid.UUID) -> bool:
    """Delete a promise with the work it stood for. False: somebody else has kept it already."""
    deleted, _ = Promise.objects.filter(pk=promise_id).delete()
    return deleted == 1


def waiting() -> tuple[int, float]:
    """How many promises are due, and the age of the oldest in seconds."""
    now = timezone.now()
    due = Q(given_up_at__isnull=True, due_at__lte=now)
    found = Promise.objects.filter(due).aggregate(count=Count("pk"), oldest=Min("due_at"))
    return found["count"], (now - found["oldest"]).total_seconds() if found["oldest"] else 0.0


def _attempt(promise: Promise, fulfil: Mapping[Work, Fulfil]) -> bool:
    if not _begin(promise):
        return False
    try:
        fulfil[Work(promise.work)](promise)
    except Exception as error:
        _fail(promise, error)
        return False
    return True


def _begin(promise: Promise) -> bool:
    """Count the attempt and lease anew. False: the lease had ended and somebody else took the promise over.

    Counted here, not when leasing: who dies over one promise has not attempted the rest of the batch.
    """
    promise.attempts += 1
    mine = Promise.objects.filter(pk=promise.pk, leased_until=promise.leased_until)
    leased_until = Now() + timedelta(seconds=settings.IVA_LEASE_SECONDS)
    return mine.update(attempts=promise.attempts, leased_until=leased_until) == 1


def _fail(promise: Promise, error: Exception) -> None:
    logger.warning(
        "promise failed",
        task=promise.work,
        message=str(promise.subject_id),
        attempt=promise.attempts,
        exc_info=error,
    )
    wait = min(timedelta(seconds=2**promise.attempts), LONGEST_WAIT)
    gave_up = promise.attempts >= MOST_ATTEMPTS and promise.work != Work.DISPOSE
    Promise.objects.filter(pk=promise.pk).update(
        due_at=timezone.now() + wait, leased_until=None, given_up_at=timezone.now() if gave_up else None
    )
    if gave_up and promise.work == Work.ANSWER:
        metrics.ANSWERS.labels("given_up").inc()
