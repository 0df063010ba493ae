"""Security headers of every response (P47, P53): nothing from elsewhere, nothing in a frame.

A page's scripts carry a nonce of their own, made with the page; a page without scripts may run none but
our files (CSP Level 3).
"""

import secrets
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.utils.functional import SimpleLazyObject

SCRIPTS = "script-src 'self'; "
CONNECTIONS = "connect-src 'self'"
POLICY = (
    f"default-src 'none'; {SCRIPTS}style-src 'self'; img-src 'self' data:; font-src 'self'; "
    f"{CONNECTIONS}; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "object-src 'none'"
)
LINKS = '</legal/privacy_policy/>; rel="privacy-policy", </legal/terms/>; rel="terms-of-service"'
"""On every page (P92; RFC 6903)."""

PERMISSIONS = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()"


def nonce(request: HttpRequest) -> dict[str, object]:
    """A context processor: `csp_nonce`, made when a template first asks for it."""

    def make() -> str:
        made: str = vars(request).setdefault("csp_nonce", secrets.token_urlsafe(16))
        return made

    return {"csp_nonce": SimpleLazyObject(make)}


def live_origin(request: HttpRequest) -> str:
    """Where the live stream is: "" on a server, the other port of the same host under `make run`.

    Cookies know no ports, so the session's reaches both.
    """
    if not settings.IVA_LIVE_PORT:
        return ""
    return f"http://{split_domain_port(request.get_host())[0]}:{settings.IVA_LIVE_PORT}"


def web_origin(request: HttpRequest) -> str | None:
    """Where the pages are, seen from the live stream's port; None on a server, where both are one origin."""
    if not settings.IVA_WEB_PORT:
        return None
    return f"http://{split_domain_port(request.get_host())[0]}:{settings.IVA_WEB_PORT}"


class SecurityHeaders:
    """Adds the headers Django has no setting for. A view may have set a policy of its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        made = vars(request).get("csp_nonce")
        policy = POLICY.replace(SCRIPTS, f"script-src 'nonce-{made}' 'strict-dynamic'; ") if made else POLICY
        if settings.IVA_LIVE_PORT:
            policy = policy.replace(CONNECTIONS, f"{CONNECTIONS} {live_origin(request)}")
        response.setdefault("Content-Security-Policy", policy)
        response.setdefault("Permissions-Policy", PERMISSIONS)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.setdefault("Cache-Control", "no-store")
        if response.get("Content-Type", "").startswith("text/html"):
            response.setdefault("Link", LINKS)
        return response
