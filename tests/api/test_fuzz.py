"""The API, driven from its own OpenAPI document with data that fits it and data that does not.

Whatever is sent, the answer is one the document describes: never a 5xx, never a stack trace, every error a
problem document. The examples are the same in every run.
"""

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode, Response, checks

from iva.checks import answered_methods, api_views
from iva.outbox.models import Promise
from iva.wsgi import application
from tests.cast import Answer, Party

DOORS = [
    (re.sub(r"<uuid:(\w+)>", r"{\1}", route), method)
    for route, view in api_views()
    for method in answered_methods(view)
]
NAMES = [f"{method} {path}" for path, method in DOORS]
LISTS = ["conversations/", "knowledge/", "erasures/", "audit-events/"]
THOROUGHLY = settings(
    max_examples=40,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

# Why data that fits the document may still be refused: the document has no words for it.
UNSAYABLE = {
    "blank",
    "channel_not_found",
    "conversation_closed",
    "conversation_not_found",
    "end_user_not_found",
    "entry_not_found",
    "entry_refused",
    "erasure_not_found",
    "external_id_reused",
    "handle_invalid",
    "identity_conflict",
    "invalid_cursor",
    "invalid_limit",
    "nul_character",
    "one_handle",
    "resolved_otherwise",
    "sender_unknown",
    "sent_at_out_of_range",
}
INSIDES = re.compile(r"Traceback|File \"|psycopg|site-packages|SELECT |\.py\b")


@pytest.fixture(scope="module")
def document(django_db_blocker: Any) -> Any:
    """The OpenAPI document as the application itself serves it."""
    config = schemathesis.Config(seed=1)
    with django_db_blocker.unblock():  # a request looks after the connection, whatever it asks for
        loaded = schemathesis.openapi.from_wsgi("/api/openapi.yaml", application, config=config)
    loaded.config.generation.with_security_parameters = False
    return loaded


@pytest.fixture
def known(acme: Party) -> dict[str, list[str]]:
    """Ids that exist, for each parameter of a path: otherwise no example gets past 404."""
    people = [acme.says("Сайн уу", phone=f"9911000{number}").body for number in range(3)]
    entry = {"title": "Карт", "question": "Картаа гээсэн бол?", "answer": "Залгаарай."}
    erased = acme.says("Мартаарай", phone="99445566").body["end_user_id"]
    erasure = acme.call("POST", f"end-users/{erased}/erasure/", {"ground": "unlawful"}).body
    return {
        "conversation_id": [person["conversation_id"] for person in people],
        "end_user_id": [*(person["end_user_id"] for person in people), erased],
        "entry_id": [acme.call("POST", "knowledge/", entry).body["id"] for _ in range(2)],
        "erasure_id": [erasure["id"]],
    }


def test_the_document_describes_every_door_and_no_other(document: Any) -> None:
    described = [
        (path, method.upper())
        for path, operations in document.raw_schema["paths"].items()
        for method in operations
    ]
    assert sorted(described) == sorted(DOORS)


@pytest.mark.parametrize(("path", "method"), DOORS, ids=NAMES)
def test_what_fits_the_document_is_answered_as_it_says(
    acme: Party, known: dict[str, list[str]], document: Any, path: str, method: str
) -> None:
    @THOROUGHLY
    @given(case=cases(document[path][method], GenerationMode.POSITIVE, known))
    def drive(case: Case) -> None:
        judge(acme, case, is_refused_only_for_what_the_document_cannot_say)

    drive()


@pytest.mark.parametrize(("path", "method"), DOORS, ids=NAMES)
def test_what_does_not_fit_the_document_is_refused(
    acme: Party, known: dict[str, list[str]], document: Any, path: str, method: str
) -> None:
    operation = document[path][method]
    if not [*operation.iter_parameters(), *operation.body]:
        pytest.skip("it takes nothing that could be wrong")

    @THOROUGHLY
    @given(case=cases(operation, GenerationMode.NEGATIVE, known))
    def drive(case: Case) -> None:
        judge(acme, case, is_refused)

    drive()


def test_whatever_was_taken_in_can_be_answered_and_read_again(
    acme: Party, document: Any, work_is_done: Callable[[], object]
) -> None:
    kept: list[dict[str, str]] = []

    @THOROUGHLY
    @given(case=document["/api/v1/messages/"]["POST"].as_strategy())
    def drive(case: Case) -> None:
        name = case.body["sender"].get("name")
        case.body = {
            "external_id": case.body["external_id"],
            "text": case.body["text"],
            "sender": {"phone": "99112233"} | ({"name": name} if name else {}),
        }
        response = case.call(headers={"Authorization": f"Bearer {acme.token}"})
        if response.status_code < 300:
            kept.append(json.loads(response.content))

    drive()
    assert kept
    work_is_done()
    assert not Promise.objects.exists()
    for receipt in kept:
        assert is_whole(acme, receipt)


ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@THOROUGHLY
@given(moment=st.datetimes(timezones=st.none() | ZONES))
@example(moment=datetime.min.replace(tzinfo=timezone(timedelta(hours=14))))
@example(moment=datetime.max.replace(tzinfo=timezone(timedelta(hours=-14))))
@example(moment=datetime.min.replace(tzinfo=UTC))
@example(moment=datetime.max.replace(tzinfo=UTC))
def moments(party: Party, moment: datetime) -> None:
    body = {
        "external_id": moment.isoformat(),
        "sender": {"phone": "99112233"},
        "text": "Сайн уу",
        "sent_at": moment.isoformat(),
    }
    answer = party.call("POST", "messages/", body)
    assert answer.status in (200, 201, 422), answer
    if answer.status != 422:
        assert is_whole(party, answer.body)


def test_a_message_of_any_time_can_be_read_again(acme: Party) -> None:
    moments(acme)


@pytest.mark.parametrize("path", LISTS)
def test_a_cursor_that_nobody_gave_harms_nothing(acme: Party, known: dict[str, list[str]], path: str) -> None:
    part = st.one_of(
        st.datetimes(timezones=st.none() | ZONES).map(datetime.isoformat),
        st.uuids().map(str),
        st.integers(),
        st.floats(),
        st.text(),
        st.none(),
    )

    @THOROUGHLY
    @given(position=st.lists(part, max_size=3) | part)
    @example(position=["2026-01-01T00:00:00", known["entry_id"][0]])
    @example(position=["0001-01-01T00:00:00+14:00", known["entry_id"][0]])
    @example(position=["9999-12-31T23:59:59-14:00", known["entry_id"][0]])
    @example(position=[2**63])
    @example(position=[-(2**63) - 1])
    @example(position=[2**4000])
    def drive(position: Any) -> None:
        packed = base64.urlsafe_b64encode(json.dumps(position).encode()).decode()
        answer = acme.call("GET", f"{path}?cursor={packed}")
        assert (answer.status, answer.code) in [(200, None), (400, "invalid_cursor")], answer

    drive()


def cases(operation: Any, mode: GenerationMode, known: dict[str, list[str]]) -> st.SearchStrategy[Case]:
    """Cases for an operation; where its path names an id, most of them name one that exists."""
    anything: st.SearchStrategy[Case] = operation.as_strategy(generation_mode=mode)
    names = re.findall(r"{(\w+)}", operation.path)
    existing = [
        operation.as_strategy(generation_mode=mode, path_parameters=dict.fromkeys(names, id_))
        for name in names
        for id_ in known[name]
    ]
    return st.one_of(anything, *existing).filter(has_one_length)


def has_one_length(case: Case) -> bool:
    """Two halves of a surrogate pair are two characters to Python and, once sent, one to everybody else."""
    return not re.search("[\ud800-\udbff][\udc00-\udfff]", repr_of(case.body))


def repr_of(body: object) -> str:
    return json.dumps(body, ensure_ascii=False, default=str)


def judge(party: Party, case: Case, *further: Any) -> None:
    """Send the case with the organization's key and hold the answer against the document."""
    response = case.call(headers={"Authorization": f"Bearer {party.token}"})
    case.validate_response(response, checks=[*CHECKS, *further])


def is_json_or_a_problem(ctx: Any, response: Response, case: Case) -> None:
    """RFC 9457 with our own members; about what was asked, and about nothing inside of us."""
    text = response.content.decode()
    media_type = response.headers.get("content-type")
    if response.status_code < 400:
        assert media_type == (["application/json"] if text else None)
        return
    problem = json.loads(text)
    assert media_type == ["application/problem+json"]
    assert problem.keys() - {"errors"} == {"type", "title", "status", "code", "detail"}
    assert problem["status"] == response.status_code
    assert re.fullmatch(r"[a-z_]+", problem["code"])
    assert not INSIDES.search(problem["detail"])


def is_a_stranger_to_browsers(ctx: Any, response: Response, case: Case) -> None:
    """No cookie, nothing to cache, nothing to sniff."""
    headers = response.headers
    assert "set-cookie" not in headers
    assert (headers["cache-control"], headers["x-content-type-options"]) == (["no-store"], ["nosniff"])


def is_refused(ctx: Any, response: Response, case: Case) -> None:
    """As a whole; or, in a batch, the messages that do not fit."""
    if case.path == "/api/v1/messages/batch/" and response.status_code == 200:
        assert any("code" in result for result in json.loads(response.content)["results"])
    else:
        checks.negative_data_rejection(ctx, response, case)


def is_refused_only_for_what_the_document_cannot_say(ctx: Any, response: Response, case: Case) -> None:
    if response.status_code >= 400:
        problem = json.loads(response.content)
        codes = {error["code"] for error in problem.get("errors", [problem])}
        assert codes <= UNSAYABLE, problem


CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    is_json_or_a_problem,
    is_a_stranger_to_browsers,
]


def is_whole(party: Party, receipt: dict[str, str]) -> bool:
    """The message, its conversation and its End User can be read."""
    answers: list[Answer] = [
        party.call("GET", f"conversations/{receipt['conversation_id']}/"),
        party.call("GET", f"conversations/{receipt['conversation_id']}/messages/"),
        party.call("GET", f"end-users/{receipt['end_user_id']}/"),
    ]
    return {answer.status for answer in answers} == {200}
