"""Keeping the promise of an answer: once, to everything that was asked, and in the end by people."""

import uuid
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from agent import drafting
from conversations import answering, tasks
from conversations.models import Conversation, Message, Resolution
from iva.outbox import draining
from iva.outbox.models import Promise, Work
from tests.cast import Party
from tests.faults import counting
from tests.faults.counting import Tally, tally
from tests.faults.posting import ENTRY, message
from tests.faults.together import together


class VendorAway(Exception):
    """The model does not answer."""


class Killed(BaseException):
    """The worker is gone."""


@pytest.fixture
def knowing(acme: Party) -> Party:
    """Acme, with a knowledge base that answers the question everybody asks."""
    assert acme.call("POST", "knowledge/", ENTRY).status == 201
    return acme


def conversation_of(party: Party, receipt: dict[str, Any]) -> Conversation:
    with party.tenant():
        return Conversation.objects.get(pk=receipt["conversation_id"])


def messages_of(party: Party) -> int:
    with party.tenant():
        return Message.objects.count()


def fail(*_: object) -> drafting.Draft:
    raise VendorAway


def test_two_workers_with_the_same_promise_answer_once(
    knowing: Party, leases_end: Callable[[], object], superuser: psycopg.Connection
) -> None:
    for round_ in range(5):
        receipt = knowing.call("POST", "messages/", message(f"m-{round_}", round_)).body
        first = draining.take()
        leases_end()
        second = draining.take()
        assert [item.pk for item in first] == [item.pk for item in second]

        together([lambda item=item: answering.keep_promise(item) for item in (*first, *second)])

        assert conversation_of(knowing, receipt).first_response_at is not None
        assert messages_of(knowing) == 2 * (round_ + 1)
    assert counting.used(superuser, knowing.id) == {"message": 5, "answer": 5}


def test_a_burst_longer_than_what_the_agent_reads_is_answered_message_by_message(
    knowing: Party, superuser: psycopg.Connection
) -> None:
    burst = [message(f"m-{n}", 1) for n in range(2 * answering.TURNS + 5)]
    receipts = knowing.call("POST", "messages/batch/", {"messages": burst}).body["results"]
    draining.drain(tasks.FULFIL)
    acknowledged = [uuid.UUID(receipt["message_id"]) for receipt in receipts]
    assert tally(superuser, knowing.id, acknowledged) == Tally(len(burst))


def test_after_failing_again_and_again_people_get_the_conversation(
    acme: Party,
    monkeypatch: pytest.MonkeyPatch,
    time_passes: Callable[[], object],
    superuser: psycopg.Connection,
) -> None:
    receipt = acme.says("Сайн байна уу").body
    monkeypatch.setattr(drafting, "draft", fail)
    attempts = 0
    while Promise.objects.exists():
        attempts += 1
        assert attempts <= draining.MOST_ATTEMPTS
        assert conversation_of(acme, receipt).handed_over_at is None
        time_passes()
        draining.drain(tasks.FULFIL)
    assert conversation_of(acme, receipt).handed_over_at is not None
    assert attempts > 2
    assert counting.events(superuser, acme.id)["conversation.handed_over"] == 1
    assert counting.answers(superuser) == 0


def test_a_failure_that_passes_is_forgotten(
    acme: Party, monkeypatch: pytest.MonkeyPatch, time_passes: Callable[[], object]
) -> None:
    receipt = acme.says("Сайн байна уу").body
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(drafting, "draft", fail)
        draining.drain(tasks.FULFIL)
    time_passes()
    draining.drain(tasks.FULFIL)
    conversation = conversation_of(acme, receipt)
    assert (conversation.handed_over_at, messages_of(acme)) == (None, 2)


def test_nothing_is_left_promised_when_the_conversation_ended_while_the_agent_failed(
    acme: Party, monkeypatch: pytest.MonkeyPatch, time_passes: Callable[[], object]
) -> None:
    receipt = acme.says("Сайн байна уу").body
    monkeypatch.setattr(drafting, "draft", fail)
    for _ in range(draining.MOST_ATTEMPTS // 2):
        time_passes()
        draining.drain(tasks.FULFIL)
    ended = {"resolution": Resolution.UNANSWERED}
    assert acme.call("PUT", f"conversations/{receipt['conversation_id']}/resolution/", ended).status == 200
    time_passes()
    draining.drain(tasks.FULFIL)
    assert Promise.objects.count() == 0
    assert conversation_of(acme, receipt).handed_over_at is None


def test_a_message_that_kills_every_worker_goes_to_people_and_takes_nobody_along(
    knowing: Party, leases_end: Callable[[], object], superuser: psycopg.Connection
) -> None:
    receipts = [knowing.call("POST", "messages/", message(f"m-{n}", n)).body for n in range(5)]
    deadly = receipts[2]

    def keep_or_die(promise: Promise) -> None:
        if (
            str(promise.subject_id) == deadly["message_id"]
            and promise.attempts <= draining.MOST_ATTEMPTS // 2
        ):
            raise Killed
        answering.keep_promise(promise)

    for _ in range(2 * draining.MOST_ATTEMPTS):
        try:
            draining.drain({Work.ANSWER: keep_or_die})
        except Killed:
            leases_end()
    assert Promise.objects.count() == 0
    handed_over = [receipt for receipt in receipts if conversation_of(knowing, receipt).handed_over_at]
    assert handed_over == [deadly]
    assert counting.answers(superuser) == 4


def test_a_person_in_charge_is_not_interrupted(acme: Party) -> None:
    receipt = acme.says("Сайн байна уу").body
    assert acme.call("PUT", f"conversations/{receipt['conversation_id']}/handover/").status == 200
    draining.drain(tasks.FULFIL)
    assert (Promise.objects.count(), messages_of(acme)) == (0, 1)


def test_a_person_who_takes_over_while_the_agent_thinks_is_not_interrupted(
    acme: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = acme.says("Сайн байна уу").body
    original = drafting.draft

    def draft_meanwhile(*arguments: Any) -> drafting.Draft:
        assert acme.call("PUT", f"conversations/{receipt['conversation_id']}/handover/").status == 200
        return original(*arguments)

    monkeypatch.setattr(drafting, "draft", draft_meanwhile)
    draining.drain(tasks.FULFIL)
    assert (Promise.objects.count(), messages_of(acme)) == (0, 1)
