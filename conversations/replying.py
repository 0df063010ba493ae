"""Writing to an End User: encrypted under their key, audited, counted."""

import uuid
from collections.abc import Iterable, Sequence

from django.utils import timezone

from billing import metering
from billing.models import Meter
from conversations import live
from conversations.models import Author, Conversation, Message
from iva import metrics
from iva.audit import log as audit
from iva.audit.actors import Actor
from iva.audit.events import Event
from iva.crypto import bulk

TOUCHED = ["last_message_at", "first_response_at", "first_response_by", "waited_for_people"]
"""What a reply changes of its conversation."""


def reply(
    conversation: Conversation,
    body: str,
    *,
    author: Author,
    actor: Actor,
    in_reply_to: uuid.UUID | None = None,
    outcome: str = "",
    knowledge_entry_ids: Sequence[uuid.UUID] = (),
    member_id: uuid.UUID | None = None,
) -> Message:
    """Add a message to a conversation whose row the caller has locked.

    Raises KeyShredded when the End User is being erased, IntegrityError when `in_reply_to` has been
    answered already.
    """
    now = timezone.now()
    message = Message(  # type: ignore[misc]  # an encrypted field is an attribute the plugin does not know
        conversation_id=conversation.pk,
        end_user_id=conversation.end_user_id,
        channel_id=conversation.channel_id,
        author=author,
        body=body,
        kept_at=now,
        in_reply_to=in_reply_to,
        outcome=outcome,
        knowledge_entry_ids=[str(entry_id) for entry_id in knowledge_entry_ids],
        member_id=member_id,
    )
    message.save(force_insert=True)
    conversation.last_message_at = now
    if conversation.first_response_at is None:
        conversation.first_response_at, conversation.first_response_by = now, author
    if author == Author.MEMBER and conversation.waited_for_people is None:
        conversation.waited_for_people = now - (conversation.handed_over_at or conversation.opened_at)
    conversation.save(update_fields=TOUCHED)
    _account_for(message, author, actor)
    live.announce(conversation.pk, message.pk)
    return message


def reveal(messages: Iterable[Message]) -> None:
    """Open the bodies of many messages with one look at the keys."""
    bulk.reveal(list(messages), "body")


def _account_for(message: Message, author: Author, actor: Actor) -> None:
    if author == Author.AGENT:
        metering.record(Meter.ANSWER)
    metrics.MESSAGES.labels(author.value).inc()
    audit.record(
        Event.MESSAGE_ANSWERED,
        actor=actor,
        conversation=message.conversation_id,
        message=message.pk,
        in_reply_to=message.in_reply_to,
        outcome=message.outcome or None,
    )
