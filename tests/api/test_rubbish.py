"""Bad input gets a clear error and changes nothing."""

import json
from typing import Any

import pytest

from conversations.models import Conversation, Message
from privacy.models import EndUser
from tests.cast import Answer, Party, parsed

GOOD = {"external_id": "m-1", "sender": {"phone": "99112233"}, "text": "Сайн уу"}


def post_raw(
    acme: Party, raw: bytes, content_type: str = "application/json", path: str = "messages/"
) -> Answer:
    headers = {"Authorization": f"Bearer {acme.token}"}
    response = acme.client.post(f"/api/v1/{path}", raw, content_type=content_type, headers=headers)
    return parsed(response)


def nothing_was_kept(acme: Party) -> bool:
    with acme.tenant():
        return not (Message.objects.exists() or Conversation.objects.exists() or EndUser.objects.exists())


@pytest.mark.parametrize("path", ["messages/", "messages/batch/", "knowledge/", "end-users/search/"])
@pytest.mark.parametrize(
    "raw",
    [
        b" ",
        b"{",
        b"nul",
        b'{"text": "\xff"}',
        b"[" * 100_000,
        b'{"a": NaN}',
        b'{"a": "\\ud800"}',
        b"\x00",
        b'"\xed\xa0\x80"',
    ],
    ids=["empty", "open", "word", "not utf-8", "deep", "nan", "surrogate", "nul", "utf-8 surrogate"],
)
def test_what_is_not_json_is_refused(acme: Party, path: str, raw: bytes) -> None:
    answer = post_raw(acme, raw, path=path)
    assert (answer.status, answer.code) in [(400, "malformed_json"), (422, "invalid")]
    assert nothing_was_kept(acme)


@pytest.mark.parametrize("path", ["messages/", "messages/batch/", "knowledge/", "end-users/search/"])
@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "multipart/form-data; boundary=x", ""]
)
def test_another_content_type_is_unsupported(acme: Party, path: str, content_type: str) -> None:
    answer = post_raw(acme, json.dumps(GOOD).encode(), content_type, path)
    assert (answer.status, answer.code) == (415, "unsupported_media_type")


@pytest.mark.parametrize("path", ["messages/", "messages/batch/", "knowledge/", "end-users/search/"])
def test_a_huge_body_is_too_large(acme: Party, path: str) -> None:
    answer = post_raw(acme, b'{"text": "' + b"a" * 3_000_000 + b'"}', path=path)
    assert (answer.status, answer.code) == (413, "body_too_large")


@pytest.mark.parametrize("value", [[], "x", 7, None, True])
@pytest.mark.parametrize("path", ["messages/", "messages/batch/", "knowledge/", "end-users/search/"])
def test_json_that_is_no_object_does_not_fit(acme: Party, path: str, value: Any) -> None:
    assert post_raw(acme, json.dumps(value).encode(), path=path).status == 422


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"text": ""}, "invalid"),
        ({"text": "a" * 10_001}, "invalid"),
        ({"text": "a\x00b"}, "nul_character"),
        ({"text": 7}, "invalid"),
        ({"external_id": ""}, "invalid"),
        ({"external_id": "a\x00"}, "nul_character"),
        ({"sender": {}}, "sender_unknown"),
        ({"sender": {"name": "Bat"}}, "sender_unknown"),
        ({"sender": {"phone": "not a phone"}}, "handle_invalid"),
        ({"sender": {"phone": "1"}}, "handle_invalid"),
        ({"sender": {"email": "nobody"}}, "handle_invalid"),
        ({"sender": {"customer_number": " - "}}, "handle_invalid"),
        ({"sender": {"messenger_id": "   "}}, "handle_invalid"),
        ({"sender": {"telegram": "x"}}, "invalid"),
        ({"sent_at": "yesterday"}, "invalid"),
        ({"channel": "main"}, "invalid"),
        ({"unheard_of": 1}, "invalid"),
    ],
)
def test_a_message_that_does_not_fit_is_refused_and_nothing_is_kept(
    acme: Party, change: dict[str, Any], code: str
) -> None:
    answer = acme.call("POST", "messages/", GOOD | change)
    assert (answer.status, answer.code) == (422, code)
    assert "Traceback" not in str(answer.body)
    assert nothing_was_kept(acme)


def test_a_batch_keeps_what_fits_and_says_what_does_not(acme: Party) -> None:
    bad = GOOD | {"external_id": "m-2", "sender": {"phone": "x"}}
    conflicting = GOOD | {"external_id": "m-3", "sender": {"phone": "99112233", "email": "saraa@example.com"}}
    acme.says("Би Сараа", email="saraa@example.com")
    acme.says("Би Бат", phone="99112233")
    body = {"messages": [GOOD, bad, GOOD, conflicting, GOOD | {"text": "another"}]}
    results = acme.call("POST", "messages/batch/", body).body["results"]
    assert [result.get("code", result.get("is_new")) for result in results] == [
        True,
        "handle_invalid",
        False,
        "identity_conflict",
        "external_id_reused",
    ]


@pytest.mark.parametrize("size", [0, 101])
def test_a_batch_has_one_to_a_hundred_messages(acme: Party, size: int) -> None:
    body = {"messages": [GOOD | {"external_id": f"m-{number}"} for number in range(size)]}
    assert acme.call("POST", "messages/batch/", body).status == 422


@pytest.mark.parametrize("path", ["nothing/", "conversations/not-an-id/", "%00/", "..%2f..%2f", "messages"])
def test_an_unknown_path_is_a_problem_too(acme: Party, path: str) -> None:
    answer = acme.call("GET", path)
    assert (answer.status, answer.code) == (404, "not_found")
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("cursor=x", "invalid_cursor"),
        ("cursor=%00", "invalid_cursor"),
        ("cursor=bnVsbA", "invalid_cursor"),
        ("limit=0", "invalid_limit"),
        ("limit=101", "invalid_limit"),
        ("limit=-1", "invalid_limit"),
        ("limit=٣", "invalid_limit"),
        ("state=lost", "invalid_state"),
        ("end_user=me", "invalid_id"),
        ("channel=%00", "invalid_id"),
    ],
)
def test_rubbish_in_a_query_is_named(acme: Party, query: str, code: str) -> None:
    answer = acme.call("GET", f"conversations/?{query}")
    assert (answer.status, answer.code) == (400, code)


def test_a_forged_host_is_refused(acme: Party) -> None:
    response = acme.client.get("/healthz", headers={"Host": "evil.example"})
    assert response.status_code == 400
