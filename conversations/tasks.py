"""What the worker does. Tasks carry nothing or ids only; the work itself lies in the outbox."""

import uuid
from zoneinfo import ZoneInfo

from celery import shared_task

from accounts import organizations, posting
from accounts.models import Organization
from conversations import answering, counting, resolving
from iva import tenancy
from iva.outbox import draining, nudging
from iva.outbox.models import Promise, Work
from privacy import erasure


def _finish_erasure(promise: Promise) -> None:
    erasure.finish(promise.organization_id, promise.subject_id, promise_id=promise.pk)


FULFIL = {
    Work.ANSWER: answering.keep_promise,
    Work.DISPOSE: _finish_erasure,
    Work.LETTER: posting.deliver,
}


@shared_task(name="conversations.drain")
def drain() -> None:
    """Keep every promise that is due."""
    draining.drain(FULFIL)


@shared_task(name="conversations.resolve_idle")
def resolve_idle(organization_id: str) -> None:
    """End the idle conversations of one organization."""
    with tenancy.tenant(uuid.UUID(organization_id)):
        resolving.resolve_idle()


@shared_task(name="conversations.resolve_idle_everywhere")
def resolve_idle_everywhere() -> None:
    """Visit every organization in turn."""
    for organization_id in organizations.every_id():
        resolve_idle.delay(str(organization_id))


@shared_task(name="conversations.count")
def count(organization_id: str) -> None:
    """Count what has changed in one organization's conversations, batch by batch."""
    organization = Organization.objects.get(pk=organization_id)
    counted = counting.BATCH
    while counted == counting.BATCH:
        with tenancy.tenant(organization.pk):
            counted = counting.count(ZoneInfo(organization.time_zone))


@shared_task(name="conversations.count_everywhere")
def count_everywhere() -> None:
    """Visit every organization in turn."""
    for organization_id in organizations.every_id():
        count.delay(str(organization_id))


nudging.wake_with(drain.delay)
