"""What changes in conversations is announced to whoever is looking, and can be asked for.

Every verb that changes a conversation says so with one call, `live.announce(conversation_id)`; a test finds
those that forget. Whoever cannot hold a stream asks from where they last were in the audit trail: each change
has its number there, without gaps.
"""

import functools
import json
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction

from conversations.models import Conversation
from iva import tenancy
from iva.audit.events import Event
from iva.audit.models import AuditEvent, AuditHead
from iva.live import announcing

MOST_ASKED = 200
LAG = timedelta(seconds=2)
"""How far `last_message_at` may lie behind, and a second more."""

ONLY_LOOKED = frozenset({Event.CONVERSATION_READ.value})
BATCHES = frozenset({Event.MESSAGES_RECEIVED.value})
TAKEN_AWAY = frozenset({Event.END_USER_ERASED.value, Event.END_USER_DISPOSED.value})


class Changes(NamedTuple):
    """What happened after a number of the trail. `everything`: more than can be named, look at all of it."""

    since: int
    conversations: list[uuid.UUID]
    everything: bool


def announce(conversation_id: uuid.UUID, message_id: uuid.UUID | None = None) -> None:
    """Once the transaction commits: this conversation has changed, by that message or otherwise."""
    organization_id = tenancy.active().organization_id
    changed = {conversation_id: message_id}
    transaction.on_commit(functools.partial(announcing.changed, organization_id, changed))


def announce_received(organization_id: uuid.UUID, received: Iterable[tuple[uuid.UUID, uuid.UUID]]) -> None:
    """Messages that are durable already, as pairs of conversation and message; once for a whole batch."""
    announcing.changed(organization_id, dict(received))


def changes(since: int | None) -> Changes:
    """What has changed after that number; without one everything may have, and the number is the last."""
    organization_id = tenancy.active().organization_id
    heads = AuditHead.objects.filter(organization_id=organization_id)
    last = heads.values_list("sequence", flat=True).first() or 0
    if since is None or since > last:
        return Changes(last, [], True)
    events = list(
        AuditEvent.objects.filter(sequence__gt=since)
        .order_by("sequence")
        .values_list("sequence", "event", "ids", "occurred_at")[:MOST_ASKED]
    )
    if len(events) == MOST_ASKED:
        return Changes(last, [], True)
    reached = events[-1][0] if events else since
    return Changes(reached, *_meant([(event, json.loads(ids), at) for _, event, ids, at in events]))


def _meant(events: list[tuple[str, dict[str, object], datetime]]) -> tuple[list[uuid.UUID], bool]:
    """The conversations of these events, and whether they are not all."""
    named = {
        uuid.UUID(str(ids["conversation"]))
        for event, ids, _ in events
        if "conversation" in ids and event not in ONLY_LOOKED
    }
    batches = [at for event, ids, at in events if event in BATCHES and "conversation" not in ids]
    if batches:
        named |= set(_written_to_since(min(batches) - LAG))
    is_all = len(named) < MOST_ASKED and not any(event in TAKEN_AWAY for event, _, _ in events)
    return (sorted(named), False) if is_all else ([], True)


def _written_to_since(moment: datetime) -> list[uuid.UUID]:
    """A batch names its messages only: the conversations in which something was written since."""
    recent = Conversation.objects.filter(last_message_at__gte=moment).order_by("-last_message_at", "-id")
    return list(recent.values_list("id", flat=True)[:MOST_ASKED])
