"""Ending conversations: by somebody's word, or because nobody has written for a while."""

import uuid
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from agent import drafting
from conversations import live
from conversations.models import Author, Conversation, Message, Resolution
from iva.audit import log as audit
from iva.audit.actors import SYSTEM, Actor
from iva.audit.events import Event

IDLE = timedelta(hours=24)
BATCH = 500


class ResolvedOtherwise(Exception):
    """The conversation has ended already, with another resolution."""


class AnotherIsOpen(Exception):
    """The End User has an open conversation on this channel; there is one at a time. Carries its id."""

    def __init__(self, conversation_id: uuid.UUID) -> None:
        self.conversation_id = conversation_id
        super().__init__(str(conversation_id))


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
    live.announce(conversation.pk)


def reopen(conversation: Conversation, *, actor: Actor) -> None:
    """Take up an ended conversation again, in people's hands. Raises AnotherIsOpen.

    The agent does not get it: it would be idle for as long as before, and end again by itself.
    """
    if conversation.closed_at is None:
        return
    beside = Conversation.objects.filter(
        end_user_id=conversation.end_user_id, channel_id=conversation.channel_id, closed_at=None
    )
    conversation.closed_at, conversation.resolution = None, ""
    conversation.handed_over_at = timezone.now()
    try:
        with transaction.atomic():
            conversation.save(update_fields=["closed_at", "resolution", "handed_over_at"])
    except IntegrityError:
        raise AnotherIsOpen(beside.get().pk) from None
    audit.record(Event.CONVERSATION_REOPENED, actor=actor, conversation=conversation.pk)
    live.announce(conversation.pk)


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
