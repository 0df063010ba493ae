"""Handing a conversation to people and back to the agent."""

from django.utils import timezone

from conversations import live
from conversations.models import Conversation
from iva.audit import log as audit
from iva.audit.actors import Actor
from iva.audit.events import Event


class ConversationClosed(Exception):
    """The conversation has ended; a new message opens another."""


def hand_over(conversation: Conversation, *, actor: Actor) -> None:
    """Put people in charge; the agent stays silent from now on. Raises ConversationClosed."""
    if conversation.closed_at is not None:
        raise ConversationClosed
    if conversation.handed_over_at is None:
        conversation.handed_over_at = timezone.now()
        conversation.save(update_fields=["handed_over_at"])
        audit.record(Event.CONVERSATION_HANDED_OVER, actor=actor, conversation=conversation.pk)
        live.announce(conversation.pk)


def hand_back(conversation: Conversation, *, actor: Actor) -> None:
    """Put the agent in charge again. Raises ConversationClosed."""
    if conversation.closed_at is not None:
        raise ConversationClosed
    if conversation.handed_over_at is not None:
        conversation.handed_over_at = None
        conversation.save(update_fields=["handed_over_at"])
        audit.record(Event.CONVERSATION_HANDED_BACK, actor=actor, conversation=conversation.pk)
        live.announce(conversation.pk)
