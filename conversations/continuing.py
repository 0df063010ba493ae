"""Continuing a conversation: one message of somebody known, into the conversation that is open.

Nearly every message is one of these, so it has a short way of its own: one transaction of two
statements, `LOOK` and `KEEP`. What does not fit (somebody new, a new handle, no open conversation, a repeated
delivery) changes nothing here and is left to the long way in `conversations.receiving`.

Locks are taken in the same order as everywhere: the key, the conversation, the counter, the audit head.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from django.utils import timezone

from billing import metering
from billing.models import Meter
from conversations.models import Author, Message
from iva import tenancy
from iva.audit import log as audit
from iva.audit.actors import Actor
from iva.audit.events import Event
from iva.crypto import blind_index, keys, ring
from iva.outbox.models import Work
from privacy import subjects

if TYPE_CHECKING:
    from conversations.receiving import InboundMessage


class Found(NamedTuple):
    """Where a message belongs."""

    channel: uuid.UUID
    end_user: uuid.UUID
    conversation: uuid.UUID


class Kept(NamedTuple):
    """A message that is durable now."""

    id: uuid.UUID
    conversation_id: uuid.UUID
    end_user_id: uuid.UUID
    kept_at: datetime


def keep(
    organization_id: uuid.UUID, channel_id: uuid.UUID | None, message: InboundMessage, actor: Actor
) -> Kept | None:
    """Keep the message, or None: then nothing has changed. Raises KeyShredded, IdentityRepointed."""
    with tenancy.swift(organization_id) as cursor:
        found = _look(cursor, channel_id, message.sender)
        if found is None:
            return None
        kept = Kept(tenancy.new_id(), found.conversation, found.end_user, timezone.now())
        cursor.execute(KEEP, _parameters(found, kept, message, actor))
        return kept if cursor.fetchone() is not None else None


def _parameters(found: Found, kept: Kept, message: InboundMessage, actor: Actor) -> dict[str, Any]:
    ids = {"message": kept.id, "conversation": kept.conversation_id}
    return {
        **found._asdict(),
        "id": kept.id,
        "body": ring.current().seal(message.body.encode(), BODY, kept.end_user_id, kept.id.int),
        "external_bidx": external_token(found.channel, message.external_id),
        "sent_at": message.sent_at,
        "now": kept.kept_at,
        **metering.counting(Meter.MESSAGE),
        **audit.appending(Event.MESSAGES_RECEIVED, actor=actor, **ids),
    }


def external_token(channel: uuid.UUID, external_id: str) -> bytes:
    """The blind index of the channel's own id of a message, 16 bytes."""
    return blind_index.token("message.external_id", f"{channel}:{external_id}")


def _look(cursor: Any, channel_id: uuid.UUID | None, sender: subjects.Sender) -> Found | None:
    """Where the message belongs, key and conversation held; None unless every handle is one person's."""
    if len(sender.handles) not in LOOK:
        return None
    parameters: dict[str, Any] = {"organization": tenancy.active().organization_id, "channel": channel_id}
    for number, (kind, value) in enumerate(sender.handles):
        parameters |= {f"kind_{number}": kind.value, f"token_{number}": subjects.token_of(kind, value)}
    cursor.execute(LOOK[len(sender.handles)], parameters)
    rows = cursor.fetchall()
    if len(rows) != len(sender.handles) or len({row[1] for row in rows}) != 1:
        return None
    for _, end_user_id, _, _, _, kind, token, binding in rows:
        subjects.refuse_repointed(kind, token, end_user_id, binding)
    channel, end_user_id, conversation_id, key_id, wrapped, *_ = rows[0]
    keys.ciphers([(key_id, end_user_id, wrapped)], held=True)
    return Found(channel, end_user_id, conversation_id)


BODY = Message._meta.get_field("body")

_ASKED = "(identity.kind = %(kind_{0})s AND identity.handle_bidx = %(token_{0})s)"
_LOOK = """
SELECT channel.id, identity.end_user_id, conversation.id, key.id, key.wrapped,
       identity.kind, identity.handle_bidx, identity.binding
FROM privacy_enduseridentity identity
JOIN iva_crypto_datakey key
  ON key.organization_id = %(organization)s AND key.purpose = 'end_user'
 AND key.subject_id = identity.end_user_id
JOIN LATERAL (
    SELECT id FROM channels_cfg_channel WHERE organization_id = %(organization)s AND disabled_at IS NULL
       AND CASE WHEN %(channel)s::uuid IS NULL THEN kind = 'api' ELSE id = %(channel)s::uuid END
    ORDER BY connected_at, id LIMIT 1
) channel ON true
JOIN conversations_conversation conversation
  ON conversation.organization_id = %(organization)s AND conversation.channel_id = channel.id
 AND conversation.end_user_id = identity.end_user_id AND conversation.closed_at IS NULL
WHERE identity.organization_id = %(organization)s AND ({asked})
FOR KEY SHARE OF key, conversation
"""
LOOK = {
    count: _LOOK.replace("{asked}", " OR ".join(_ASKED.format(number) for number in range(count)))
    for count in (1, 2, 3, 4)
}

KEEP = f"""
WITH kept AS (
    INSERT INTO conversations_message
        (organization_id, conversation_id, id, end_user_id, channel_id, author, body_encrypted,
         external_bidx, sent_at, kept_at, outcome, knowledge_entry_ids)
    SELECT %(organization)s, id, %(id)s, %(end_user)s, %(channel)s, '{Author.END_USER.value}',
           %(body)s, %(external_bidx)s, %(sent_at)s, %(now)s, '', '[]'
    FROM conversations_conversation
    WHERE organization_id = %(organization)s AND id = %(conversation)s AND closed_at IS NULL
    ON CONFLICT (organization_id, channel_id, external_bidx) WHERE external_bidx IS NOT NULL DO NOTHING
    RETURNING id
), promised AS (
    INSERT INTO iva_outbox_promise
        (id, organization_id, work, conversation_id, subject_id, due_at, attempts)
    SELECT id, %(organization)s, '{Work.ANSWER.value}', %(conversation)s, id, %(now)s, 0 FROM kept
), touched AS (
    UPDATE conversations_conversation SET last_message_at = %(now)s
    WHERE organization_id = %(organization)s AND id = (
        SELECT id FROM conversations_conversation
        WHERE organization_id = %(organization)s AND id = %(conversation)s
          AND last_message_at < %(now)s - interval '1 second' AND EXISTS (SELECT FROM kept)
        FOR NO KEY UPDATE SKIP LOCKED
    )
), counted AS ({metering.COUNT_KEPT}), {audit.APPEND_COUNTED}
SELECT id FROM kept
"""  # noqa: S608  what is put together is ours
