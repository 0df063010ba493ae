"""Structured logs that carry ids and never content (P28).

The keys of a log event are a closed list: anything else is dropped before it is written, and an error is
logged with its type and place, never with its message, because messages of exceptions quote values.
"""

import contextvars
import logging
import re
import sys
import time
import traceback
import uuid
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse

from iva import metrics

ALLOWED = frozenset(
    [
        "event",
        "level",
        "logger",
        "timestamp",
        "request_id",
        "method",
        "route",
        "status",
        "milliseconds",
        "organization",
        "api_key",
        "actor",
        "conversation",
        "message",
        "erasure",
        "channel",
        "task",
        "count",
        "attempt",
        "reason",
        "error",
        "place",
        "epoch",
        "service",
        "path_id",
    ]
)
WITHHELD = "(a library said something; what, may quote content)"
PLACEHOLDER = re.compile(r"%(\(\w+\))?[-#0 +]*[\d.*]*[a-zA-Z]")
REQUEST_ID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")


def only_allowed(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Keep the declared keys; say where an error happened instead of what it said."""
    error = event.pop("exc_info", None)
    if error:
        event.update(describe(error))
    if request_id.get():
        event["request_id"] = request_id.get()
    return {key: value for key, value in event.items() if key in ALLOWED}


def describe(error: Any) -> dict[str, str]:
    """The type of an exception and the line of ours that raised it."""
    raised = sys.exc_info() if error is True else error
    exception = raised[1] if isinstance(raised, tuple) else raised
    if not isinstance(exception, BaseException):
        return {}
    frames = traceback.extract_tb(exception.__traceback__)
    ours = [frame for frame in frames if "site-packages" not in frame.filename] or frames
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
    return {"error": type(exception).__qualname__, "place": place}


def only_templates(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Of a library's sentence keep the template; one that is already put together is told by its place."""
    record: logging.LogRecord = event["_record"]
    event["place"] = f"{record.filename}:{record.lineno}"
    if not event.pop("positional_args", None) or not re.search("[a-z]{3}", PLACEHOLDER.sub("", record.msg)):
        event["event"] = WITHHELD
    return event


def configuration(level: str, *, pretty: bool) -> dict[str, Any]:
    """Django's LOGGING: one JSON line an event, or a readable line at the developer's terminal."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=False) if pretty else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": [*shared, only_templates],
                "use_get_message": False,
                "pass_foreign_args": True,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    only_allowed,
                    renderer,
                ],
            }
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": "WARNING", "propagate": True},
            "django.request": {"level": "ERROR"},
            "celery": {"level": "WARNING"},
            "django.security.DisallowedHost": {"handlers": [], "level": "CRITICAL", "propagate": False},
            "django.server": {"handlers": [], "level": "ERROR", "propagate": False},
        },
    }


class RequestLog:
    """One line and one measurement for each request; the id goes back in `X-Request-ID`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.logger = structlog.get_logger("iva.requests")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        offered = request.headers.get("X-Request-ID", "")
        token = request_id.set(offered if REQUEST_ID.fullmatch(offered) else uuid.uuid4().hex)
        try:
            response = self.get_response(request)
            response["X-Request-ID"] = request_id.get()
            self._write(request, response, time.perf_counter() - started)
            return response
        finally:
            request_id.reset(token)

    def _write(self, request: HttpRequest, response: HttpResponse, seconds: float) -> None:
        match = request.resolver_match
        route = match.route if match else "unmatched"
        method = request.method if request.method in METHODS else "other"
        metrics.REQUESTS.labels(method, route, response.status_code).inc()
        metrics.REQUEST_SECONDS.labels(route).observe(seconds)
        self.logger.info(
            "request",
            method=method,
            route=route,
            status=response.status_code,
            milliseconds=round(seconds * 1000, 1),
        )
