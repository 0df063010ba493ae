"""The short way of a message: it leaves what the long way leaves, or nothing at all."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection
from psycopg.rows import dict_row

from billing.models import Usage
from conversations import continuing, resolving
from conversations.models import Conversation, Message, Resolution
from iva import tenancy
from iva.audit import verification
from iva.audit.actors import SYSTEM
from iva.audit.models import AuditEvent
from iva.outbox.models import Promise
from privacy import erasure
from privacy.grounds import Ground
from tests.cast import Party
from tests.faults.together import together

BAT = {
    "phone": "99112233",
    "email": "bat@example.com",
    "messenger_id": "psid-7",
    "customer_number": "AC-100",
}
TOLD_BY_TIME_OR_CHANCE = {"id", "kept_at", "body_encrypted", "external_bidx", "conversation_id"}


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each single message, whether the short way led to the end."""
    taken: list[bool] = []
    keep = continuing.keep

    def watched(*arguments: Any) -> continuing.Kept | None:
        kept = keep(*arguments)
        taken.append(kept is not None)
        return kept

    monkeypatch.setattr(continuing, "keep", watched)
    return taken


def rows(db: psycopg.Connection) -> list[dict[str, Any]]:
    with db.cursor(row_factory=dict_row) as cursor:
        return cursor.execute("SELECT * FROM conversations_message ORDER BY id").fetchall()


@pytest.mark.parametrize("handles", range(1, 5))
def test_both_ways_leave_the_same(
    acme: Party,
    superuser: psycopg.Connection,
    ways: list[bool],
    monkeypatch: pytest.MonkeyPatch,
    handles: int,
) -> None:
    sender = dict(list(BAT.items())[:handles])
    first = acme.says("Эхнийх", **BAT).body
    short = acme.says("Дараагийнх", **sender).body
    assert ways == [False, True]
    monkeypatch.setattr(continuing, "keep", lambda *_: None)
    long = acme.says("Дараагийнх", **sender).body
    for receipt in (short, long):
        assert receipt["is_new"]
        assert receipt["conversation_id"] == first["conversation_id"]
        assert receipt["end_user_id"] == first["end_user_id"]
    _, by_short, by_long = kept = rows(superuser)
    assert {name for name in by_short if by_short[name] != by_long[name]} <= TOLD_BY_TIME_OR_CHANCE
    with acme.tenant():
        assert [message.body for message in Message.objects.order_by("id")][1:] == ["Дараагийнх"] * 2
        assert Promise.objects.count() == 3
        assert sum(usage.count for usage in Usage.objects.all()) == 3
        received = AuditEvent.objects.filter(event="messages.received").order_by("sequence")
        for row, event in zip(kept, received, strict=True):
            assert f'"message":"{row["id"]}"' in event.ids
    assert verification.verify(acme.id).is_whole


def test_a_repeated_delivery_changes_nothing(acme: Party, ways: list[bool]) -> None:
    acme.says("Эхнийх")
    kept = acme.says("Дараагийнх", external_id="m-2").body
    again = acme.says("Дараагийнх", external_id="m-2")
    assert (again.status, again.body) == (200, kept | {"is_new": False})
    other = acme.says("Өөр", external_id="m-2")
    assert (other.status, other.code) == (409, "external_id_reused")
    assert ways == [False, True, False, False]
    with acme.tenant():
        assert (Message.objects.count(), Promise.objects.count(), Usage.objects.get().count) == (2, 2, 2)


def test_a_conversation_that_ends_in_between_is_not_continued(
    acme: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = acme.says("Эхнийх").body
    look = continuing._look

    def end() -> None:
        with acme.tenant():
            for conversation in Conversation.objects.filter(closed_at=None):
                resolving.resolve(conversation, Resolution.ANSWERED, actor=SYSTEM)

    def overtaken(*arguments: Any) -> Any:
        found = look(*arguments)
        together([end])
        return found

    monkeypatch.setattr(continuing, "_look", overtaken)
    second = acme.says("Дараагийнх").body
    assert second["conversation_id"] != first["conversation_id"]
    with acme.tenant():
        assert Message.objects.filter(conversation=first["conversation_id"]).count() == 1


@pytest.mark.parametrize("sender", [{"phone": "88776655"}, BAT | {"phone": "88776655"}])
def test_somebody_or_something_new_takes_the_long_way(
    acme: Party, ways: list[bool], sender: dict[str, str]
) -> None:
    acme.says("Эхнийх", **{kind: value for kind, value in BAT.items() if kind != "phone"})
    assert acme.says("Дараагийнх", **sender).body["is_new"]
    assert ways == [False, False]


def test_handles_of_two_people_are_a_conflict(acme: Party, ways: list[bool]) -> None:
    acme.says("Би Бат", phone="99112233")
    acme.says("Би Сараа", email="saraa@example.com")
    conflict = acme.says("Би хэн бэ?", phone="99112233", email="saraa@example.com")
    assert (conflict.status, conflict.code) == (409, "identity_conflict")
    assert ways[-1] is False


def test_who_was_erased_is_met_anew(acme: Party, ways: list[bool]) -> None:
    first = acme.says("Эхнийх").body
    with acme.tenant():
        erasure.erase(first["end_user_id"], Ground.SUBJECT_REQUEST, actor=SYSTEM)
    again = acme.says("Дараагийнх")
    assert again.status == 201
    assert again.body["end_user_id"] != first["end_user_id"]
    assert ways == [False, False]


def test_a_disabled_channel_receives_nothing(acme: Party) -> None:
    acme.says("Эхнийх")
    with acme.tenant():
        acme.channel.__class__.objects.update(disabled_at="2026-01-01T00:00:00Z")
    assert acme.says("Дараагийнх").code == "channel_not_found"


def test_a_stranger_with_the_same_number_is_somebody_else(acme: Party, globex: Party) -> None:
    ours = acme.says("Манайх").body
    theirs = globex.says("Танайх").body
    assert globex.says("Танайх дахин").body["end_user_id"] == theirs["end_user_id"] != ours["end_user_id"]


def test_a_failure_at_the_end_leaves_nothing(
    acme: Party, superuser: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme.says("Эхнийх")
    before = rows(superuser)
    monkeypatch.setattr(continuing, "KEEP", continuing.KEEP + "WHERE 1 / (SELECT 0 FROM kept) = 1")
    refused = acme.says("Дараагийнх")
    assert (refused.status, refused.code) == (500, "internal_error")
    assert rows(superuser) == before
    with acme.tenant():
        assert Promise.objects.count() == Usage.objects.get().count == 1
    monkeypatch.undo()
    assert acme.says("Дараагийнх").status == 201
    assert verification.verify(acme.id).is_whole


def test_a_swift_transaction_is_the_outermost_and_ends_with_its_block(acme: Party, globex: Party) -> None:
    with acme.tenant(), pytest.raises(tenancy.AnotherTenantActive), tenancy.swift(acme.id):
        raise AssertionError("unreachable")
    counting = "SELECT count(*) FROM channels_cfg_channel"
    with tenancy.swift(acme.id) as cursor:
        assert cursor.execute(counting).fetchone() == (1,)
        with pytest.raises(tenancy.AnotherTenantActive), tenancy.swift(globex.id):
            raise AssertionError("unreachable")
        with pytest.raises(tenancy.AnotherTenantActive), globex.tenant():
            raise AssertionError("unreachable")
    assert tenancy.current() is None
    with connection.cursor() as bare:
        bare.execute(counting)
        assert bare.fetchone() == (0,)


def test_a_swift_transaction_that_fails_rolls_back_and_the_connection_lives_on(
    acme: Party, work_is_done: Callable[[], object]
) -> None:
    with pytest.raises(DatabaseError), tenancy.swift(acme.id) as cursor:
        cursor.execute("UPDATE channels_cfg_channel SET disabled_at = now()")
        cursor.execute("SELECT 1 / 0")
    assert tenancy.current() is None
    with acme.tenant():
        acme.channel.refresh_from_db()
    assert acme.channel.disabled_at is None
    assert acme.says("Сайн байна уу").status == 201
