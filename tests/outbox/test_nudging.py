"""Waking a worker: once for many messages, never in vain, and never at the cost of the request."""

import threading
import uuid
from collections.abc import Callable

import pytest
import redis

from iva import local
from iva.outbox import draining, nudging, promising
from iva.outbox.models import Promise, Work
from tests.cast import Party
from tests.faults.together import together


class Undecided(Exception):
    """The transaction thinks better of it."""


class AtOnce:
    """Asks in the thread that wants it, so that a test can look right afterwards."""

    def want(self) -> None:
        nudging._ask()


@pytest.fixture
def woken(db: None, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One entry for each time a worker was woken."""
    calls: list[str] = []
    monkeypatch.setattr(nudging, "_wake", [lambda: calls.append("woken")])
    monkeypatch.setattr(nudging, "_quiet_until", 0.0)
    monkeypatch.setattr(nudging, "_asker", AtOnce())
    return calls


def test_one_thread_asks_for_all_and_nobody_waits_for_it(
    db: None, woken: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, go_on, askers = threading.Event(), threading.Event(), set()

    def slowly() -> None:
        askers.add(threading.current_thread())
        asked.set()
        go_on.wait()

    asker = nudging._Asker()
    monkeypatch.setattr(nudging, "_asker", asker)
    monkeypatch.setattr(nudging, "_ask", slowly)
    together([nudging.nudge] * 16)
    assert asked.wait(10)
    asked.clear()
    nudging.nudge()
    go_on.set()
    assert asked.wait(10), "what was wanted meanwhile is asked for afterwards"
    assert len(askers) == 1
    assert threading.current_thread() not in askers


def test_without_a_thread_the_message_is_kept_and_the_next_nudge_tries_again(
    acme: Party, woken: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Event()
    start = threading.Thread.start

    def refused(thread: threading.Thread) -> None:
        if thread.name == "nudging":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(nudging, "_asker", nudging._Asker())
    monkeypatch.setattr(nudging, "_ask", asked.set)
    monkeypatch.setattr(threading.Thread, "start", refused)
    assert acme.says("Сайн байна уу").status == 201
    monkeypatch.setattr(threading.Thread, "start", start)
    assert acme.says("Сайн байна уу").status == 201
    assert asked.wait(10)


def test_many_messages_wake_one_worker_once(woken: list[str]) -> None:
    together([nudging.nudge] * 16)
    assert woken == ["woken"]


def test_once_the_worker_has_begun_to_look_new_work_wakes_another(woken: list[str]) -> None:
    nudging.nudge()
    nudging.begin_looking()
    nudging.nudge()
    assert woken == ["woken", "woken"]


def test_a_nudge_that_nobody_followed_is_forgotten_by_itself(
    woken: list[str], servers: local.Servers
) -> None:
    nudging.nudge()
    remaining = redis.Redis.from_url(servers.redis_url).pttl(nudging.MARK)
    assert 0 < remaining <= nudging.MARK_MILLISECONDS


def test_work_wakes_a_worker_after_the_commit_and_not_before(acme: Party, woken: list[str]) -> None:
    with acme.tenant():
        promising.promise(Work.ANSWER, uuid.uuid4())
        assert woken == []
    assert woken == ["woken"]


def test_work_that_was_rolled_back_wakes_nobody(acme: Party, woken: list[str]) -> None:
    with pytest.raises(Undecided), acme.tenant():
        promising.promise(Work.ANSWER, uuid.uuid4())
        raise Undecided
    assert woken == []


def test_a_full_batch_wakes_a_second_worker(promise: Callable[..., Promise], woken: list[str]) -> None:
    for _ in range(draining.BATCH):
        promise()
    nudging.begin_looking()
    woken.clear()
    draining.drain({Work.ANSWER: lambda item: draining.settle(item.pk) and None})
    assert woken == ["woken"]


def test_without_valkey_a_message_is_kept_and_the_next_ones_do_not_wait_for_it(
    acme: Party, woken: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    class Away:
        def set(self, *_: object, **__: object) -> None:
            asked.append("set")
            raise redis.ConnectionError

        def delete(self, *_: object) -> None:
            raise redis.ConnectionError

    monkeypatch.setattr(nudging, "_client", Away())
    assert [acme.says("Сайн байна уу").status for _ in range(3)] == [201, 201, 201]
    assert asked == ["set"], "after a failure Valkey is left alone for a while"
    assert draining.drain({Work.ANSWER: lambda item: draining.settle(item.pk) and None}) == 3
    assert woken == []


def test_a_broker_that_refuses_the_task_does_not_fail_the_request(
    acme: Party, woken: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise redis.ConnectionError

    monkeypatch.setattr(nudging, "_wake", [refuse])
    assert acme.says("Сайн байна уу").status == 201
    assert Promise.objects.count() == 1
