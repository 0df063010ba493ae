"""Keeping incoming messages: durable, encrypted, once (P24, P33, P48).

One transaction of three round trips, for one message or a hundred: who are they (key rows locked) · keep
the messages, open conversations, promise the answers · count, chain the audit event, commit.
"""

import random
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import IntegrityError, OperationalError, connection
from django.utils import timezone

from billing import metering
from billing.models import Meter
from channels_cfg import connecting
from conversations import continuing, live
from conversations.models import Author, Message
from iva import metrics, tenancy
from iva.audit import log as audit
from iva.audit.actors import Actor
from iva.audit.events import Event
from iva.crypto import ring
from iva.outbox import nudging
from iva.outbox.models import Work
from privacy import subjects

LONGEST_BODY = 10_000
LONGEST_EXTERNAL_ID = 200
MOST_AT_ONCE = 100
TRIES = 5


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """What a channel delivered. `external_id` is the channel's own id of the message: a repeated delivery
    with the same id is a no-op. `sent_at` is when the channel says it was written."""

    sender: subjects.Sender
    body: str
    external_id: str
    sent_at: datetime | None = None


class Receipt(NamedTuple):
    """What became of a delivered message. `is_new` is False for a repeated delivery."""

    message_id: uuid.UUID
    conversation_id: uuid.UUID
    end_user_id: uuid.UUID
    kept_at: datetime
    is_new: bool


class ExternalIdReused(Exception):
    """The channel's id already belongs to a message with another text or another sender."""


class Contention(Exception):
    """Another transaction opened the same conversation in the same moment; try again."""


Outcome = Receipt | ExternalIdReused | subjects.IdentityConflict


class Kept(NamedTuple):
    """A message on its way into the table: in the order of the columns of `KEEP`."""

    position: int
    id: uuid.UUID
    end_user_id: uuid.UUID
    body: bytes
    external_bidx: bytes
    sent_at: datetime | None
    new_conversation_id: uuid.UUID


def receive(
    organization_id: uuid.UUID,
    channel_id: uuid.UUID | None,
    messages: Sequence[InboundMessage],
    *,
    actor: Actor,
) -> list[Outcome]:
    """Keep what was delivered and promise an answer to each new message; one outcome for each, in order.

    Without a channel the organization's first API channel is meant. Whatever could be kept is durable
    when this returns. Raises NoSuchChannel, and Contention when five tries were not enough.
    """
    outcomes = _persistently(lambda: _receive_somehow(organization_id, channel_id, messages, actor))
    new = [outcome for outcome in outcomes if isinstance(outcome, Receipt) and outcome.is_new]
    if new:
        metrics.MESSAGES.labels(Author.END_USER.value).inc(len(new))
        nudging.nudge()
        live.announce_received(organization_id, [(item.conversation_id, item.message_id) for item in new])
    return outcomes


def _persistently(attempt: Callable[[], list[Outcome]]) -> list[Outcome]:
    """Repeat a transaction that lost a race or its connection; repeating is safe, deliveries are known.

    A lock that was waited for in vain is waited for again: in a crowd everybody's turn comes.
    """
    for tried in range(1, TRIES + 1):
        try:
            return attempt()
        except (IntegrityError, OperationalError, Contention) as error:
            if isinstance(error, OperationalError):
                connection.close_if_unusable_or_obsolete()
            if tried == TRIES:
                if isinstance(error, IntegrityError):
                    raise Contention from error
                raise
            time.sleep(random.uniform(0, 0.01 * 2**tried))  # noqa: S311  spreads out, hides nothing
    raise AssertionError("unreachable")


def _receive_somehow(
    organization_id: uuid.UUID, channel_id: uuid.UUID | None, messages: Sequence[InboundMessage], actor: Actor
) -> list[Outcome]:
    """The short way where it leads to the end, otherwise the long one."""
    if len(messages) == 1:
        kept = continuing.keep(organization_id, channel_id, messages[0], actor)
        if kept is not None:
            return [Receipt(*kept, True)]
    return _receive_once(organization_id, channel_id, messages, actor)


def _receive_once(
    organization_id: uuid.UUID, channel_id: uuid.UUID | None, messages: Sequence[InboundMessage], actor: Actor
) -> list[Outcome]:
    with tenancy.tenant(organization_id, pipelined=True), connection.cursor() as cursor:
        connecting.send_find_enabled(cursor, channel_id)
        people = subjects.identify([message.sender for message in messages])
        channel = connecting.found_enabled(cursor)
        rows = _seal(channel, messages, people)
        outcomes: dict[int, Outcome] = {
            position: person for position, person in enumerate(people) if isinstance(person, Exception)
        }
        outcomes |= _keep(channel, rows, messages)
        _account_for([item for item in outcomes.values() if isinstance(item, Receipt) and item.is_new], actor)
    return [outcomes[position] for position in range(len(messages))]


def _seal(
    channel: uuid.UUID,
    messages: Sequence[InboundMessage],
    people: Sequence[uuid.UUID | subjects.IdentityConflict],
) -> list[Kept]:
    """Every message under its End User's key, ordered so that two batches lock in the same order."""
    rows, seal = [], ring.current().seal
    for position, (message, person) in enumerate(zip(messages, people, strict=True)):
        if isinstance(person, uuid.UUID):
            id_ = tenancy.new_id()
            body = seal(message.body.encode(), BODY, person, id_.int)
            token = continuing.external_token(channel, message.external_id)
            rows.append(Kept(position, id_, person, body, token, message.sent_at, tenancy.new_id()))
    return sorted(rows, key=lambda row: (row.end_user_id, row.external_bidx))


def _keep(channel: uuid.UUID, rows: list[Kept], messages: Sequence[InboundMessage]) -> dict[int, Outcome]:
    """Insert what is new and recognize what is repeated.

    What neither went in nor is known lost a race for the open conversation: the other transaction has
    committed, so the next look will see its conversation.
    """
    outcomes: dict[int, Outcome] = {}
    tries = 0
    while rows:
        if (tries := tries + 1) > TRIES:
            raise Contention
        outcomes |= _insert(channel, rows)
        rows = [row for row in rows if row.position not in outcomes]
        if rows:
            outcomes |= _recognize(channel, rows, messages)
            rows = [row for row in rows if row.position not in outcomes]
    return outcomes


def _insert(channel: uuid.UUID, rows: list[Kept]) -> dict[int, Outcome]:
    now = timezone.now()
    parameters: dict[str, Any] = {
        name: list(column) for name, column in zip(Kept._fields, zip(*rows, strict=True), strict=True)
    }
    parameters |= {"organization": tenancy.active().organization_id, "channel": channel, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(KEEP, parameters)
        return {
            position: Receipt(id_, conversation_id, end_user_id, now, True)
            for position, id_, conversation_id, end_user_id in cursor.fetchall()
        }


def _recognize(
    channel: uuid.UUID, rows: list[Kept], messages: Sequence[InboundMessage]
) -> dict[int, Outcome]:
    """Earlier messages with the same external id; the same text from the same sender is a repetition."""
    tokens = [row.external_bidx for row in rows]
    earlier = {
        bytes(message.external_bidx or b""): message
        for message in Message.objects.filter(channel_id=channel, external_bidx__in=tokens)
    }
    outcomes: dict[int, Outcome] = {}
    for row in rows:
        message = earlier.get(row.external_bidx)
        if message is not None:
            same = message.end_user_id == row.end_user_id and message.body == messages[row.position].body
            outcomes[row.position] = _receipt_again(message) if same else ExternalIdReused()
    return outcomes


def _receipt_again(message: Message) -> Receipt:
    return Receipt(message.pk, message.conversation_id, message.end_user_id, message.kept_at, False)


def _account_for(new: list[Receipt], actor: Actor) -> None:
    if not new:
        return
    metering.record(Meter.MESSAGE, len(new))
    if len(new) == 1:
        ids = {"message": new[0].message_id, "conversation": new[0].conversation_id}
        audit.record(Event.MESSAGES_RECEIVED, actor=actor, **ids)
    else:
        audit.record(Event.MESSAGES_RECEIVED, actor=actor, messages=[receipt.message_id for receipt in new])


BODY = Message._meta.get_field("body")

KEEP = f"""
WITH item AS (
    SELECT * FROM unnest(
        %(position)b::int[], %(id)b::uuid[], %(end_user_id)b::uuid[], %(body)b::bytea[],
        %(external_bidx)b::bytea[], %(sent_at)s::timestamptz[], %(new_conversation_id)b::uuid[]
    ) AS item (position, id, end_user_id, body, external_bidx, sent_at, new_conversation_id)
), known AS (
    SELECT id, end_user_id, last_message_at FROM conversations_conversation
    WHERE organization_id = %(organization)s AND channel_id = %(channel)s AND closed_at IS NULL
      AND end_user_id = ANY (%(end_user_id)b::uuid[])
    FOR KEY SHARE
), opened AS (
    INSERT INTO conversations_conversation
        (organization_id, id, end_user_id, channel_id, opened_at, last_message_at, resolution)
    SELECT DISTINCT ON (item.end_user_id) %(organization)s, new_conversation_id, item.end_user_id,
           %(channel)s, %(now)s, %(now)s, ''
    FROM item WHERE item.end_user_id NOT IN (SELECT end_user_id FROM known) AND NOT EXISTS (
        SELECT FROM conversations_message earlier
        WHERE earlier.organization_id = %(organization)s AND earlier.channel_id = %(channel)s
          AND earlier.external_bidx = item.external_bidx
    )
    ORDER BY item.end_user_id
    ON CONFLICT (organization_id, channel_id, end_user_id) WHERE closed_at IS NULL DO NOTHING
    RETURNING id, end_user_id
), place AS (
    SELECT id, end_user_id FROM known UNION ALL SELECT id, end_user_id FROM opened
), kept AS (
    INSERT INTO conversations_message
        (organization_id, conversation_id, id, end_user_id, channel_id, author, body_encrypted,
         external_bidx, sent_at, kept_at, outcome, knowledge_entry_ids)
    SELECT %(organization)s, place.id, item.id, item.end_user_id, %(channel)s, '{Author.END_USER.value}',
           item.body, item.external_bidx, item.sent_at, %(now)s, '', '[]'
    FROM item JOIN place USING (end_user_id)
    ORDER BY item.external_bidx, item.position
    ON CONFLICT (organization_id, channel_id, external_bidx) WHERE external_bidx IS NOT NULL DO NOTHING
    RETURNING id, conversation_id
), promised AS (
    INSERT INTO iva_outbox_promise
        (id, organization_id, work, conversation_id, subject_id, due_at, attempts)
    SELECT id, %(organization)s, '{Work.ANSWER.value}', conversation_id, id, %(now)s, 0 FROM kept
), touched AS (
    UPDATE conversations_conversation SET last_message_at = %(now)s
    WHERE organization_id = %(organization)s AND id IN (
        SELECT conversation.id FROM conversations_conversation conversation
        WHERE conversation.organization_id = %(organization)s
          AND conversation.id IN (
              SELECT known.id FROM kept JOIN known ON known.id = kept.conversation_id
              WHERE known.last_message_at < %(now)s - interval '1 second'
          )
        FOR NO KEY UPDATE SKIP LOCKED
    )
)
SELECT item.position, kept.id, kept.conversation_id, item.end_user_id FROM kept JOIN item USING (id)
"""  # noqa: S608  only our own codes are set in
