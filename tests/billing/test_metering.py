"""Use is counted exactly once: not for a repetition, not for a refusal, not for what was rolled back."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from billing import metering
from billing.models import Meter, Usage
from conversations import answering
from conversations.models import Message
from iva import tenancy
from iva.outbox import draining
from iva.outbox.models import Promise
from tests.cast import Party
from tests.faults.together import together


def used(party: Party) -> dict[str, int]:
    """The counters of an organization, all days together."""
    counters: dict[str, int] = {}
    with party.tenant():
        for usage in Usage.objects.all():
            counters[usage.meter] = counters.get(usage.meter, 0) + usage.count
    return counters


def message(external_id: str, text: str = "Сайн уу", phone: str = "99112233") -> dict[str, Any]:
    return {"external_id": external_id, "sender": {"phone": phone}, "text": text}


def test_a_repeated_delivery_is_not_counted_again(acme: Party) -> None:
    for _ in range(3):
        acme.says("Сайн уу", external_id="m-1", phone="99112233")
    assert used(acme) == {"message": 1}


def test_repetitions_within_a_batch_and_across_batches_are_not_counted(acme: Party) -> None:
    batch = [message("m-1"), message("m-2"), message("m-1"), message("m-3", phone="not a phone")]
    for _ in range(2):
        acme.call("POST", "messages/batch/", {"messages": batch})
    acme.call("POST", "messages/", message("m-2"))
    assert used(acme) == {"message": 2}


def test_deliveries_of_one_message_in_the_same_moment_are_counted_once(acme: Party) -> None:
    answers = together([lambda: acme.call("POST", "messages/", message("m-1"))] * 6)
    assert sorted(answer.status for answer in answers) == [200] * 5 + [201]
    assert used(acme) == {"message": 1}


@pytest.mark.parametrize(
    "refused",
    [
        message("m-1", text="another text"),
        message("m-2", phone="x"),
        message("m-3", text=""),
        message("m-4") | {"channel": str(uuid.uuid4())},
    ],
)
def test_what_is_refused_is_not_counted(acme: Party, refused: dict[str, Any]) -> None:
    acme.call("POST", "messages/", message("m-1"))
    assert acme.call("POST", "messages/", refused).status >= 400
    assert used(acme) == {"message": 1}


def test_an_answer_is_counted_once_however_often_its_promise_is_kept(
    acme: Party, work_is_done: Callable[[], object]
) -> None:
    acme.call("POST", "messages/", message("m-1"))
    promise = Promise.objects.get()
    together([lambda: answering.keep_promise(promise)] * 3)
    work_is_done()
    answering.keep_promise(promise)
    with acme.tenant():
        assert Message.objects.filter(author="agent").count() == 1
    assert used(acme) == {"message": 1, "answer": 1}


def test_a_promise_that_fails_after_the_answer_was_made_counts_nothing(
    acme: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme.call("POST", "messages/", message("m-1"))

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(answering, "_act", fail)
    draining.drain({"answer": answering.keep_promise})  # type: ignore[dict-item]
    assert used(acme) == {"message": 1}


def test_what_people_write_is_no_answer_of_the_agent(acme: Party) -> None:
    conversation = acme.call("POST", "messages/", message("m-1")).body["conversation_id"]
    acme.call("PUT", f"conversations/{conversation}/handover/")
    acme.call("POST", f"conversations/{conversation}/messages/", {"text": "Би туслъя"})
    assert used(acme) == {"message": 1}


def test_an_erasure_does_not_make_use_undone(acme: Party) -> None:
    end_user = acme.call("POST", "messages/", message("m-1")).body["end_user_id"]
    acme.call("POST", f"end-users/{end_user}/erasure/", {"ground": "subject_request"})
    assert used(acme) == {"message": 1}


def test_each_organization_has_its_own_counters(acme: Party, globex: Party) -> None:
    acme.call("POST", "messages/", message("m-1"))
    for number in range(2):
        globex.call("POST", "messages/", message(f"m-{number}"))
    assert (used(acme), used(globex)) == ({"message": 1}, {"message": 2})


def test_a_day_in_utc_has_one_row_for_each_meter(acme: Party, monkeypatch: pytest.MonkeyPatch) -> None:
    today = timezone.now()
    for day in (today, today, today + timedelta(days=1)):
        monkeypatch.setattr(timezone, "now", lambda day=day: day)
        with acme.tenant():
            metering.record(Meter.MESSAGE)
            metering.record(Meter.ANSWER, 2)
            metering.record(Meter.MESSAGE, 3)
    with acme.tenant():
        rows = sorted(
            (usage.used_on - today.date(), usage.meter, usage.count) for usage in Usage.objects.all()
        )
    first, second = timedelta(0), timedelta(days=1)
    assert rows == [
        (first, "answer", 4),
        (first, "message", 8),
        (second, "answer", 2),
        (second, "message", 4),
    ]


def test_what_is_rolled_back_was_not_used(acme: Party) -> None:
    with pytest.raises(RuntimeError), acme.tenant():
        metering.record(Meter.MESSAGE)
        raise RuntimeError
    assert used(acme) == {}


def test_counting_in_the_same_moment_loses_nothing(acme: Party, globex: Party) -> None:
    def count(party: Party) -> None:
        for _ in range(5):
            with party.tenant():
                metering.record(Meter.MESSAGE)
                metering.record(Meter.ANSWER)

    together([lambda party=party: count(party) for party in (acme, globex) * 4])
    assert used(acme) == used(globex) == {"message": 20, "answer": 20}


def test_without_an_organization_nothing_is_counted() -> None:
    with pytest.raises(tenancy.NoTenantActive):
        metering.record(Meter.MESSAGE)


def test_counters_say_nothing_about_anybody() -> None:
    fields = {field.name for field in Usage._meta.local_fields}
    assert fields == {"id", "organization_id", "meter", "used_on", "count"}
