"""Letting somebody in to listen: by the very door every page of the dashboard stands behind.

Runs in threads, because it asks the database. Listening is no use of anything: it keeps no sign-in alive.
"""

import uuid
from collections.abc import Collection
from io import BytesIO
from typing import Any, NamedTuple, cast

from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts import doors, people, roles, sign_ins
from accounts.doors import Asking
from accounts.roles import Permission
from iva import headers


class Refused(Exception):
    """Why somebody may not listen, as the problem document says it."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        self.status, self.code, self.detail = status, code, detail
        super().__init__(code)


class Listener(NamedTuple):
    """Who listens, for which organization, in which sign-in."""

    organization_id: uuid.UUID
    user_id: uuid.UUID
    membership_id: uuid.UUID
    sign_in_id: uuid.UUID


class Admitted(NamedTuple):
    """A listener, and the origin whose pages may read the answer, None for our own."""

    listener: Listener
    origin: str | None


@doors.member(polled=True, GET=Permission.CONVERSATIONS_READ)
def _let_in(request: Asking) -> HttpResponse:
    return HttpResponse(status=204)


def admit(scope: dict[str, Any]) -> Admitted:
    """Who stands at the door with this request. Raises Refused."""
    close_old_connections()
    request = cast(Asking, ASGIRequest(scope, BytesIO()))
    try:
        origin = _origin(request)
    except DisallowedHost:
        raise Refused(400, "bad_request", "This host is not ours.") from None
    answer = cast(HttpResponse, SessionMiddleware(_let_in)(request))
    if answer.status_code == 303:
        raise _sent_elsewhere(answer["Location"].split("?")[0])
    if answer.status_code == 403:
        raise Refused(403, "not_permitted", "This role or place may not read conversations.")
    if answer.status_code != 204:
        raise Refused(503, "unavailable", "Please try again in a moment.")
    acting = request.acting
    listener = Listener(
        acting.organization_id, acting.user_id, acting.membership_id, request.visit.sign_in_id
    )
    return Admitted(listener, origin)


def _origin(request: HttpRequest) -> str | None:
    """Of the page that asks, where it is the other port of ours. Raises Refused for a stranger's page."""
    host = request.get_host()
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site", "none")
    if site == "same-origin" or (origin is None and site == "none"):
        return None
    if origin is not None and origin == headers.web_origin(request):
        return origin
    if origin in (f"http://{host}", f"https://{host}"):
        return None
    raise Refused(403, "cross_origin", "Only pages of this site may listen.")


def _sent_elsewhere(where: str) -> Refused:
    if where == reverse("sign-in"):
        return Refused(401, "not_signed_in", "Sign in first.")
    return Refused(403, "not_yet_open", "Something has to be done on the dashboard first.")


def still_admitted(listeners: Collection[Listener]) -> set[Listener]:
    """Whose sign-in lives and whose role still opens the conversations; two questions for all of them."""
    close_old_connections()
    living = sign_ins.living({each.sign_in_id for each in listeners})
    role_of = people.roles_of({each.membership_id for each in listeners})
    return {
        each
        for each in listeners
        if each.sign_in_id in living
        and each.membership_id in role_of
        and roles.grants(role_of[each.membership_id], Permission.CONVERSATIONS_READ)
    }
