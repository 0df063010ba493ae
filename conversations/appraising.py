"""Noting how an End User's message sounds (P27): a guess of a machine, on an organization's instruction only.

The worker that answers does it, which has the text open anyway; receiving a message never waits for it.
"""

import uuid

from django.db import connection

from agent import sentiment
from agent.sentiment import Appraisal
from conversations import instructions, replying
from conversations.models import Author, Conversation, Message, Processing
from iva import tenancy


def appraise(message: Message) -> Appraisal | None:
    """How an opened message sounds; None where the organization has not asked to know."""
    if not instructions.demands(Processing.SENTIMENT):
        return None
    return sentiment.appraise(message.body)


def note(conversation: Conversation, message_id: uuid.UUID, appraisal: Appraisal) -> None:
    """Write it on the message and, unless a later one has been noted, on the conversation.

    The caller has locked the conversation's row: messages of a burst are noted by several workers.
    """
    parameters = {
        "organization": tenancy.active().organization_id,
        "conversation": conversation.pk,
        "message": message_id,
        "sentiment": appraisal.sentiment.value,
        "score": appraisal.score,
        "model": sentiment.MODEL,
    }
    with connection.cursor() as cursor:
        cursor.execute(NOTE, parameters)


def appraise_in_hands_of_people(conversation_id: uuid.UUID | None, message_id: uuid.UUID) -> None:
    """The agent stays silent there, but people want to see whom to answer first."""
    if not instructions.demands(Processing.SENTIMENT):
        return
    theirs = Conversation.objects.select_for_update(of=("self",)).filter(
        pk=conversation_id, handed_over_at__isnull=False, end_user__erased_at=None
    )
    conversation = theirs.first()
    message = Message.objects.filter(conversation_id=conversation_id, pk=message_id).first()
    if conversation is not None and message is not None:
        replying.reveal([message])
        note(conversation, message.pk, sentiment.appraise(message.body))


NOTE = f"""
WITH noted AS (
    UPDATE conversations_message
    SET sentiment = %(sentiment)s, sentiment_score = %(score)s, sentiment_model = %(model)s
    WHERE organization_id = %(organization)s AND conversation_id = %(conversation)s AND id = %(message)s
      AND author = '{Author.END_USER.value}'
    RETURNING id
)
UPDATE conversations_conversation SET sentiment = %(sentiment)s
WHERE organization_id = %(organization)s AND id = %(conversation)s AND sentiment <> %(sentiment)s
  AND EXISTS (SELECT FROM noted) AND NOT EXISTS (
      SELECT FROM conversations_message later
      WHERE later.organization_id = %(organization)s AND later.conversation_id = %(conversation)s
        AND later.id > %(message)s AND later.sentiment <> ''
  )
"""  # noqa: S608  only our own code is set in
