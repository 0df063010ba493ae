"""Whatever goes wrong, wherever: a problem document with a code, and not a word about our insides."""

import json
import types
from http import HTTPStatus
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import DatabaseError, OperationalError, connection
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from rest_framework.views import APIView

from accounts.scopes import Scope
from iva import checks
from iva.doors import OrganizationView
from iva.problems import Problem
from tests.cast import Answer, Party, parsed

SAID = "zhverqolupta said Хөвчлөрөндий"
PLAIN = ["/", "/healthz", "/readyz", "/metrics", "/api/openapi.yaml", "/api/docs/"]
API = sorted({(route, tuple(sorted(view.scopes))) for route, view in checks.api_views()})


def is_problem(answer: Answer, status: int, code: str) -> bool:
    assert answer.headers["Content-Type"] == "application/problem+json", answer
    assert answer.body.keys() - {"errors"} == {"type", "title", "status", "code", "detail"}
    assert (answer.status, answer.body["status"], answer.code) == (status, status, code), answer
    assert answer.body["title"] == HTTPStatus(status).phrase
    assert answer.body["type"] == "about:blank"
    assert answer.body["detail"]
    for inside in ("zhverqolupta", "Traceback", ".py", "psycopg", "django", "SELECT"):
        assert inside not in str(answer.body)
    return True


def ask(method: str, address: str, **environ: Any) -> Answer:
    return parsed(Client(raise_request_exception=False).generic(method, address, **environ))


@pytest.mark.parametrize("address", ["/nothing/", "/api/", "/api/v1/", "/api/v2/messages/", "/healthz/"])
def test_an_unknown_path(db: None, address: str) -> None:
    assert is_problem(ask("GET", address), 404, "not_found")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"])
@pytest.mark.parametrize("address", PLAIN)
def test_another_method_than_a_page_answers(db: None, address: str, method: str) -> None:
    answer = ask(method, address)
    assert is_problem(answer, 405, "method_not_allowed")
    assert {"GET", "HEAD"} <= {name.strip() for name in answer.headers["Allow"].split(",")}


@pytest.mark.parametrize(("route", "methods"), API, ids=[route for route, _ in API])
def test_another_method_than_a_door_answers_names_those_it_does(
    acme: Party, route: str, methods: tuple[str, ...]
) -> None:
    """RFC 9110, 15.5.6: a 405 carries Allow, with the methods that are allowed and no others."""
    address = route.replace("/api/v1/", "").replace("<uuid:", "").replace(">", "")
    some_id = "00000000-0000-7000-8000-000000000000"
    for name in ("conversation_id", "end_user_id", "entry_id", "erasure_id"):
        address = address.replace(name, some_id)
    answer = acme.call("PATCH", address, {})
    assert is_problem(answer, 405, "method_not_allowed")
    assert {name.strip() for name in answer.headers["Allow"].split(",")} - {"HEAD"} == set(methods)


@pytest.mark.parametrize("host", ["evil.example", "localhost:http", "a b", "", "localhost\\@evil.example"])
@pytest.mark.parametrize("address", ["/healthz", "/nothing/", "/api/v1/messages/"])
def test_a_host_that_is_not_ours(db: None, host: str, address: str) -> None:
    assert is_problem(ask("GET", address, HTTP_HOST=host), 400, "bad_request")


@pytest.mark.parametrize("address", ["/api/v1/messages/", "/api/v1/knowledge/"])
def test_a_body_that_is_too_large(acme: Party, address: str) -> None:
    headers = {"Authorization": f"Bearer {acme.token}"}
    huge = b'"' + b"a" * 2_500_000 + b'"'
    answer = ask("POST", address, data=huge, content_type="application/json", headers=headers)
    assert is_problem(answer, 413, "body_too_large")


def test_a_form_without_its_token(db: None) -> None:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    page = client.post("/sign-in/", {"email": "x", "password": "y"}, headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["Content-Type"]) == (403, "text/html; charset=utf-8")
    assert "Traceback" not in page.content.decode()
    assert is_problem(parsed(client.post("/nothing/")), 404, "not_found")


@pytest.mark.parametrize(
    ("data", "content_type", "statuses"),
    [
        (b"x=1&" * 2_000, "application/x-www-form-urlencoded", {400}),
        (b"a" * 3_000_000, "application/x-www-form-urlencoded", {413}),
        (b"--x\r\nnothing", "multipart/form-data; boundary=x", {200, 400}),
        (b"", "multipart/form-data; boundary=", {200, 400}),
        (b"username=%ff%00&password=%00", "application/x-www-form-urlencoded; charset=nothing", {400, 422}),
    ],
    ids=["fields", "size", "multipart", "boundary", "charset"],
)
def test_a_form_that_is_rubbish(db: None, data: bytes, content_type: str, statuses: set[int]) -> None:
    client = Client(raise_request_exception=False)
    response = client.generic("POST", "/sign-in/", data, content_type)
    assert response.status_code in statuses
    assert "Traceback" not in response.content.decode()


BREAKING = {
    "value": (ValueError(SAID), 500, "internal_error"),
    "system": (SystemError(SAID), 500, "internal_error"),
    "recursion": (RecursionError(SAID), 500, "internal_error"),
    "memory": (MemoryError(SAID), 500, "internal_error"),
    "database": (DatabaseError(SAID), 500, "internal_error"),
    "connection": (OperationalError(SAID), 503, "database_unavailable"),
    "forbidden": (PermissionDenied(SAID), 403, "permission_denied"),
    "missing": (Http404(SAID), 404, "not_found"),
    "ours": (Problem("busy", "Try again.", 503), 503, "busy"),
}


class Broken(OrganizationView):
    scopes = {"GET": Scope.AUDIT_READ}

    def get(self, request: Any, why: str) -> HttpResponse:
        raise BREAKING[why][0]


class BrokenOutside(APIView):
    authentication_classes = permission_classes = throttle_classes = ()

    def get(self, request: Any, why: str) -> HttpResponse:
        raise BREAKING[why][0]


def broken(request: HttpRequest, why: str) -> HttpResponse:
    raise SuspiciousOperation(SAID) if why == "suspicious" else BREAKING[why][0]


@pytest.fixture
def broken_house(settings: Any) -> None:
    """Three kinds of views, each of which only breaks."""
    gate = types.ModuleType("gate")
    gate.urlpatterns = [  # type: ignore[attr-defined]
        path("api/v1/door/<why>/", Broken.as_view()),
        path("outside/<why>/", BrokenOutside.as_view()),
        path("plain/<why>/", broken),
        path("admin/plain/<why>/", broken),
    ]
    for status, name in (
        (400, "bad_request"),
        (403, "permission_denied"),
        (404, "not_found"),
        (500, "server_error"),
    ):
        setattr(gate, f"handler{status}", f"iva.problems.{name}")
    settings.ROOT_URLCONF = gate


@pytest.mark.parametrize("why", BREAKING)
def test_a_view_that_breaks(
    acme: Party, broken_house: None, capfd: pytest.CaptureFixture[str], why: str
) -> None:
    _, status, code = BREAKING[why]
    assert is_problem(acme.call("GET", f"door/{why}/"), status, code)
    assert is_problem(ask("GET", f"/outside/{why}/"), status, code)
    if status != 503:
        assert is_problem(ask("GET", f"/plain/{why}/"), status, code)
        page = ask("GET", f"/admin/plain/{why}/")
        assert (page.status, page.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
        assert b"zhverqolupta" not in page.body
    assert "zhverqolupta" not in capfd.readouterr().err


def test_something_suspicious(db: None, broken_house: None, capfd: pytest.CaptureFixture[str]) -> None:
    assert is_problem(ask("GET", "/plain/suspicious/"), 400, "bad_request")
    assert "zhverqolupta" not in capfd.readouterr().err


def test_a_broken_view_changes_nothing(acme: Party, broken_house: None) -> None:
    acme.call("GET", "door/value/")
    with acme.tenant():
        pass
    assert not connection.in_atomic_block


def test_a_dead_database_is_a_reason_to_try_again(acme: Party, database_is_down: None) -> None:
    for method, address, body in (
        ("GET", "conversations/", None),
        ("POST", "knowledge/", {"title": "a", "question": "b", "answer": "c"}),
        ("POST", "end-users/search/", {"phone": "99112233"}),
        ("POST", "messages/", {"external_id": "m", "sender": {"phone": "99112233"}, "text": "a"}),
        (
            "POST",
            "messages/batch/",
            {"messages": [{"external_id": "m", "sender": {"phone": "99112233"}, "text": "a"}]},
        ),
    ):
        answer = acme.call(method, address, body)
        assert is_problem(answer, 503, "database_unavailable")
        assert int(answer.headers["Retry-After"]) >= 1
    page = ask("GET", "/sign-in/")
    assert page.status in (200, 500, 503)
    assert b"Traceback" not in page.body


@pytest.mark.parametrize(
    "accept", ["text/html", "application/xml", "image/*;q=0.1", "", "nonsense;;;", "*/*"]
)
def test_a_problem_is_json_whatever_was_hoped_for(acme: Party, accept: str) -> None:
    assert is_problem(acme.call("GET", "nothing/", Accept=accept), 404, "not_found")
    answer = acme.call("GET", "end-users/00000000-0000-7000-8000-000000000000/", Accept=accept)
    assert is_problem(answer, 404, "end_user_not_found")


def test_what_is_wrong_with_a_body_is_listed_by_field_without_its_value(acme: Party) -> None:
    answer = acme.call("POST", "knowledge/", {"title": SAID * 100, "question": [SAID], "alternatives": SAID})
    assert is_problem(answer, 422, "invalid")
    fields = {error["field"]: error["code"] for error in answer.body["errors"]}
    assert fields.keys() == {"title", "question", "alternatives", "answer"}
    assert (fields["title"], fields["answer"]) == ("max_length", "required")
    assert json.dumps(answer.body)
