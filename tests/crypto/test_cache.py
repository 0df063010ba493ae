"""The cache of unwrapped keys: bounded, short-lived, one maker at a time, never shared with a child."""

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest

from iva.crypto import cache
from iva.crypto.cache import KeyCache

CROWD = 3_000


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(clock: Clock) -> KeyCache[str]:
    return KeyCache(capacity=3, lifetime=lambda: 300, clock=clock)


def never() -> str:
    raise AssertionError("nobody should have to make this key")


def test_a_key_is_made_once_and_then_at_hand(keys: KeyCache[str]) -> None:
    assert keys.get("a", lambda: "A") == "A"
    assert keys.get("a", never) == keys.peek("a") == "A"
    assert keys.peek("b") is None


def test_a_key_lives_no_longer_than_its_lifetime_however_often_it_is_used(
    keys: KeyCache[str], clock: Clock
) -> None:
    keys.get("a", lambda: "A")
    for _ in range(29):
        clock.now += 10
        assert keys.get("a", never) == "A"
    clock.now += 10
    assert keys.peek("a") is None
    assert keys.get("a", lambda: "anew") == "anew"


def test_the_lifetime_counts_from_before_the_key_was_fetched(keys: KeyCache[str], clock: Clock) -> None:
    def slowly() -> str:
        clock.now += 200
        return "A"

    keys.get("a", slowly)
    clock.now += 100
    assert keys.peek("a") is None


def test_the_setting_can_shorten_the_lifetime_but_not_lengthen_it(settings: Any) -> None:
    settings.IVA_KEY_CACHE_SECONDS = 20
    assert cache.seconds() == 20
    settings.IVA_KEY_CACHE_SECONDS = 86_400
    assert cache.seconds() == 300


def test_the_least_recently_used_key_goes_first(keys: KeyCache[str]) -> None:
    for name in "abc":
        keys.get(name, name.upper)
    keys.peek("a")
    keys.get("d", "d".upper)
    assert [keys.peek(name) for name in "abcd"] == ["A", None, "C", "D"]
    assert len(keys) == 3


def test_keys_past_their_lifetime_are_let_go_when_another_arrives(clock: Clock) -> None:
    keys: KeyCache[str] = KeyCache(capacity=100, lifetime=lambda: 300, clock=clock)
    for number in range(50):
        keys.get(number, lambda: "old")
    clock.now += 300
    keys.get("new", lambda: "new")
    assert len(keys) == 1


def test_a_discarded_key_is_gone(keys: KeyCache[str]) -> None:
    keys.get("a", lambda: "A")
    keys.discard("a")
    keys.discard("never was")
    assert keys.peek("a") is None


def crowd(act: Callable[[], Any]) -> list[Any]:
    """Every thread's result or exception, all let go at the same moment."""
    results: list[Any] = []
    gate = threading.Event()

    def one() -> None:
        gate.wait()
        try:
            results.append(act())
        except ValueError as error:
            results.append(error)

    earlier = threading.stack_size(128 * 1024)
    try:
        threads = [threading.Thread(target=one) for _ in range(CROWD)]
        for thread in threads:
            thread.start()
    finally:
        threading.stack_size(earlier)
    gate.set()
    for thread in threads:
        thread.join()
    return results


def test_three_thousand_who_miss_a_key_at_once_cause_one_making(keys: KeyCache[str]) -> None:
    made, arrived = [], threading.Event()

    def make() -> str:
        arrived.wait(0.2)
        made.append(1)
        return "A"

    assert crowd(lambda: keys.get("a", make)) == ["A"] * CROWD
    assert len(made) == 1


def test_a_failure_reaches_everybody_who_waited_and_is_forgotten(keys: KeyCache[str]) -> None:
    together = threading.Barrier(2)

    def fail() -> str:
        together.wait()
        together.wait()
        raise ValueError("the key service is away")

    results: list[Any] = []

    def waiter() -> None:
        try:
            keys.get("a", never)
        except ValueError as error:
            results.append(str(error))

    def maker_of_it() -> None:
        with pytest.raises(ValueError, match="away"):
            keys.get("a", fail)

    maker = threading.Thread(target=maker_of_it)
    maker.start()
    together.wait()
    waiting = threading.Thread(target=waiter)
    waiting.start()
    while not keys._being_made["a"]._condition._waiters:  # type: ignore[attr-defined]
        pass
    together.wait()
    maker.join()
    waiting.join()
    assert results == ["the key service is away"]
    assert keys.get("a", lambda: "back") == "back"


def test_different_keys_are_made_side_by_side(keys: KeyCache[str]) -> None:
    meeting = threading.Barrier(2)

    def make() -> str:
        meeting.wait(timeout=10)
        return "met"

    results: list[str] = []
    threads = [threading.Thread(target=lambda n=name: results.append(keys.get(n, make))) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == ["met", "met"]


def test_a_forked_child_begins_with_no_keys_and_an_open_lock() -> None:
    cache.organization_keys.get("a", object)  # type: ignore[arg-type]
    held = cache.organization_keys._lock
    with held:
        child = os.fork()
        if child == 0:
            signal.alarm(30)
            empty = cache.organization_keys.peek("a") is None
            os._exit(0 if empty else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert cache.organization_keys.peek("a") is not None
