"""Indexes are kept while they are used and current, and never more than fit."""

import uuid

from agent.retrieval import Entry, Index
from agent.shelf import IDLE_SECONDS, Shelf

ACME, GLOBEX, THIRD = uuid.UUID(int=1), uuid.UUID(int=2), uuid.UUID(int=3)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def index_of(entries: int) -> Index:
    return Index(Entry(uuid.UUID(int=i), "t", f"q{i}", (), "a") for i in range(entries))


def test_the_same_version_is_built_once() -> None:
    shelf = Shelf()
    first = shelf.get(ACME, 1, lambda: index_of(1))
    assert shelf.get(ACME, 1, lambda: index_of(1)) is first


def test_another_version_is_built_anew_and_replaces_the_old_one() -> None:
    shelf = Shelf()
    old = shelf.get(ACME, 1, lambda: index_of(1))
    assert shelf.get(ACME, 2, lambda: index_of(2)) is not old
    assert shelf.get(ACME, 1, lambda: index_of(1)) is not old


def test_one_organization_never_gets_another_s_index_even_at_the_same_version() -> None:
    shelf = Shelf()
    assert shelf.get(ACME, 1, lambda: index_of(1)) is not shelf.get(GLOBEX, 1, lambda: index_of(1))


def test_the_least_recently_used_goes_when_the_shelf_is_full() -> None:
    shelf = Shelf(most_entries=4)
    acme, globex = (shelf.get(who, 1, lambda: index_of(2)) for who in (ACME, GLOBEX))
    shelf.get(ACME, 1, lambda: index_of(2))
    shelf.get(THIRD, 1, lambda: index_of(2))
    assert shelf.get(ACME, 1, lambda: index_of(2)) is acme
    assert shelf.get(GLOBEX, 1, lambda: index_of(2)) is not globex


def test_an_index_larger_than_the_shelf_is_still_used() -> None:
    shelf = Shelf(most_entries=1)
    assert len(shelf.get(ACME, 1, lambda: index_of(3))) == 3


def test_what_nobody_asks_for_is_dropped() -> None:
    clock = Clock()
    shelf = Shelf(clock=clock)
    acme = shelf.get(ACME, 1, lambda: index_of(1))
    globex = shelf.get(GLOBEX, 1, lambda: index_of(1))
    clock.now = IDLE_SECONDS - 1
    assert shelf.get(GLOBEX, 1, lambda: index_of(1)) is globex
    clock.now = IDLE_SECONDS + 1
    assert shelf.get(GLOBEX, 1, lambda: index_of(1)) is globex
    assert shelf.get(ACME, 1, lambda: index_of(1)) is not acme
