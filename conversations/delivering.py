"""What became of a message to the End User, from our hands to theirs.

    queued      it is kept here, and its channel has not taken it yet
    sent        the channel has taken it: what happens beyond is not ours to know
    delivered   the channel says that it reached the End User
    failed      the channel says that it cannot deliver it

The API channel takes a message when an API key reads it (`GET …/messages/`); the integrator's own system
brings it to the End User and tells us nothing, so there a message stays "sent". An adapter that hears more
calls `confirm` and `fail`.
"""

import uuid
from collections.abc import Iterable

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conversations import live
from conversations.models import Author, Message


class Delivery(models.TextChoices):
    """The state of a message to an End User."""

    QUEUED = "queued", _("Queued")
    SENT = "sent", _("Sent")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Not delivered")


def state_of(message: Message) -> Delivery | None:
    """None for what the End User wrote. The last word counts: delivered after a failure is delivered."""
    if message.author == Author.END_USER:
        return None
    if message.delivered_at is not None:
        return Delivery.DELIVERED
    if message.failed_at is not None:
        return Delivery.FAILED
    return Delivery.SENT if message.taken_at is not None else Delivery.QUEUED


def take(messages: Iterable[Message]) -> None:
    """The channel has taken these; the first time counts."""
    now = timezone.now()
    waiting = [m for m in messages if m.author != Author.END_USER and m.taken_at is None]
    if not waiting:
        return
    _of_one_conversation(waiting).filter(taken_at=None).update(taken_at=now)
    for message in waiting:
        message.taken_at = now
    live.announce(waiting[0].conversation_id)


def confirm(message: Message) -> None:
    """The channel says that the message reached the End User; the first time counts."""
    _of_one_conversation([message]).filter(delivered_at=None).update(delivered_at=timezone.now())
    live.announce(message.conversation_id)


def fail(message: Message, failure: str) -> None:
    """The channel says that it cannot deliver the message, with a code for why; not once it was delivered."""
    _of_one_conversation([message]).filter(delivered_at=None, failed_at=None).update(
        failed_at=timezone.now(), failure=failure
    )
    live.announce(message.conversation_id)


def _of_one_conversation(messages: list[Message]) -> models.QuerySet[Message]:
    """Found by the primary key in the database, which leads over the conversation."""
    ids: list[uuid.UUID] = [message.pk for message in messages]
    return Message.objects.filter(conversation_id=messages[0].conversation_id, pk__in=ids)
