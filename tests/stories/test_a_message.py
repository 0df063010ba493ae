"""A message goes in, is encrypted, is answered, and can be found. Read this first."""

from collections.abc import Callable

import psycopg

from tests.cast import Party

QUESTION = "Картаа гээчихлээ яах вэ?"
ANSWER = "1800-1234 дугаарт залгаж картаа хаалгана уу."


def publish(acme: Party) -> None:
    entry = {
        "title": "Карт хаах",
        "question": "Картаа гээсэн бол яах вэ?",
        "alternatives": ["kartaa geechihlee", "карт алга болсон"],
        "answer": ANSWER,
    }
    assert acme.call("POST", "knowledge/", entry).status == 201


def test_bat_asks_and_the_agent_answers_from_the_knowledge_base(
    acme: Party, work_is_done: Callable[[], object]
) -> None:
    publish(acme)
    receipt = acme.says(QUESTION, name="Бат", phone="9911 2233")
    assert receipt.status == 201

    work_is_done()

    conversation = receipt.body["conversation_id"]
    messages = acme.call("GET", f"conversations/{conversation}/messages/").body["results"]
    reply, question = messages
    assert question["text"] == QUESTION
    assert reply["author"] == "agent"
    assert ANSWER in reply["text"]
    assert "Карт хаах" in reply["text"], "the source is named"
    assert reply["in_reply_to"] == receipt.body["message_id"]

    metadata = acme.call("GET", f"conversations/{conversation}/").body
    assert metadata["channel_id"] == str(acme.channel.pk)
    assert metadata["state"] == "open"
    assert metadata["first_response_at"] >= metadata["opened_at"]
    assert metadata["duration_seconds"] >= 0

    ended = acme.call("PUT", f"conversations/{conversation}/resolution/", {"resolution": "answered"}).body
    assert (ended["state"], ended["resolution"]) == ("resolved", "answered")


def test_a_repeated_delivery_changes_nothing(acme: Party, work_is_done: Callable[[], object]) -> None:
    first = acme.says(QUESTION, external_id="m-1", phone="99112233")
    work_is_done()
    again = acme.says(QUESTION, external_id="m-1", phone="+976 99112233")
    work_is_done()

    assert (first.status, again.status) == (201, 200)
    assert again.body == first.body | {"is_new": False}
    messages = acme.call("GET", f"conversations/{first.body['conversation_id']}/messages/").body["results"]
    assert [message["author"] for message in messages] == ["agent", "end_user"]


def test_the_same_id_with_another_text_is_refused(acme: Party) -> None:
    acme.says("one", external_id="m-1")
    assert acme.says("another", external_id="m-1").code == "external_id_reused"


def test_an_end_user_is_found_by_every_handle_in_any_spelling(acme: Party) -> None:
    receipt = acme.says(
        "Сайн байна уу",
        name="Сараа",
        phone="99445566",
        email="Saraa@Example.com",
        messenger_id="PSID-77",
        customer_number="ac-100 200",
    )
    spellings = [
        {"phone": "+976 9944-5566"},
        {"phone": "99445566"},
        {"email": "saraa@example.COM"},
        {"messenger_id": "PSID-77"},
        {"customer_number": "AC100200"},
    ]
    for handle in spellings:
        (found,) = acme.call("POST", "end-users/search/", handle).body["results"]
        assert found["id"] == receipt.body["end_user_id"]
        assert found["name"] == "Сараа"
        assert {item["kind"]: item["value"] for item in found["handles"]}["phone"] == "+97699445566"


def test_nothing_said_or_named_stands_in_the_database(acme: Party, superuser: psycopg.Connection) -> None:
    acme.says("НууцҮг хэлье", name="Цэцэгмаа", phone="99887766", email="canary@example.com")
    tables = [
        row[0]
        for row in superuser.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    ]
    for table in tables:
        for (row,) in superuser.execute(f'SELECT t::text FROM "{table}" t').fetchall():
            for planted in ("НууцҮг", "Цэцэгмаа", "99887766", "canary"):
                assert planted not in row
                assert planted.encode().hex() not in row
