"""Paging through conversations and messages, states, handover."""

from collections.abc import Callable

from tests.cast import Party


def pages(party: Party, path: str, limit: int) -> list[str]:
    """Every id of a list, followed page by page."""
    found: list[str] = []
    cursor = ""
    while True:
        separator = "&" if "?" in path else "?"
        body = party.call("GET", f"{path}{separator}limit={limit}{cursor}").body
        found += [item["id"] for item in body["results"]]
        if body["next"] is None:
            return found
        cursor = f"&cursor={body['next']}"


def test_the_inbox_is_paged_without_gaps_or_repetitions(acme: Party) -> None:
    made = [acme.says("Сайн уу", phone=f"9911{number:04}").body["conversation_id"] for number in range(7)]
    for limit in (1, 2, 3, 7, 100):
        assert pages(acme, "conversations/", limit) == made[::-1]


def test_messages_are_paged_newest_first(acme: Party) -> None:
    receipts = [acme.says(f"Мессеж {number}") for number in range(5)]
    path = f"conversations/{receipts[0].body['conversation_id']}/messages/"
    assert pages(acme, path, 2) == [receipt.body["message_id"] for receipt in receipts][::-1]


def test_a_conversation_walks_through_its_states(acme: Party, work_is_done: Callable[[], object]) -> None:
    conversation = acme.says("Сайн уу").body["conversation_id"]
    path = f"conversations/{conversation}/"
    assert acme.call("PUT", path + "handover/").body["state"] == "handed_over"
    assert [item["id"] for item in acme.call("GET", "conversations/?state=handed_over").body["results"]] == [
        conversation
    ]
    assert acme.call("GET", "conversations/?state=open").body["results"] == []

    work_is_done()
    messages = acme.call("GET", path + "messages/").body["results"]
    assert [message["author"] for message in messages] == ["end_user"], (
        "the agent is silent while people are in charge"
    )

    reply = acme.call("POST", path + "messages/", {"text": "Би туслъя"})
    assert (reply.status, reply.body["author"], reply.body["text"]) == (201, "member", "Би туслъя")
    assert acme.call("DELETE", path + "handover/").body["state"] == "open"
    assert acme.call("PUT", path + "resolution/", {"resolution": "answered"}).body["state"] == "resolved"
    assert acme.call("PUT", path + "handover/").code == "conversation_closed"
    assert acme.call("POST", path + "messages/", {"text": "x"}).code == "conversation_closed"
    assert acme.says("Дахиад асууя").body["conversation_id"] != conversation


def test_a_repeated_delivery_after_the_end_opens_no_empty_conversation(acme: Party) -> None:
    first = acme.says("Сайн уу", external_id="m-1", phone="99112233").body
    acme.call("PUT", f"conversations/{first['conversation_id']}/resolution/", {"resolution": "answered"})
    again = acme.says("Сайн уу", external_id="m-1", phone="99112233").body
    assert again["conversation_id"] == first["conversation_id"]
    assert len(acme.call("GET", "conversations/").body["results"]) == 1


def test_reading_leaves_a_trace_of_who_read_whom(acme: Party) -> None:
    receipt = acme.says("Сайн уу").body
    acme.call("GET", f"conversations/{receipt['conversation_id']}/messages/")
    newest = acme.call("GET", "audit-events/").body["results"][0]
    assert newest["event"] == "conversation.read"
    assert newest["actor"] == f"api_key:{acme.key.pk}"
    assert receipt["end_user_id"] in newest["ids"]


def test_the_organization_of_a_key_can_be_asked_for(acme: Party) -> None:
    answer = acme.call("GET", "organization/").body
    assert (answer["slug"], answer["time_zone"]) == ("acme", "Asia/Ulaanbaatar")
    assert answer["api_key_id"] == str(acme.key.pk)
