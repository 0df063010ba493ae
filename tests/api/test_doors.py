"""What every door has in common: pages that can be followed, and nothing that is silently ignored."""

import base64
from typing import Any

import pytest
from django.test import Client

from iva.doors import SequenceCursor, cursor_of
from tests.cast import Party, parsed


class _Asked:
    def __init__(self, cursor: str) -> None:
        self.query_params = {"cursor": cursor}


@pytest.mark.parametrize("sequence", [1, 9, 10, 99, 100, 462, 999, 1000, 99_999, 123_456, 999_999_999])
def test_a_cursor_of_any_length_leads_on(sequence: int) -> None:
    cursor = base64.urlsafe_b64encode(f"[{sequence}]".encode()).rstrip(b"=").decode()
    request: Any = _Asked(cursor)
    assert cursor_of(request, SequenceCursor) == (sequence,)


def test_the_audit_trail_is_followed_to_its_beginning(acme: Party) -> None:
    batch = [
        {"external_id": f"m-{number}", "sender": {"phone": f"8800{number:04d}"}, "text": "Сайн уу"}
        for number in range(100)
    ]
    acme.call("POST", "messages/batch/", {"messages": batch})
    seen, cursor = [], ""
    while cursor is not None:
        page = acme.call("GET", f"audit-events/?limit=7{cursor and '&cursor=' + cursor}")
        assert page.status == 200, page
        seen += [event["sequence"] for event in page.body["results"]]
        cursor = page.body["next"]
    assert len(seen) > 100
    assert seen == list(range(len(seen), 0, -1))


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("conversations/", "end_user_id"),
        ("conversations/", "foo"),
        ("audit-events/", "event"),
        ("erasures/", "state"),
        ("knowledge/", "q"),
        ("channels/", "limit"),
        ("organization/", "cursor"),
    ],
)
def test_a_filter_that_is_not_ours_is_refused(acme: Party, path: str, parameter: str) -> None:
    refused = acme.call("GET", f"{path}?{parameter}=x")
    assert (refused.status, refused.code) == (400, "unknown_parameter")


@pytest.mark.parametrize("language", ["mn", "de", "en", ""])
def test_the_api_speaks_one_language(acme: Party, language: str) -> None:
    end_user = acme.says("Сайн уу").body["end_user_id"]
    path = f"end-users/{end_user}/erasure/"
    refused = acme.call("POST", path, {}, **({"Accept-Language": language} if language else {}))
    assert refused.body["errors"][0]["detail"] == "This field is required."


@pytest.mark.parametrize("path", ["messages/", "messages/batch/", "knowledge/", "end-users/search/"])
def test_a_body_in_chunks_is_refused_and_not_read_as_empty(acme: Party, path: str) -> None:
    response = acme.client.generic(
        "POST",
        f"/api/v1/{path}",
        headers={"Authorization": f"Bearer {acme.token}", "Transfer-Encoding": "chunked"},
        content_type="application/json",
    )
    assert parsed(response).code == "length_required"
    assert response.status_code == 411


GOOD = {"external_id": "good", "sender": {"phone": "99112233"}, "text": "Сайн уу"}


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ({"text": ""}, "invalid"),
        ({"text": "x" * 10_001}, "invalid"),
        ({"text": "a\x00"}, "nul_character"),
        ({"text": 7}, "invalid"),
        ({"sent_at": "2024-01-01"}, "invalid"),
        ({"sent_at": "2024-01-01T00:00:00"}, "invalid"),
        ({"sent_at": "1024-01-01T00:00:00Z"}, "sent_at_out_of_range"),
        ({"colour": "red"}, "invalid"),
        ({"sender": {}}, "sender_unknown"),
        ({"sender": {"phone": "77112233 ext. 5"}}, "handle_invalid"),
    ],
)
def test_a_message_that_does_not_fit_spoils_no_other(acme: Party, bad: dict[str, Any], code: str) -> None:
    messages = [GOOD, GOOD | {"external_id": "bad"} | bad, GOOD | {"external_id": "good as well"}]
    answer = acme.call("POST", "messages/batch/", {"messages": messages})
    assert answer.status == 200
    first, refused, last = answer.body["results"]
    assert (first["is_new"], last["is_new"]) == (True, True)
    assert refused["code"] == code
    assert refused["detail"]
    assert acme.call("POST", "messages/", messages[1]).code == code


@pytest.mark.parametrize("item", [7, "x", None, [], [[]]])
def test_what_is_no_message_at_all_spoils_no_other_either(acme: Party, item: object) -> None:
    answer = acme.call("POST", "messages/batch/", {"messages": [item, GOOD]})
    refused, kept = answer.body["results"]
    assert (refused["code"], kept["is_new"]) == ("invalid", True)


def test_a_conversation_is_not_resolved_in_two_ways(acme: Party) -> None:
    path = f"conversations/{acme.says('Сайн уу').body['conversation_id']}/resolution/"
    assert acme.call("PUT", path, {"resolution": "answered"}).status == 200
    assert acme.call("PUT", path, {"resolution": "answered"}).status == 200
    refused = acme.call("PUT", path, {"resolution": "abandoned"})
    assert (refused.status, refused.code) == (409, "resolved_otherwise")


def test_plain_pages_refuse_another_method_also_where_forms_are_protected(db: None) -> None:
    strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
    for path in ("/", "/healthz", "/readyz", "/metrics", "/api/openapi.yaml", "/api/docs/"):
        assert strict.post(path).status_code == 405, path
