"""Promising work: in the caller's transaction, with one insert."""

import uuid
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from iva import tenancy
from iva.outbox import nudging
from iva.outbox.models import Promise, Work

INSERT = """
INSERT INTO iva_outbox_promise (id, organization_id, work, conversation_id, subject_id, due_at, attempts)
SELECT id, %(organization)s, %(work)s, conversation_id, subject_id, %(now)s, 0
"""


def promise(work: Work, subject_id: uuid.UUID, conversation_id: uuid.UUID | None = None) -> Promise:
    """Promise work for the active organization; a worker is woken once the transaction commits."""
    promised = Promise.objects.create(
        organization_id=tenancy.active().organization_id,
        work=work,
        subject_id=subject_id,
        conversation_id=conversation_id,
    )
    transaction.on_commit(nudging.nudge)
    return promised


def postpone(promise_: "Promise", seconds: float) -> None:
    """Try again later."""
    due_at = timezone.now() + timedelta(seconds=seconds)
    Promise.objects.filter(pk=promise_.pk).update(due_at=due_at, leased_until=None)
