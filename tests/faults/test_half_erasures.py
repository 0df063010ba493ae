"""An erasure that is in the ledger while its commit was lost: a crash in the one moment between the two.

The key counts as destroyed from then on, although its row still stands; everything else has to follow.
"""

import uuid
from typing import Any

import pytest

from iva.audit.actors import SYSTEM
from iva.celery import app
from iva.crypto import ledger
from privacy import erasure, replaying
from privacy.grounds import Ground
from retention import holds
from tests.cast import Party
from tests.faults.posting import message


class ConnectionLost(Exception):
    """PostgreSQL died when it was told to commit."""


@pytest.fixture
def half_erased(acme: Party, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The receipt of somebody's message whose erasure reached the ledger and not the database."""
    receipt: dict[str, str] = acme.call("POST", "messages/", message("m-1", 1, "Forget me")).body
    original = ledger.append

    def append_and_die(*line: Any) -> None:
        original(*line)
        raise ConnectionLost

    with monkeypatch.context() as meanwhile, pytest.raises(ConnectionLost), acme.tenant():
        meanwhile.setattr(ledger, "append", append_and_die)
        erasure.erase(uuid.UUID(receipt["end_user_id"]), Ground.SUBJECT_REQUEST, actor=SYSTEM)
    assert replaying.outstanding() == {acme.id: [uuid.UUID(receipt["end_user_id"])]}
    return receipt


def is_gone(party: Party, receipt: dict[str, str]) -> bool:
    looked = party.call("GET", f"conversations/{receipt['conversation_id']}/")
    return looked.status == 404 and replaying.outstanding() == {}


def test_asking_again_finishes_it(acme: Party, half_erased: dict[str, str]) -> None:
    body = {"ground": "subject_request"}
    again = acme.call("POST", f"end-users/{half_erased['end_user_id']}/erasure/", body)
    assert again.status == 200
    assert again.body["disposed_at"] is not None
    assert is_gone(acme, half_erased)


def test_meanwhile_nothing_is_read(acme: Party, half_erased: dict[str, str]) -> None:
    read = acme.call("GET", f"conversations/{half_erased['conversation_id']}/messages/")
    assert (read.status, read.code) == (410, "erased")


def test_meanwhile_who_delivers_is_asked_to_try_again(acme: Party, half_erased: dict[str, str]) -> None:
    alone = acme.call("POST", "messages/", message("m-2", 1))
    in_company = acme.call("POST", "messages/batch/", {"messages": [message("m-3", 1), message("m-4", 2)]})
    assert (alone.status, in_company.status) == (503, 503)
    assert "Retry-After" in alone.headers


def test_the_periodic_work_finishes_it_unasked(acme: Party, half_erased: dict[str, str]) -> None:
    app.autodiscover_tasks(force=True)
    for work in app.conf.beat_schedule.values():
        app.tasks[work["task"]]()
    assert is_gone(acme, half_erased)
    assert acme.client.get("/readyz").status_code == 200
    assert acme.call("POST", "messages/", message("m-2", 1)).body["end_user_id"] != half_erased["end_user_id"]


def test_a_hold_that_came_after_it_does_not_keep_the_platform_from_serving(
    acme: Party, half_erased: dict[str, str]
) -> None:
    """Whatever was held has been unreadable since before the hold, and the key must not come back."""
    with acme.tenant():
        holds.place("2026/17", actor=SYSTEM)
    assert replaying.replay() == 1
    assert is_gone(acme, half_erased)
