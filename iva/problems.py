"""Errors as problem documents (RFC 9457): a code for machines, a sentence for people, no stack trace."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.template import loader
from django.utils.translation import gettext
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from iva.crypto.keys import KeyShredded
from iva.crypto.kms import EpochDestroyed, KeyServiceUnavailable
from iva.crypto.ledger import LedgerBroken

MEDIA_TYPE = "application/problem+json"
logger = structlog.get_logger("iva.problems")


class Problem(exceptions.APIException):
    """An error with its own code. `Problem("identity_conflict", "…", 409)`; `extra` adds members.

    `wait` seconds go into `Retry-After`.
    """

    wait: int | None = None

    def __init__(self, code: str, detail: str, status_code: int = 400, **extra: Any) -> None:
        self.status_code, self.code, self.extra = status_code, code, extra
        super().__init__(detail, code)


def document(status_code: int, code: str, detail: str, **extra: Any) -> dict[str, Any]:
    """The body of a problem. `type` is about:blank: the code says which problem it is."""
    title = HTTPStatus(status_code).phrase
    return {
        "type": "about:blank",
        "title": title,
        "status": status_code,
        "code": code,
        "detail": detail,
        **extra,
    }


def respond(status_code: int, code: str, detail: str, **extra: Any) -> JsonResponse:
    """A problem document outside the REST framework."""
    body = document(status_code, code, detail, **extra)
    return JsonResponse(body, status=status_code, content_type=MEDIA_TYPE)


def handle(error: Exception, context: dict[str, Any]) -> Response:
    """The REST framework's exception handler: every error leaves as a problem document."""
    set_rollback()
    body, headers = _reported(error)
    response = Response(body, status=body["status"], headers=headers, content_type=MEDIA_TYPE)
    response.exception = True
    return response


def respond_to(error: Exception) -> JsonResponse:
    """The same for a view outside the REST framework."""
    body, headers = _reported(error)
    return JsonResponse(body, status=body["status"], headers=headers, content_type=MEDIA_TYPE)


def _reported(error: Exception) -> tuple[dict[str, Any], dict[str, str]]:
    body, headers = _describe(error)
    if body["status"] >= 500:
        logger.error("request failed", exc_info=error)
    return body, headers


def _describe(error: Exception) -> tuple[dict[str, Any], dict[str, str]]:
    match error:
        case Http404():
            return document(404, "not_found", "There is nothing here."), {}
        case PermissionDenied():
            return document(403, "permission_denied", "This is not allowed."), {}
        case RequestDataTooBig():
            return document(413, "body_too_large", "The body is larger than this endpoint accepts."), {}
        case KeyShredded():
            return document(410, "erased", "This has been erased."), {}
        case KeyServiceUnavailable() | EpochDestroyed() | LedgerBroken():
            return document(503, "keys_unavailable", "Please try again in a moment."), {"Retry-After": "5"}
        case OperationalError():
            return document(503, "database_unavailable", "Please try again in a moment."), {
                "Retry-After": "1"
            }
        case Problem():
            return document(error.status_code, error.code, str(error.detail), **error.extra), _headers(error)
        case exceptions.ValidationError():
            detail = "The body does not fit. See `errors`."
            return document(422, "invalid", detail, errors=_flatten(error.get_full_details())), {}
        case exceptions.APIException():
            return document(error.status_code, _code(error), _sentence(error)), _headers(error)
    return document(500, "internal_error", "Something went wrong on our side. Nothing was changed."), {}


def _flatten(details: Any, path: str = "") -> list[dict[str, str]]:
    if isinstance(details, dict) and set(details) == {"message", "code"}:
        return [{"field": path, "code": str(details["code"]), "detail": str(details["message"])}]
    pairs = details.items() if isinstance(details, dict) else enumerate(details)
    return [line for key, value in pairs for line in _flatten(value, _join(path, key))]


def _join(path: str, key: Any) -> str:
    if isinstance(key, int):
        return path
    return f"{path}.{key}" if path else str(key)


def _code(error: exceptions.APIException) -> str:
    codes = error.get_codes()
    return codes if isinstance(codes, str) else "invalid"


def _sentence(error: exceptions.APIException) -> str:
    return str(error.detail) if isinstance(error.detail, str) else "The request cannot be carried out."


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        headers["WWW-Authenticate"] = 'Bearer realm="IVA API"'
    wait = getattr(error, "wait", None)
    if wait is not None:
        headers["Retry-After"] = str(max(1, int(wait)))
    return headers


class LengthRequired:
    """Refuses a body sent in chunks: WSGI says nothing of its length, and it would be read as empty."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "HTTP_TRANSFER_ENCODING" in request.META and not request.META.get("CONTENT_LENGTH"):
            return respond(411, "length_required", "Send the body with a Content-Length, not in chunks.")
        return self.get_response(request)


class MethodProblems:
    """Gives the empty 405 of Django's plain views the body that every other error has."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not isinstance(response, HttpResponseNotAllowed):
            return response
        told = _page_or_problem(request, 405, "method_not_allowed", "This address does not answer that.")
        told["Allow"] = response["Allow"]
        return told


def _page_or_problem(request: HttpRequest, status_code: int, code: str, detail: str) -> HttpResponse:
    if request.path.startswith(("/admin/", "/legal/", "/static/")) or _is_browser(request):
        return page(request, status_code, code, detail)
    return respond(status_code, code, detail)


def _is_browser(request: HttpRequest) -> bool:
    return not request.path.startswith("/api/") and "text/html" in request.headers.get("Accept", "")


def page(request: HttpRequest, status_code: int, code: str, detail: str, **extra: Any) -> HttpResponse:
    """A problem for people, in their language; for htmx, which shows the sentence itself, the document."""
    said = gettext(detail)
    if request.headers.get("HX-Request"):
        return respond(status_code, code, said, **extra)
    context = {"status": status_code, "code": code, "detail": said}
    return HttpResponse(loader.render_to_string("problem.html", context), status=status_code)


def page_of(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """The page of an error that says something to people; None for those that are our own mistake."""
    body, headers = _describe(error)
    if body["code"] == "internal_error":
        return None
    if body["status"] >= 500:
        logger.error("request failed", exc_info=error)
    response = page(request, body["status"], body["code"], body["detail"])
    for name, value in headers.items():
        response[name] = value
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return _page_or_problem(
            request, status.HTTP_413_REQUEST_ENTITY_TOO_LARGE, "body_too_large", "The body is too large."
        )
    return _page_or_problem(request, 400, "bad_request", "The request cannot be read.")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page_or_problem(request, 403, "permission_denied", "This is not allowed.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    there = request.path.startswith("/api/v1/") and not request.path.endswith("/")
    detail = "There is nothing here. Addresses end with a slash." if there else "There is nothing here."
    return _page_or_problem(request, 404, "not_found", detail)


def server_error(request: HttpRequest) -> HttpResponse:
    detail = "Something went wrong on our side. Nothing was changed."
    return _page_or_problem(request, 500, "internal_error", detail)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _page_or_problem(
        request, 403, "csrf_failed", "The form has expired. Reload the page and try again."
    )
