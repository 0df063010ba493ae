"""A legal hold that comes while an erasure is going on: it wins, or it waits until it is too late."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from conversations import tasks
from iva.audit.actors import SYSTEM
from iva.outbox import draining
from privacy import erasure
from privacy.grounds import Ground
from retention import holds
from retention.models import LegalHold
from tests.cast import Party
from tests.faults import counting
from tests.faults.running import PATIENCE, eventually
from tests.faults.together import in_a_thread, somebody_waits

MATTER = "2026/17"


@pytest.mark.parametrize("of_everybody", [False, True], ids=["of one person", "of the whole organization"])
def test_no_erasure_is_committed_once_a_hold_is_in_force(
    acme: Party, superuser: psycopg.Connection, of_everybody: bool
) -> None:
    end_user_id = uuid.UUID(acme.says("Remember me").body["end_user_id"])
    erased, commit = threading.Event(), threading.Event()

    def erase() -> None:
        with acme.tenant():
            erasure.erase(end_user_id, Ground.SUBJECT_REQUEST, actor=SYSTEM)
            erased.set()
            commit.wait(PATIENCE)

    def hold() -> None:
        with acme.tenant():
            holds.place(MATTER, actor=SYSTEM, subject_id=None if of_everybody else end_user_id)

    with ThreadPoolExecutor(2) as threads:
        erasing = in_a_thread(threads, erase)
        assert erased.wait(PATIENCE)
        holding = in_a_thread(threads, hold)
        try:
            eventually(lambda: holding.done() or somebody_waits(superuser), "the hold is placed, or waits")
            in_force_before_the_commit = holding.done()
        finally:
            commit.set()

    holding.result()
    was_refused = isinstance(erasing.exception(), holds.LegalHoldInForce)
    assert was_refused or not in_force_before_the_commit


def test_a_hold_stops_the_disposal_of_what_is_left_until_it_is_released(
    acme: Party, superuser: psycopg.Connection
) -> None:
    end_user_id = uuid.UUID(acme.says("Forget me").body["end_user_id"])
    superuser.execute("DELETE FROM iva_outbox_promise")
    with acme.tenant():
        record = erasure.erase(end_user_id, Ground.SUBJECT_REQUEST, actor=SYSTEM)
    with acme.tenant():
        hold = holds.place(MATTER, actor=SYSTEM, subject_id=end_user_id)

    for _ in range(draining.MOST_ATTEMPTS + 2):
        superuser.execute("UPDATE iva_outbox_promise SET due_at = now()")
        draining.drain(tasks.FULFIL)
    assert counting.count(superuser, "conversations_message") == 1
    assert counting.count(superuser, "iva_outbox_promise WHERE given_up_at IS NULL") == 1
    assert acme.call("GET", f"erasures/{record.pk}/").body["disposed_at"] is None

    with acme.tenant():
        holds.release(LegalHold.objects.get(pk=hold.pk), actor=SYSTEM)
    superuser.execute("UPDATE iva_outbox_promise SET due_at = now()")
    draining.drain(tasks.FULFIL)
    assert counting.count(superuser, "conversations_message") == 0
    assert counting.promised(superuser) == 0
    assert acme.call("GET", f"erasures/{record.pk}/").body["disposed_at"] is not None


def test_a_hold_between_the_key_and_the_rows_leaves_the_caller_with_an_honest_answer(
    acme: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = acme.says("Forget me").body
    original = erasure.finish

    def finish_under_a_hold(*arguments: object, **named: object) -> bool:
        with acme.tenant():
            holds.place(MATTER, actor=SYSTEM)
        return original(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(erasure, "finish", finish_under_a_hold)
    body = {"ground": "subject_request"}
    erased = acme.call("POST", f"end-users/{receipt['end_user_id']}/erasure/", body)
    assert (erased.status, erased.body["disposed_at"]) == (202, None)
