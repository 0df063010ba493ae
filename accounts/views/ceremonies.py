"""A passkey's challenge from question to answer: in the session, for one purpose, once, for five minutes."""

import base64
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.passkeys import Asked, Site

CEREMONY = "ceremony"
PATIENCE = timedelta(minutes=5)
LONGEST_ANSWER = 20_000


class NothingAsked(Exception):
    """No question is open: it was answered, is too old, or was another's."""


def site_of(request: HttpRequest) -> Site:
    """Who we are to a browser: `IVA_SITE_URL`, or for `make run` whatever host was asked (ALLOWED_HOSTS)."""
    fixed = settings.IVA_SITE_URL if settings.OVER_TLS else ""
    origin = fixed or f"{request.scheme}://{request.get_host()}"
    return Site(urlsplit(origin).hostname or "", origin)


def question(request: HttpRequest, purpose: str, asked: Asked) -> HttpResponse:
    """Keep the challenge, and give the browser what it needs to answer."""
    request.session[CEREMONY] = {
        "challenge": base64.b64encode(asked.challenge).decode(),
        "for": purpose,
        "at": timezone.now().isoformat(),
    }
    return HttpResponse(asked.options, content_type="application/json")


def challenge(request: HttpRequest, purpose: str) -> bytes:
    """The challenge that was asked for this purpose; from now on there is none. Raises NothingAsked."""
    kept = request.session.pop(CEREMONY, None)
    if kept is None or kept["for"] != purpose:
        raise NothingAsked
    if timezone.now() - datetime.fromisoformat(kept["at"]) > PATIENCE:
        raise NothingAsked
    return base64.b64decode(kept["challenge"])


def answer(request: HttpRequest) -> str:
    """What the browser's form says."""
    return request.POST.get("credential", "")[: LONGEST_ANSWER + 1]
