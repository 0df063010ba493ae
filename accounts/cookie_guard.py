"""No cookie leaves that is not in the registry, and no optional one without a choice (P30)."""

from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

from accounts import cookies
from accounts.cookies import Choice

logger = structlog.get_logger("accounts.cookie_guard")


class CookieGuard:
    """Drops what may not be set, and says so: an undeclared cookie is a mistake of ours, not of a visitor."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name in _refused(request, response):
            del response.cookies[name]
            report(name)
        if response.has_header("Set-Cookie"):
            del response.headers["Set-Cookie"]
            report("Set-Cookie")
        return response


def choice_of(request: HttpRequest) -> Choice | None:
    """What this browser has decided, as far as it says so."""
    return cookies.read(request.COOKIES.get(cookies.CHOICE_COOKIE, ""))


def asks_for_privacy(request: HttpRequest) -> bool:
    """Whether the browser sends Global Privacy Control: `Sec-GPC: 1` and nothing else (W3C GPC 3.2)."""
    return request.headers.get("Sec-GPC") == "1"


def report(name: str) -> None:
    """An error in the log, with the name our code gave the cookie."""
    logger.error("a cookie was not set", reason=name)


def _refused(request: HttpRequest, response: HttpResponse) -> list[str]:
    """Deleting one that is declared is always allowed: that is how a choice is taken back."""
    if not response.cookies:
        return []
    choice, gpc = choice_of(request), asks_for_privacy(request)
    declared = {cookie.name for cookie in cookies.REGISTRY}
    return [
        name
        for name, morsel in response.cookies.items()
        if not cookies.may_be_set(name, choice, gpc=gpc)
        and not (name in declared and str(morsel["max-age"]) == "0")
    ]
