"""What is logged: ids and codes from a closed list, a line for each event, and nothing that anybody said."""

import io
import json
import logging
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from django.db import DataError, connection
from django.test import Client

from iva import logs
from tests.cast import Party

SAID = "Хөвчлөрөндий"
NAME = "zhverqolupta"
PHONE = "89043717"
PLANTED = [SAID, NAME, PHONE, SAID.encode().hex(), json.dumps(SAID)[1:-1]]
LIBRARIES = [
    "amqp",
    "asyncio",
    "billiard",
    "botocore",
    "celery.app.trace",
    "celery.worker.strategy",
    "concurrent.futures",
    "django.db.backends",
    "django.request",
    "django.security.SuspiciousOperation",
    "django.template",
    "drf_spectacular",
    "granian",
    "_granian",
    "httpx",
    "kombu.connection",
    "limits",
    "multiprocessing",
    "psycopg",
    "psycopg.pool",
    "py.warnings",
    "redis",
    "urllib3.connectionpool",
    "whitenoise",
    "a.library.of.tomorrow",
]


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What the console handler has written since, each line parsed."""
    handler = next(
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter)
    )
    assert isinstance(handler, logging.StreamHandler)
    written = io.StringIO()
    before = handler.setStream(written)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    handler.setStream(before)


def is_clean(lines: list[dict[str, Any]]) -> bool:
    """Only declared keys, plain values, and none of the words, in whatever form."""
    text = json.dumps(lines, ensure_ascii=False) + json.dumps(lines)
    assert [word for word in PLANTED if word in text] == []
    assert {key for line in lines for key in line} <= logs.ALLOWED
    return True


def test_a_key_outside_the_list_is_dropped(lines: Callable[[], list[dict[str, Any]]]) -> None:
    logger = structlog.get_logger("iva.anything").bind(customer=NAME)
    logger.warning("it happened", count=1, text=SAID, phone=PHONE, body={"name": NAME}, exception=NAME)
    logger.warning("it happened to %s", SAID, stack=NAME)
    first, second = lines()
    assert is_clean([first, second])
    assert (first["event"], first["count"], first["level"]) == ("it happened", 1, "warning")
    assert first["logger"] == "iva.anything"
    assert second["event"] == "it happened to %s"


def raised(error: Exception) -> Exception:
    try:
        try:
            raise KeyError(NAME)
        except KeyError as cause:
            error.add_note(SAID)
            raise error from cause
    except Exception as caught:
        return caught


@pytest.mark.parametrize(
    "error",
    [
        ValueError(SAID),
        UnicodeEncodeError("ascii", SAID, 0, 1, NAME),
        ExceptionGroup(SAID, [ValueError(NAME)]),
        SystemError(f"{SAID} {PHONE}"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_is_logged_by_type_and_place_and_never_by_what_it_said(
    lines: Callable[[], list[dict[str, Any]]], error: Exception
) -> None:
    caught = raised(error)
    structlog.get_logger("iva.anything").error("it failed", exc_info=caught)
    logging.getLogger("celery.app.trace").error("it failed", exc_info=caught)
    try:
        raise caught
    except Exception:
        structlog.get_logger("iva.anything").exception("it failed")
    assert is_clean(lines())
    for line in lines():
        assert line["error"] == type(error).__name__
        assert re.fullmatch(r"test_logs\.py:\d+", line["place"])


def test_an_error_that_was_never_raised_has_no_place(lines: Callable[[], list[dict[str, Any]]]) -> None:
    structlog.get_logger("iva.anything").error("it failed", exc_info=ValueError(SAID))
    structlog.get_logger("iva.anything").error("it failed", exc_info=True)
    assert is_clean(lines())
    assert [line.get("error") for line in lines()] == ["ValueError", None]


def test_the_values_of_a_failed_statement_are_not_logged(
    acme: Party, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    """PostgreSQL's message quotes the value; a library that logs the message must not either."""
    statement = "SELECT %s::int"
    with pytest.raises(DataError, match=SAID) as failure, acme.tenant(), connection.cursor() as cursor:
        cursor.execute(statement, [SAID])
    structlog.get_logger("iva.anything").error("it failed", exc_info=failure.value)
    logging.getLogger("psycopg").warning("error ignored terminating %r: %s", connection, failure.value)
    logging.getLogger("django.db.backends").error("%s; args=%s", statement, [SAID], exc_info=failure.value)
    assert is_clean(lines())
    assert {line.get("error") for line in lines()} == {"DataError", None}


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_gets_its_template_logged_and_never_what_it_filled_in(
    lines: Callable[[], list[dict[str, Any]]], library: str
) -> None:
    logger = logging.getLogger(library)
    logger.error("%s wrote to %s", NAME, SAID, extra={"phone": PHONE, "reason": PHONE, "task": NAME})
    logger.error("%(name)s wrote", {"name": NAME})
    logger.error("failed", exc_info=raised(ValueError(SAID)))
    assert is_clean(lines())
    assert len(lines()) == 3
    assert lines()[0]["event"] == "%s wrote to %s"
    assert lines()[0]["level"] == "error"


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_sentence_that_a_library_has_already_put_together_is_not_logged(
    lines: Callable[[], list[dict[str, Any]]], library: str
) -> None:
    logging.getLogger(library).error(f"{NAME} wrote {SAID}")
    logging.getLogger(library).error(ValueError(SAID))
    assert is_clean(lines())
    assert len(lines()) == 2


def test_a_day_of_messages_and_mistakes_leaves_ids_only(
    acme: Party, lines: Callable[[], list[dict[str, Any]]], work_is_done: Callable[[], object]
) -> None:
    sender = {"name": NAME, "phone": PHONE, "email": f"{NAME}@example.com"}
    receipt = acme.says(SAID, external_id=SAID, **sender).body
    entry = {"title": SAID, "question": SAID, "alternatives": [NAME], "answer": SAID}
    acme.call("POST", "knowledge/", entry)
    work_is_done()
    acme.call("GET", f"conversations/{receipt['conversation_id']}/messages/?cursor={NAME}")
    acme.call("POST", "end-users/search/", {"phone": PHONE})
    acme.call("POST", "messages/", {"text": SAID, NAME: SAID})
    acme.call("GET", f"{SAID}/{PHONE}/?phone={PHONE}&name={SAID}")
    acme.call("GET", "organization/", token=NAME)
    acme.call("GET", "organization/", **{"User-Agent": NAME, "Referer": f"https://{NAME}/", "Accept": NAME})
    acme.client.get("/healthz", headers={"Host": f"{NAME}.example"})
    acme.client.get(f"/admin/login/?next={PHONE}")
    acme.client.post("/admin/login/", {"username": f"{NAME}@example.com", "password": PHONE})
    assert is_clean(lines())
    routes = {line["route"] for line in lines() if "route" in line}
    assert "api/v1/conversations/<uuid:conversation_id>/messages/" in routes
    assert "unmatched" in routes


INJECTIONS = [
    "x\r\nSet-Cookie: a=b",
    'x"}\n{"event": "forged", "level": "error"}',
    "%0a%0d",
    "\x1b[2J",
    "\u2028\u2029",
    "a" * 10_000,
    "",
    PHONE,
    "deadbeef" * 3,
]


@pytest.mark.parametrize("forged", INJECTIONS)
def test_a_header_cannot_write_into_the_log(
    acme: Party, lines: Callable[[], list[dict[str, Any]]], forged: str
) -> None:
    environ = {"HTTP_X_REQUEST_ID": forged, "HTTP_USER_AGENT": forged, "REMOTE_USER": forged}
    response = Client().generic("GET", "/healthz", **environ)
    (line,) = lines()
    assert response.status_code == 200
    assert line["event"] == "request"
    assert re.fullmatch(r"[0-9a-f]{32}", line["request_id"])
    assert response.headers["X-Request-ID"] == line["request_id"] != forged
    assert forged == "" or forged not in json.dumps(line)


@pytest.mark.parametrize("forged", INJECTIONS)
def test_a_path_or_a_method_cannot_write_into_the_log(
    acme: Party, lines: Callable[[], list[dict[str, Any]]], forged: str
) -> None:
    client = Client(raise_request_exception=False)
    sent = forged.encode().decode("latin-1")
    client.generic("GET", "/", PATH_INFO=f"/{sent}/{sent}", QUERY_STRING=sent)
    client.generic(f"GET{forged}".replace("\n", "").replace("\r", "") or "X", "/healthz")
    written = lines()
    assert [line["event"] for line in written if line["logger"] == "iva.requests"] == ["request"] * 2
    assert forged == "" or forged not in json.dumps(written, ensure_ascii=False)


def test_a_request_id_of_the_proxy_is_kept_through_all_lines(
    acme: Party, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    offered = str(uuid.uuid4())
    response = Client().get("/healthz", headers={"X-Request-ID": offered})
    assert response.headers["X-Request-ID"] == offered
    Client().get("/healthz")
    first, second = lines()
    assert first["request_id"] == offered != second["request_id"]


def test_for_people_the_same_is_written_readably() -> None:
    arguments = logs.configuration("INFO", pretty=True)["formatters"]["structured"]
    pretty = structlog.stdlib.ProcessorFormatter(
        **{name: value for name, value in arguments.items() if name != "()"}
    )
    record = logging.LogRecord("celery", logging.ERROR, "x.py", 1, "%s failed", (SAID,), None)
    text = pretty.format(record)
    assert "%s failed" in text
    assert SAID not in text
