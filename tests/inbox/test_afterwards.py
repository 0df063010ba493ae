"""What becomes of a reply, and what an erasure leaves of notes, drafts and labels."""

import uuid

import psycopg
import pytest

from accounts import people
from accounts.people import Acting
from conversations import assigning, delivering, drafts, labelling, reading, thread, writing
from conversations.delivering import Delivery
from conversations.models import Colour, Draft, Label, Labelling, Message, Note
from iva.audit.actors import SYSTEM
from privacy import erasure
from privacy.grounds import Ground
from tests.cast import Party
from tests.inbox.conftest import held


@pytest.fixture
def reply(acme: Party, bats: uuid.UUID, tuya: Acting) -> uuid.UUID:
    with acme.tenant():
        return writing.reply(held(bats), "Сайн байна уу", by=tuya).pk


def state(acme: Party, message_id: uuid.UUID) -> Delivery | None:
    with acme.tenant():
        return delivering.state_of(Message.objects.get(pk=message_id))


def test_a_reply_is_queued_until_the_integrator_reads_it(
    acme: Party, bats: uuid.UUID, reply: uuid.UUID, tuya: Acting
) -> None:
    with acme.tenant():
        thread.page(reading.get(bats), actor=tuya.actor)
    assert state(acme, reply) is Delivery.QUEUED
    acme.call("GET", f"conversations/{bats}/messages/")
    assert state(acme, reply) is Delivery.SENT


def test_the_first_time_counts(acme: Party, bats: uuid.UUID, reply: uuid.UUID) -> None:
    times = []
    for _ in range(2):
        acme.call("GET", f"conversations/{bats}/messages/")
        with acme.tenant():
            times.append(Message.objects.get(pk=reply).taken_at)
    assert times[0] == times[1]


def test_what_a_channel_says_is_believed_once(acme: Party, reply: uuid.UUID) -> None:
    with acme.tenant():
        delivering.fail(Message.objects.get(pk=reply), "unreachable")
    assert state(acme, reply) is Delivery.FAILED
    with acme.tenant():
        delivering.confirm(Message.objects.get(pk=reply))
    assert state(acme, reply) is Delivery.DELIVERED
    with acme.tenant():
        delivering.fail(Message.objects.get(pk=reply), "unreachable")
    assert state(acme, reply) is Delivery.DELIVERED


def test_what_the_end_user_wrote_is_not_on_its_way_to_them(acme: Party, bats: uuid.UUID) -> None:
    with acme.tenant():
        assert delivering.state_of(Message.objects.get()) is None


def test_whoever_leaves_has_nothing_left_to_take_care_of(
    acme: Party, bats: uuid.UUID, tuya: Acting, saraa: Acting
) -> None:
    with acme.tenant("account.manage"):
        assigning.assign(held(bats), tuya.membership_id, by=tuya)
        people.revoke(tuya.membership_id, by=saraa)
        assert reading.get(bats).assignee_id is None


def test_an_erasure_takes_notes_drafts_and_labels_along(
    acme: Party, bats: uuid.UUID, saraa: Acting, tuya: Acting, superuser: psycopg.Connection
) -> None:
    other = uuid.UUID(acme.says("Би бас", name="Сараа", phone="99445566").body["conversation_id"])
    with acme.tenant():
        label = labelling.make("Гомдол", Colour.RED, by=saraa)
        for conversation_id in (bats, other):
            labelling.put(held(conversation_id), [label.pk], by=tuya)
            writing.note(held(conversation_id), "Дотоод", by=tuya)
            drafts.keep(held(conversation_id), tuya.membership_id, "Ноорог", is_note=False)
        end_user_id = held(bats).end_user_id
        record = erasure.erase(end_user_id, Ground.SUBJECT_REQUEST, actor=SYSTEM)
    assert erasure.finish(acme.id, record.pk)
    with acme.tenant():
        for model in (Note, Draft, Labelling):
            assert [row.conversation_id for row in model.objects.all()] == [other], model
        assert Label.objects.get().name == "Гомдол"
    for table in ("note", "draft", "labelling"):
        rows = superuser.execute(f"SELECT t::text FROM conversations_{table} t").fetchall()
        assert not [row for (row,) in rows if str(end_user_id) in row or str(bats) in row]


def test_an_erased_persons_conversation_is_not_found(
    acme: Party, bats: uuid.UUID, tuya: Acting, at_desk: object
) -> None:
    browser = at_desk(tuya)  # type: ignore[operator]
    with acme.tenant():
        erasure.erase(held(bats).end_user_id, Ground.SUBJECT_REQUEST, actor=SYSTEM)
    assert browser.get(f"/inbox/{bats}/").status_code == 404
    assert str(bats) not in browser.get("/inbox/?view=all").content.decode()


def test_the_number_of_queries_does_not_grow_with_the_page(
    acme: Party, tuya: Acting, at_desk: object, django_assert_max_num_queries: object
) -> None:
    browser = at_desk(tuya)  # type: ignore[operator]
    for number in range(20):
        acme.says("Сайн уу", name=f"Бат {number}", phone=f"991122{number:02}")
    with django_assert_max_num_queries(45):  # type: ignore[operator]
        browser.get("/inbox/?view=all")
