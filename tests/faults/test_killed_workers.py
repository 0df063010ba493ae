"""Workers and beats that die, or never hear: every message is answered, and answered once."""

import uuid
from collections.abc import Collection

import psycopg
import pytest
import redis

from iva import local
from iva.audit import verification
from tests.cast import Party
from tests.faults import counting
from tests.faults.counting import Tally, tally
from tests.faults.house import every_promise_is_kept
from tests.faults.posting import Load, message
from tests.faults.running import Programs, eventually

pytestmark = pytest.mark.slow


def in_the_middle(db: psycopg.Connection) -> None:
    """Wait until a worker is at work: it has answered something since now, and holds leases."""
    before = counting.answers(db)
    eventually(
        lambda: counting.answers(db) > before and counting.leased(db) > 0, "a worker is in the middle of it"
    )


def all_is_answered_once(
    db: psycopg.Connection, party: Party, acknowledged: Collection[uuid.UUID], deliveries: int
) -> None:
    """Wait until nothing is left to do, then count what the database, the bill and the trail say."""
    every_promise_is_kept(db)
    kept = len(acknowledged)
    assert tally(db, party.id, acknowledged) == Tally(kept)
    assert counting.used(db, party.id) == {"message": kept, "answer": kept}
    events = counting.events(db, party.id)
    assert (events["messages.received"], events["message.answered"]) == (deliveries, kept)
    assert counting.handed_over(db) == 0
    assert verification.verify(party.id).is_whole


def test_a_worker_killed_in_the_middle_loses_and_doubles_nothing(
    knowing: Party, programs: Programs, superuser: psycopg.Connection
) -> None:
    address = programs.web()
    programs.beat()
    worker = programs.worker()
    with Load(address, knowing.token) as load:
        for _ in range(2):
            in_the_middle(superuser)
            worker.kill_a_child()
            in_the_middle(superuser)
            worker.kill()
            worker = programs.worker()
        in_the_middle(superuser)
    assert load.undelivered == []
    all_is_answered_once(superuser, knowing, load.acknowledged.values(), len(load.acknowledged))


def post_without_a_nudge(party: Party, servers: local.Servers, wave: str) -> list[uuid.UUID]:
    """A hundred messages are committed, and Valkey forgets that a worker should be woken."""
    posted = party.call(
        "POST", "messages/batch/", {"messages": [message(f"{wave}-{n}", n % 20) for n in range(100)]}
    )
    assert posted.status == 200
    redis.Redis.from_url(servers.redis_url).flushall()
    return [uuid.UUID(receipt["message_id"]) for receipt in posted.body["results"]]


def test_the_sweeper_finds_what_no_worker_was_told_of_though_beats_die_and_double(
    knowing: Party, programs: Programs, superuser: psycopg.Connection, servers: local.Servers
) -> None:
    posted = post_without_a_nudge(knowing, servers, "before anything runs")
    programs.worker()
    beat, second_beat = programs.beat("one"), programs.beat("another")
    in_the_middle(superuser)
    second_beat.kill()
    beat.kill()
    programs.beat("one")

    posted += post_without_a_nudge(knowing, servers, "after the beat was started again")

    all_is_answered_once(superuser, knowing, posted, 2)
