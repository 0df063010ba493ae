"""Erasing while others post, answer, read, reply or erase: gone is gone, and nobody is told of an error."""

import uuid
from collections.abc import Callable

import psycopg
import pytest
from django.test import Client

from agent import drafting
from conversations import replying, tasks
from conversations.models import Message
from iva.audit import verification
from iva.audit.actors import SYSTEM
from iva.outbox import draining
from privacy import erasure
from privacy.grounds import Ground
from tests.cast import Answer, Party, parsed
from tests.faults import counting
from tests.faults.posting import message
from tests.faults.together import together

GROUND = {"ground": "subject_request"}
OUTLIVES_THE_ERASURE = {"iva_audit_auditevent", "iva_crypto_shreddedkey", "privacy_erasurerecord"}
ERASED = (200, 202)


def calling(party: Party, method: str, path: str, body: object = None) -> Callable[[], Answer]:
    """A call to be made; each has a client of its own."""
    client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {party.token}"})
    content = {} if body is None else {"data": body, "content_type": "application/json"}
    return lambda: parsed(getattr(client, method.lower())(f"/api/v1/{path}", **content))


def erasing(party: Party, end_user_id: str) -> Callable[[], Answer]:
    return calling(party, "POST", f"end-users/{end_user_id}/erasure/", GROUND)


def traces_of(id_: str, db: psycopg.Connection) -> set[str]:
    """The tables in which this id still stands, in whatever column."""
    tables = db.execute(
        "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE nspname = 'public' AND relkind IN ('r', 'p') AND NOT relispartition"
    ).fetchall()
    return {table for (table,) in tables if counting.count(db, f"\"{table}\" t WHERE t::text LIKE '%{id_}%'")}


def everything_is_done(db: psycopg.Connection) -> None:
    """Keep every promise, without waiting for those that failed and shall be tried again later."""
    for _ in range(10):
        if not counting.promised(db):
            return
        db.execute("UPDATE iva_outbox_promise SET due_at = now(), leased_until = NULL")
        draining.drain(tasks.FULFIL)
    assert counting.promised(db) == 0


def texts_of(party: Party) -> dict[uuid.UUID, str]:
    """Every message there is, opened. Raises if there is one that nobody can open."""
    with party.tenant():
        return {message.pk: message.body for message in Message.objects.filter(author="end_user")}


@pytest.mark.parametrize("round_", range(4))
def test_who_posts_during_their_erasure_is_erased_or_somebody_new(
    acme: Party, superuser: psycopg.Connection, round_: int
) -> None:
    before = acme.says("I was here before", phone="99000001").body["end_user_id"]
    posts = [
        calling(acme, "POST", "messages/", message(f"m-{n}", 1, f"said at about the time of it {n}"))
        for n in range(12)
    ]

    *posted, erased = together([*posts, erasing(acme, before)])
    everything_is_done(superuser)

    assert erased.status in ERASED
    assert {answer.status for answer in posted} == {201}
    assert traces_of(before, superuser) == OUTLIVES_THE_ERASURE
    new = {answer.body["end_user_id"] for answer in posted} - {before}
    assert len(new) <= 1
    kept = {
        uuid.UUID(answer.body["message_id"]): f"said at about the time of it {n}"
        for n, answer in enumerate(posted)
        if answer.body["end_user_id"] != before
    }
    assert texts_of(acme) == kept
    after = acme.says("I am back", phone="99000001")
    assert after.status == 201
    assert after.body["end_user_id"] != before
    assert verification.verify(acme.id).is_whole


def test_batches_with_somebody_who_is_being_erased_keep_what_the_others_said(
    acme: Party, superuser: psycopg.Connection
) -> None:
    people = [acme.says("I was here before", phone=f"99{n:06d}").body["end_user_id"] for n in range(10)]
    batches = [
        {"messages": [message(f"{writer}-{n}", n, f"{writer} of {n}") for n in range(10)]}
        for writer in range(4)
    ]
    posts = [calling(acme, "POST", "messages/batch/", batch) for batch in batches]

    *posted, first, second = together([*posts, erasing(acme, people[3]), erasing(acme, people[7])])
    everything_is_done(superuser)

    assert {first.status, second.status} <= set(ERASED)
    assert {answer.status for answer in posted} == {200}
    receipts = [receipt for answer in posted for receipt in answer.body["results"]]
    assert [receipt for receipt in receipts if "message_id" not in receipt] == []
    gone = {people[3], people[7]}
    surviving = {
        uuid.UUID(receipt["message_id"]) for receipt in receipts if receipt["end_user_id"] not in gone
    }
    assert surviving <= texts_of(acme).keys()
    assert len(texts_of(acme)) == len(surviving) + 8
    for id_ in gone:
        assert traces_of(id_, superuser) == OUTLIVES_THE_ERASURE


def test_eight_erasures_of_one_person_at_once_are_one(acme: Party, superuser: psycopg.Connection) -> None:
    end_user_id = acme.says("Forget me", phone="99000001").body["end_user_id"]

    answers = together([erasing(acme, end_user_id)] * 8)
    everything_is_done(superuser)

    assert {answer.status for answer in answers} <= set(ERASED)
    assert len({answer.body["id"] for answer in answers}) == 1
    assert counting.count(superuser, "privacy_erasurerecord") == 1
    events = counting.events(superuser, acme.id)
    assert (events["end_user.erased"], events["end_user.disposed"], events["key.shredded"]) == (1, 1, 1)
    record = acme.call("GET", f"erasures/{answers[0].body['id']}/").body
    assert record["disposed_rows"] == {
        "conversations_message": 1,
        "conversations_conversation": 1,
        "privacy_enduser": 1,
        "privacy_enduseridentity": 1,
    }


def test_answering_and_erasing_at_once_leaves_nothing_and_gives_up_nothing(
    acme: Party, superuser: psycopg.Connection
) -> None:
    for n in range(40):
        acme.call("POST", "messages/", message(f"m-{n}", n % 20, "Сайн байна уу"))
    people = [
        str(id_) for (id_,) in superuser.execute("SELECT id FROM privacy_enduser ORDER BY id").fetchall()
    ]

    def erase_some(some: list[str]) -> list[int]:
        return [erasing(acme, end_user_id)().status for end_user_id in some]

    def answer() -> list[int]:
        draining.drain(tasks.FULFIL)
        return []

    statuses = together([answer, answer, *(lambda n=n: erase_some(people[n::4]) for n in range(4))])
    everything_is_done(superuser)

    assert {status for some in statuses for status in some} <= set(ERASED)
    for id_ in people:
        assert traces_of(id_, superuser) == OUTLIVES_THE_ERASURE
    for table in ("conversations_message", "conversations_conversation", "privacy_enduser"):
        assert counting.count(superuser, table) == 0, table
    events = counting.events(superuser, acme.id)
    assert events["end_user.erased"] == 20
    assert events["conversation.handed_over"] == 0
    assert verification.verify(acme.id).is_whole


def erase_just_before(
    monkeypatch: pytest.MonkeyPatch, room: object, verb: str, party: Party, end_user_id: str
) -> None:
    """Let the key die in the moment before the verb, beside the transaction that is about to use it."""
    original = getattr(room, verb)

    def erase() -> None:
        with party.tenant():
            erasure.erase(uuid.UUID(end_user_id), Ground.SUBJECT_REQUEST, actor=SYSTEM)

    def verb_after_the_erasure(*arguments: object, **named: object) -> object:
        together([erase])
        return original(*arguments, **named)

    monkeypatch.setattr(room, verb, verb_after_the_erasure)


def test_who_reads_in_the_moment_of_the_erasure_finds_nothing(
    acme: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = acme.says("Forget me").body
    erase_just_before(monkeypatch, replying, "reveal", acme, receipt["end_user_id"])
    read = acme.call("GET", f"conversations/{receipt['conversation_id']}/messages/")
    assert (read.status, read.code) == (410, "erased")


def test_who_replies_in_the_moment_of_the_erasure_is_told_that_nobody_is_there(
    acme: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = acme.says("Forget me").body
    erase_just_before(monkeypatch, replying, "reply", acme, receipt["end_user_id"])
    replied = acme.call("POST", f"conversations/{receipt['conversation_id']}/messages/", {"text": "Hello"})
    assert (replied.status, replied.code) == (410, "erased")


def test_the_agent_drops_an_answer_to_somebody_erased_while_it_was_thinking(
    acme: Party, monkeypatch: pytest.MonkeyPatch, superuser: psycopg.Connection
) -> None:
    receipt = acme.says("Сайн байна уу").body
    erase_just_before(monkeypatch, drafting, "draft", acme, receipt["end_user_id"])
    draining.drain(tasks.FULFIL)
    everything_is_done(superuser)
    assert traces_of(receipt["end_user_id"], superuser) == OUTLIVES_THE_ERASURE
    assert counting.events(superuser, acme.id)["message.answered"] == 0
