"""Conversations as a history made them, without waiting for it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from conversations import counting
from conversations.models import Conversation
from tests.cast import Party

ULAANBAATAR = ZoneInfo("Asia/Ulaanbaatar")
NOON = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)
"""Noon of the tenth of March in Ulaanbaatar."""

Begin = Callable[..., Conversation]


@pytest.fixture
def begin(acme: Party) -> Begin:
    """A conversation of somebody new with Acme that began at a moment, with whatever else is said of it."""
    numbers = iter(range(61_000_000, 62_000_000))

    def begin_one(opened_at: datetime = NOON, **facts: Any) -> Conversation:
        receipt = acme.says("Сайн байна уу", phone=f"+976{next(numbers)}").body
        with acme.tenant():
            found = Conversation.objects.filter(pk=receipt["conversation_id"])
            found.update(
                opened_at=opened_at, last_message_at=facts.pop("last_message_at", opened_at), **facts
            )
            return found.get()

    return begin_one


@pytest.fixture
def change(acme: Party) -> Callable[..., None]:
    """Something happens to a conversation."""

    def change_one(conversation: Conversation, **facts: Any) -> None:
        with acme.tenant():
            Conversation.objects.filter(pk=conversation.pk).update(**facts)

    return change_one


def counted(party: Party) -> int:
    """Count everything, as the worker does."""
    total = 0
    while True:
        with party.tenant():
            number = counting.count(ULAANBAATAR)
        total += number
        if number < counting.BATCH:
            return total


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)
