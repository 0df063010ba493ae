"""How End Users sound is noted when their organization wants to know, and only then (P10, P27)."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection

from agent import sentiment
from conversations import appraising, handover, instructions
from conversations.models import Author, Conversation, Instruction, Message, Processing
from iva.audit.actors import SYSTEM
from iva.audit.models import AuditEvent
from tests.cast import Party

Work = Callable[[], object]


def instruct(party: Party, *, is_on: bool) -> None:
    with party.tenant():
        instructions.give(Processing.SENTIMENT, is_on=is_on, actor=SYSTEM)


@pytest.fixture
def listening(acme: Party) -> Party:
    """Acme, which wants to know."""
    instruct(acme, is_on=True)
    return acme


def noted(party: Party) -> list[tuple[str, str]]:
    """For each conversation and message of an End User how it sounds, in order."""
    with party.tenant():
        return [
            (message.conversation.sentiment, message.sentiment)
            for message in Message.objects.filter(author=Author.END_USER).order_by("id")
        ]


def test_without_an_instruction_nothing_is_noted(acme: Party, work_is_done: Work) -> None:
    acme.says("Маш муу үйлчилгээ")
    work_is_done()
    assert noted(acme) == [("", "")]


def test_with_one_the_worker_notes_it(listening: Party, work_is_done: Work) -> None:
    listening.says("Маш муу үйлчилгээ")
    assert noted(listening) == [("", "")], "receiving does not wait for it"
    work_is_done()
    assert noted(listening) == [("negative", "negative")]
    with listening.tenant():
        message = Message.objects.get(author=Author.END_USER)
    assert (message.sentiment_model, message.sentiment_score) == (
        sentiment.MODEL,
        sentiment.appraise("Маш муу үйлчилгээ").score,
    )


def test_what_the_agent_says_has_none(listening: Party, work_is_done: Work) -> None:
    listening.says("Баярлалаа")
    work_is_done()
    with listening.tenant():
        assert list(Message.objects.filter(author=Author.AGENT).values_list("sentiment", flat=True)) == [""]


def test_the_conversation_sounds_like_its_last_message(listening: Party, work_is_done: Work) -> None:
    for text in ("Маш муу үйлчилгээ", "Баярлалаа"):
        listening.says(text)
        work_is_done()
    assert noted(listening) == [("positive", "negative"), ("positive", "positive")]


def test_a_message_that_is_noted_late_does_not_speak_over_a_later_one(listening: Party) -> None:
    """Two workers, a burst: the second message is done first."""
    for text in ("Маш муу үйлчилгээ", "Баярлалаа"):
        listening.says(text)
    with listening.tenant():
        messages = list(Message.objects.order_by("-id"))
        for message in messages:
            conversation = Conversation.objects.select_for_update().get(pk=message.conversation_id)
            appraising.note(conversation, message.pk, sentiment.appraise(message.body))
    assert noted(listening) == [("positive", "negative"), ("positive", "positive")]


def test_people_see_it_where_the_agent_is_silent(listening: Party, work_is_done: Work) -> None:
    conversation_id = listening.says("Сайн байна уу").body["conversation_id"]
    work_is_done()
    with listening.tenant():
        handover.hand_over(Conversation.objects.get(pk=conversation_id), actor=SYSTEM)
    listening.says("Хэдэн цаг хүлээх юм бэ, залхаж байна")
    work_is_done()
    assert noted(listening)[-1] == ("negative", "negative")
    with listening.tenant():
        assert Message.objects.count() == 3, "and the agent was silent"


def test_revoking_stops_with_the_next_message(listening: Party, work_is_done: Work) -> None:
    listening.says("Маш муу үйлчилгээ")
    work_is_done()
    instruct(listening, is_on=False)
    listening.says("Баярлалаа")
    work_is_done()
    assert noted(listening) == [("negative", "negative"), ("negative", "")]


def test_an_instruction_is_globexs_own(listening: Party, globex: Party, work_is_done: Work) -> None:
    globex.says("Маш муу үйлчилгээ")
    work_is_done()
    assert noted(globex) == [("", "")]


def test_instructions_are_evidence(listening: Party) -> None:
    instruct(listening, is_on=True)
    instruct(listening, is_on=False)
    with listening.tenant():
        given = list(Instruction.objects.order_by("id").values_list("is_on", flat=True))
        events = AuditEvent.objects.filter(event="instruction.given").order_by("sequence")
        assert [event.ids for event in events] != []
    assert given == [True, False], "saying it twice is saying it once"


@pytest.mark.parametrize(
    "statement",
    ["UPDATE conversations_instruction SET is_on = true", "DELETE FROM conversations_instruction"],
)
def test_nobody_changes_an_instruction_afterwards(
    listening: Party, superuser: psycopg.Connection, statement: str
) -> None:
    with pytest.raises(DatabaseError), listening.tenant(), connection.cursor() as cursor:
        cursor.execute(statement)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        superuser.execute(statement.encode())


def test_the_text_is_nowhere_but_where_it_was(
    listening: Party, work_is_done: Work, superuser: psycopg.Connection
) -> None:
    """What explains it is made from the text when somebody asks, never kept beside it."""
    listening.says("Маш муу үйлчилгээ")
    work_is_done()
    rows: list[Any] = superuser.execute("SELECT * FROM conversations_message").fetchall()
    rows += superuser.execute("SELECT * FROM conversations_conversation").fetchall()
    assert "муу" not in str(rows)
