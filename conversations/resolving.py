"""Ending conversations: by somebody's word, or because nobody has written for a while."""

from datetime import timedelta

from django.utils import timezone

from agent import drafting
from conversations.models import Author, Conversation, Message, Resolution
from iva.audit import log as audit
from iva.audit.actors import SYSTEM, Actor
from iva.audit.events import Event

IDLE = timedelta(hours=24)
BATCH = 500


class ResolvedOtherwise(Exception):
    """The conversation has ended already, with another resolution."""


def resolve(conversation: Conversation, resolution: Resolution, *, actor: Actor) -> None:
    """End a conversation, once; a later message of the End User opens a new one. Raises ResolvedOtherwise."""
    if conversation.closed_at is not None:
        if conversation.resolution != resolution:
            raise ResolvedOtherwise
        return
    conversation.closed_at = timezone.now()
    conversation.resolution = resolution
    conversation.save(update_fields=["closed_at", "resolution"])
    audit.record(
        Event.CONVERSATION_RESOLVED, actor=actor, conversation=conversation.pk, resolution=resolution
    )


def resolve_idle() -> int:
    """End what has been idle for a day and no person is in charge of; at most 500 at a time.

    Answered when the last reply, courtesies aside, was an answer or a person's; unanswered when it was not;
    abandoned when there was no reply. In doubt a conversation stays open: one in people's hands is theirs to
    end.
    """
    idle = Conversation.objects.select_for_update(skip_locked=True).filter(
        closed_at=None, handed_over_at=None, last_message_at__lt=timezone.now() - IDLE
    )
    conversations = list(idle.order_by("last_message_at")[:BATCH])
    for conversation in conversations:
        resolve(conversation, _how_it_went(conversation), actor=SYSTEM)
    return len(conversations)


def _how_it_went(conversation: Conversation) -> Resolution:
    replies = Message.objects.filter(conversation=conversation).exclude(author=Author.END_USER)
    last = replies.exclude(outcome=drafting.SMALL_TALK).order_by("-id").first()
    if last is None:
        return Resolution.UNANSWERED if replies.exists() else Resolution.ABANDONED
    is_answer = last.author == Author.MEMBER or last.outcome == drafting.ANSWER
    return Resolution.ANSWERED if is_answer else Resolution.UNANSWERED
