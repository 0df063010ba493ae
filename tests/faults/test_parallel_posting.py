"""The same thing from many sides at once: one message, one End User, one conversation, no error."""

import random
from collections import Counter
from collections.abc import Callable

import psycopg
import pytest
from django.test import Client

from tests.cast import Answer, Party, parsed
from tests.faults import counting
from tests.faults.posting import message
from tests.faults.together import together

AT_ONCE = 16


def posting(party: Party, path: str, body: object) -> Callable[[], Answer]:
    """A delivery to be made; each has a client of its own, as from a machine of its own."""
    client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {party.token}"})
    return lambda: parsed(client.post(f"/api/v1/{path}", body, content_type="application/json"))


@pytest.mark.parametrize("known", [True, False], ids=["from somebody known", "a first message"])
def test_the_same_delivery_sixteen_times_at_once_is_one_message(
    acme: Party, superuser: psycopg.Connection, known: bool
) -> None:
    if known:
        assert acme.call("POST", "messages/", message("earlier", 1)).status == 201

    answers = together([posting(acme, "messages/", message("the same", 1)) for _ in range(AT_ONCE)])

    assert Counter(answer.status for answer in answers) == {201: 1, 200: AT_ONCE - 1}
    assert len({answer.body["message_id"] for answer in answers}) == 1
    assert [answer.body["is_new"] for answer in answers].count(True) == 1
    once = 1 + known
    assert counting.count(superuser, "conversations_message") == once
    assert counting.promised(superuser) == once
    assert counting.used(superuser, acme.id) == {"message": once}
    assert counting.events(superuser, acme.id)["messages.received"] == once


@pytest.mark.parametrize("person", range(5))
def test_sixteen_first_messages_of_one_person_meet_one_end_user_in_one_conversation(
    acme: Party, superuser: psycopg.Connection, person: int
) -> None:
    answers = together([posting(acme, "messages/", message(f"m-{n}", person)) for n in range(AT_ONCE)])

    assert {answer.status for answer in answers} == {201}
    assert len({answer.body["message_id"] for answer in answers}) == AT_ONCE
    assert len({answer.body["end_user_id"] for answer in answers}) == 1
    assert len({answer.body["conversation_id"] for answer in answers}) == 1
    assert counting.count(superuser, "conversations_message") == AT_ONCE
    for table in ("privacy_enduser", "privacy_enduseridentity", "conversations_conversation"):
        assert counting.count(superuser, table) == 1, table
    assert counting.count(superuser, "iva_crypto_datakey WHERE purpose = 'end_user'") == 1
    assert counting.events(superuser, acme.id)["end_user.first_seen"] == 1


def test_one_person_with_other_handles_at_once_is_one_end_user_or_told_apart(acme: Party) -> None:
    """Each delivery joins the phone to another handle; nobody may come to exist twice for one handle."""
    handles = [{"phone": "99112233", "email": f"saraa{n}@example.com"} for n in range(AT_ONCE)]
    bodies = [message(f"m-{n}", 0) | {"sender": sender} for n, sender in enumerate(handles)]

    answers = together([posting(acme, "messages/", body) for body in bodies])

    assert {answer.status for answer in answers} == {201}
    assert len({answer.body["end_user_id"] for answer in answers}) == 1
    for sender in handles:
        (found,) = acme.call("POST", "end-users/search/", {"email": sender["email"]}).body["results"]
        assert found["id"] == answers[0].body["end_user_id"]


WRITERS, BATCHES, SIZE = 16, 3, 30


def overlapping_batches(writer: int) -> list[object]:
    """Batches over people known and new, of whom all the others write too, in this writer's own order."""
    chance = random.Random(writer)
    return [
        {
            "messages": [
                message(f"{writer}-{batch}-{person}", person)
                for person in chance.sample(range(batch * 100, batch * 100 + 200), SIZE)
            ]
        }
        for batch in range(BATCHES)
    ]


def test_overlapping_batches_from_all_sides_never_fail_and_never_meet_somebody_twice(
    acme: Party, superuser: psycopg.Connection
) -> None:
    batches = [overlapping_batches(writer) for writer in range(WRITERS)]
    posted = [[posting(acme, "messages/batch/", batch) for batch in writer] for writer in batches]

    def all_of(writer: list[Callable[[], Answer]]) -> list[Answer]:
        return [post() for post in writer]

    answers = [answer for of in together([lambda of=of: all_of(of) for of in posted]) for answer in of]

    assert {answer.status for answer in answers} == {200}
    receipts = [receipt for answer in answers for receipt in answer.body["results"]]
    assert [receipt for receipt in receipts if not receipt.get("is_new")] == []
    assert counting.count(superuser, "conversations_message") == len(receipts) == WRITERS * BATCHES * SIZE
    people = {item["sender"]["phone"] for of in batches for batch in of for item in batch["messages"]}
    assert counting.count(superuser, "privacy_enduser") == len(people)
    assert counting.count(superuser, "conversations_conversation") == len(people)
    assert counting.used(superuser, acme.id) == {"message": len(receipts)}


def test_the_same_batches_in_opposite_orders_at_once_are_kept_once(
    acme: Party, superuser: psycopg.Connection
) -> None:
    items = [message(f"m-{person}", person) for person in range(100)]
    orders = [random.Random(n).sample(items, len(items)) for n in range(8)]

    answers = together([posting(acme, "messages/batch/", {"messages": order}) for order in orders])

    assert {answer.status for answer in answers} == {200}
    receipts = [receipt for answer in answers for receipt in answer.body["results"]]
    assert Counter(receipt["is_new"] for receipt in receipts) == {True: 100, False: 700}
    assert counting.count(superuser, "conversations_message") == 100
    assert counting.promised(superuser) == 100
