"""Acme at work: Bat has written, Saraa supervises, Tuya answers, Nomin audits."""

import uuid
from collections.abc import Callable

import pytest

from accounts.people import Acting
from accounts.roles import Role
from conversations import reading
from conversations.models import Conversation
from tests.cast import Party
from tests.conftest import Hire

Opened = Callable[..., Conversation]


@pytest.fixture
def tuya(acme: Party, hire: Hire) -> Acting:
    """A support agent of Acme's."""
    return hire(acme, "Tuya", Role.SUPPORT_AGENT)


@pytest.fixture
def nomin(acme: Party, hire: Hire) -> Acting:
    """Acme's auditor."""
    return hire(acme, "Nomin", Role.AUDITOR)


@pytest.fixture
def bats(acme: Party) -> uuid.UUID:
    """A conversation that Bat has just opened."""
    return uuid.UUID(acme.says("Картаа гээчихлээ", name="Бат", phone="99112233").body["conversation_id"])


def held(conversation_id: uuid.UUID) -> Conversation:
    """The conversation, locked, as the doors hand it to the rooms; inside `tenant()`."""
    return reading.get_for_update(conversation_id)
