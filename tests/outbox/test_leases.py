"""Leasing, taking over, trying again and giving up."""

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from iva.outbox import draining, promising
from iva.outbox.models import Promise, Work
from tests.cast import Party
from tests.faults.together import together


class Broken(Exception):
    """The work cannot be done today."""


class Killed(BaseException):
    """The worker is gone in the middle of the work: nothing of it is left to write down anything."""


def settle(promise: Promise) -> None:
    draining.settle(promise.pk)


def fail(promise: Promise) -> None:
    raise Broken


def test_what_is_leased_is_nobody_elses_until_the_lease_ends(
    promise: Callable[..., Promise], leases_end: Callable[[], object]
) -> None:
    promised = promise()
    (first,) = draining.take()
    assert (first.pk, first.work, first.subject_id) == (promised.pk, promised.work, promised.subject_id)
    assert draining.take() == []
    leases_end()
    (second,) = draining.take()
    assert second.pk == first.pk


def test_eight_workers_at_once_never_lease_the_same_promise(promise: Callable[..., Promise]) -> None:
    promised = {promise().pk for _ in range(60)}
    taken = [item.pk for batch in together([lambda: draining.take(10)] * 8) for item in batch]
    assert len(taken) == len(set(taken))
    taken += [item.pk for item in draining.take(60)]
    assert sorted(taken) == sorted(promised)


def test_the_oldest_comes_first_and_the_future_waits(promise: Callable[..., Promise]) -> None:
    later, first, second = promise(), promise(), promise()
    now = timezone.now()
    for item, seconds in ((later, 60), (first, -60), (second, -30)):
        Promise.objects.filter(pk=item.pk).update(due_at=now + timedelta(seconds=seconds))
    assert [item.pk for item in draining.take()] == [first.pk, second.pk]


def test_nobody_waits_behind_the_backlog_of_another_organization(
    promise: Callable[..., Promise], globex: Party
) -> None:
    backlog = [promise() for _ in range(3 * draining.BATCH)]
    with globex.tenant():
        theirs = [promising.promise(Work.ANSWER, uuid.uuid4(), uuid.uuid4()) for _ in range(3)]
    taken = [item.pk for item in draining.take()]
    assert len(taken) == draining.BATCH
    assert {item.pk for item in theirs} <= set(taken)
    assert {item.pk for item in backlog[: draining.BATCH - 3]} <= set(taken), "and the rest in order"
    while batch := draining.take():
        taken += [item.pk for item in batch]
    assert sorted(taken) == sorted(item.pk for item in backlog + theirs)


def test_a_promise_is_settled_once(promise: Callable[..., Promise]) -> None:
    promised = promise()
    assert draining.settle(promised.pk) is True
    assert draining.settle(promised.pk) is False


def test_only_one_of_sixteen_settles(promise: Callable[..., Promise]) -> None:
    promised = promise()
    settled = together([lambda: draining.settle(promised.pk)] * 16)
    assert settled.count(True) == 1


def test_a_promise_goes_with_the_transaction_that_made_it(acme: Party) -> None:
    with pytest.raises(Broken), acme.tenant():
        promising.promise(Work.ANSWER, uuid.uuid4())
        raise Broken
    assert Promise.objects.count() == 0


def test_failures_are_tried_again_after_ever_longer_waits(
    promise: Callable[..., Promise], time_passes: Callable[[], object]
) -> None:
    promised = promise(Work.DISPOSE)
    waits = []
    for _ in range(12):
        time_passes()
        before = timezone.now()
        assert draining.drain({Work.DISPOSE: fail}) == 0
        promised.refresh_from_db()
        waits.append(round((promised.due_at - before).total_seconds()))
        assert promised.leased_until is None
        assert draining.take() == [], "it is not due yet"
    assert waits[:9] == [2, 4, 8, 16, 32, 64, 128, 256, 512]
    assert waits[9:] == [600, 600, 600]


def test_an_answer_is_given_up_in_the_end_and_stays_on_record(
    promise: Callable[..., Promise], time_passes: Callable[[], object]
) -> None:
    promised = promise(Work.ANSWER)
    for _ in range(draining.MOST_ATTEMPTS):
        assert Promise.objects.filter(given_up_at=None).count() == 1
        time_passes()
        draining.drain({Work.ANSWER: fail})
    promised.refresh_from_db()
    assert promised.given_up_at is not None
    time_passes()
    assert draining.take() == []
    assert draining.waiting() == (0, 0.0)


def test_a_disposal_is_never_given_up(
    promise: Callable[..., Promise], time_passes: Callable[[], object]
) -> None:
    promise(Work.DISPOSE)
    for _ in range(draining.MOST_ATTEMPTS + 5):
        time_passes()
        draining.drain({Work.DISPOSE: fail})
    time_passes()
    assert draining.drain({Work.DISPOSE: settle}) == 1
    assert Promise.objects.count() == 0


def test_work_of_an_unknown_kind_does_not_stop_the_rest(promise: Callable[..., Promise]) -> None:
    strange = promise()
    Promise.objects.filter(pk=strange.pk).update(work="from a newer release")
    promise()
    assert draining.drain({Work.ANSWER: settle}) == 1
    assert list(Promise.objects.values_list("pk", flat=True)) == [strange.pk]


def test_everything_that_is_due_is_drained_batch_by_batch(promise: Callable[..., Promise]) -> None:
    for _ in range(2 * draining.BATCH + 1):
        promise()
    assert draining.waiting()[0] == 2 * draining.BATCH + 1
    assert draining.drain({Work.ANSWER: settle}) == 2 * draining.BATCH + 1
    assert Promise.objects.count() == 0


def test_draining_stops_after_so_many_batches(promise: Callable[..., Promise]) -> None:
    for _ in range(2 * draining.BATCH + 1):
        promise()
    assert draining.drain({Work.ANSWER: settle}, most_batches=1) == draining.BATCH
    assert draining.waiting()[0] == draining.BATCH + 1


def test_what_a_dead_worker_had_only_leased_has_not_been_attempted(
    promise: Callable[..., Promise], leases_end: Callable[[], object]
) -> None:
    """Otherwise a few restarts in a row would give conversations away that nobody ever looked at."""
    begun, *waiting = [promise() for _ in range(3)]
    seen: list[tuple[uuid.UUID, int]] = []

    def die(item: Promise) -> None:
        seen.append((item.pk, item.attempts))
        raise Killed

    for _ in range(3):
        with pytest.raises(Killed):
            draining.drain({Work.ANSWER: die})
        leases_end()

    def note(item: Promise) -> None:
        seen.append((item.pk, item.attempts))
        settle(item)

    draining.drain({Work.ANSWER: note})
    assert seen == [
        (begun.pk, 1),
        (begun.pk, 2),
        (begun.pk, 3),
        (begun.pk, 4),
        *((item.pk, 1) for item in waiting),
    ]


def test_work_whose_lease_was_lost_meanwhile_is_left_to_who_took_it_over(
    promise: Callable[..., Promise], leases_end: Callable[[], object]
) -> None:
    """A batch that takes longer than its leases: the slow worker does not do the others' work again."""
    promise()
    promise()
    done: list[uuid.UUID] = []

    def slowly(item: Promise) -> None:
        done.append(item.pk)
        settle(item)
        leases_end()
        draining.drain({Work.ANSWER: lambda other: done.append(other.pk) or settle(other)})

    draining.drain({Work.ANSWER: slowly})
    assert len(done) == len(set(done)) == 2
