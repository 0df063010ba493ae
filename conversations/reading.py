"""Reading conversations and messages, page by page, with a trace of who read whom."""

import uuid
from datetime import datetime

from django.db.models import Q, QuerySet

from conversations import replying
from conversations.models import Conversation, Message, State
from iva.audit import log as audit
from iva.audit.actors import Actor
from iva.audit.events import Event


class NoSuchConversation(LookupError):
    """The organization has no such conversation, or its End User was erased."""


Position = tuple[datetime, uuid.UUID]


def inbox(
    *,
    state: State | None = None,
    channel_id: uuid.UUID | None = None,
    end_user_id: uuid.UUID | None = None,
    before: Position | None = None,
    limit: int,
) -> list[Conversation]:
    """Conversations, the most recently active first, from a position on (keyset, never an offset)."""
    found = _in_state(living(), state)
    if channel_id is not None:
        found = found.filter(channel_id=channel_id)
    if end_user_id is not None:
        found = found.filter(end_user_id=end_user_id)
    if before is not None:
        moment, last_id = before
        found = found.filter(
            Q(last_message_at__lte=moment) & (Q(last_message_at__lt=moment) | Q(id__lt=last_id))
        )
    return list(found.order_by("-last_message_at", "-id")[:limit])


def get(conversation_id: uuid.UUID) -> Conversation:
    """One conversation. Raises NoSuchConversation."""
    conversation = living().filter(pk=conversation_id).first()
    if conversation is None:
        raise NoSuchConversation
    return conversation


def get_for_update(conversation_id: uuid.UUID, *, alone: bool = True) -> Conversation:
    """One conversation, locked until the transaction ends. Raises NoSuchConversation.

    Not `alone`: against other members, while messages of the End User go on coming in.
    """
    locked = living().select_for_update(of=("self",), no_key=not alone)
    conversation = locked.filter(pk=conversation_id).first()
    if conversation is None:
        raise NoSuchConversation
    return conversation


def messages(
    conversation: Conversation, *, actor: Actor, before: uuid.UUID | None = None, limit: int
) -> list[Message]:
    """The newest messages first, opened; the reading is audited."""
    found = Message.objects.filter(conversation=conversation)
    if before is not None:
        found = found.filter(id__lt=before)
    page = list(found.order_by("-id")[:limit])
    replying.reveal(page)
    audit.record(
        Event.CONVERSATION_READ,
        actor=actor,
        conversation=conversation.pk,
        end_user=conversation.end_user_id,
        messages=len(page),
    )
    return page


def living() -> QuerySet[Conversation]:
    """Conversations of people who have not been erased: their rows may still be waiting for disposal."""
    return Conversation.objects.filter(end_user__erased_at=None)


def _in_state(found: QuerySet[Conversation], state: State | None) -> QuerySet[Conversation]:
    match state:
        case State.RESOLVED:
            return found.filter(closed_at__isnull=False)
        case State.OPEN:
            return found.filter(closed_at=None, handed_over_at=None)
        case State.HANDED_OVER:
            return found.filter(closed_at=None, handed_over_at__isnull=False)
    return found
