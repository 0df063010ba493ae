"""Answering a message: look, draft outside any transaction, reply or hand over (P33).

Safe to repeat and to run twice at once: the promise is deleted and the reply inserted in the same
transaction, and a message can be replied to only once.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.db import IntegrityError

from agent import drafting, knowledge
from agent.sentiment import Appraisal
from conversations import appraising, handover, replying
from conversations.models import Author, Conversation, Message
from iva import metrics, tenancy
from iva.audit.actors import AGENT
from iva.outbox.draining import MOST_ATTEMPTS, settle
from iva.outbox.models import Promise

TURNS = 20


@dataclass(frozen=True)
class Question:
    """What the agent needs to know to draft: copied out, so that no transaction stays open meanwhile."""

    conversation_id: uuid.UUID
    message_id: uuid.UUID
    turns: list[drafting.Turn]
    index: Callable[[], knowledge.Index]
    appraisal: Appraisal | None


def keep_promise(promise: Promise) -> None:
    """Answer the promised message, or find that there is nothing to answer any more."""
    organization_id = promise.organization_id
    if promise.attempts > MOST_ATTEMPTS // 2:
        _give_to_people(promise)
        return
    with tenancy.tenant(organization_id):
        question = _look(promise)
        if question is None:
            if settle(promise.pk):
                appraising.appraise_in_hands_of_people(promise.conversation_id, promise.subject_id)
            return
    draft = drafting.draft(question.turns, question.index())
    try:
        with tenancy.tenant(organization_id):
            if settle(promise.pk):
                _act(question, draft)
    except IntegrityError:
        with tenancy.tenant(organization_id):
            settle(promise.pk)


def _look(promise: Promise) -> Question | None:
    """None where the End User was erased, a person is in charge, or the message was answered."""
    conversation = Conversation.objects.filter(pk=promise.conversation_id).select_related("end_user").first()
    if conversation is None or conversation.end_user.erased_at or conversation.closed_at:
        return None
    if conversation.handed_over_at is not None:
        return None
    asked = list(
        Message.objects.filter(conversation=conversation, pk__lte=promise.subject_id).order_by("-id")[:TURNS]
    )[::-1]
    if not asked or asked[-1].pk != promise.subject_id:
        return None
    if Message.objects.filter(in_reply_to=promise.subject_id).exists():
        return None
    replying.reveal(asked)
    turns = [_turn(message) for message in asked]
    appraisal = appraising.appraise(asked[-1])
    return Question(conversation.pk, promise.subject_id, turns, knowledge.find_index(), appraisal)


def _turn(message: Message) -> drafting.Turn:
    return drafting.Turn(author=message.author, text=message.body, outcome=message.outcome)


def _act(question: Question, draft: drafting.Draft) -> None:
    conversation = Conversation.objects.select_for_update().get(pk=question.conversation_id)
    if question.appraisal is not None:
        appraising.note(conversation, question.message_id, question.appraisal)
    if conversation.closed_at or conversation.handed_over_at:
        return
    replying.reply(
        conversation,
        draft.text,
        author=Author.AGENT,
        actor=AGENT,
        in_reply_to=question.message_id,
        outcome=draft.kind,
        knowledge_entry_ids=draft.entry_ids,
    )
    if draft.kind == drafting.HANDOVER:
        handover.hand_over(conversation, actor=AGENT)
    metrics.ANSWERS.labels(draft.kind).inc()


def _give_to_people(promise: Promise) -> None:
    """The agent failed again and again: silence is not an answer, so people get the conversation."""
    with tenancy.tenant(promise.organization_id):
        conversation = Conversation.objects.select_for_update().filter(pk=promise.conversation_id).first()
        if conversation is not None and not (conversation.handed_over_at or conversation.closed_at):
            handover.hand_over(conversation, actor=AGENT)
        settle(promise.pk)
    metrics.ANSWERS.labels("given_up").inc()
