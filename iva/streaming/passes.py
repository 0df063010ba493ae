"""Letting somebody in to listen: by the very door every page of the dashboard stands behind.

Runs in threads, because it asks the database. Listening is no use of anything: it keeps no sign-in alive.
"""

import uuid
from collections.abc import Collection
from datetime import datetime
from io import BytesIO
from typing import Any, NamedTuple, cast

from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts import allow_list, doors, organizations, people, roles, sign_ins, throttling
from accounts.allow_list import Networks
from accounts.doors import Asking
from accounts.roles import Permission, Role
from iva import headers


class Refused(Exception):
    """Why somebody may not listen, as the problem document says it."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        self.status, self.code, self.detail = status, code, detail
        super().__init__(code)


class Listener(NamedTuple):
    """Who listens, for which organization, in which sign-in, from where."""

    organization_id: uuid.UUID
    user_id: uuid.UUID
    membership_id: uuid.UUID
    sign_in_id: uuid.UUID
    address: str


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
        acting.organization_id,
        acting.user_id,
        acting.membership_id,
        request.visit.sign_in_id,
        throttling.peer(request.META),
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
    """Whom the door would let in now as it did then: by sign-in, role, second factor and network.

    Three questions for all of them together, and one for each organization: its list as it is now.
    """
    close_old_connections()
    places = {each.organization_id for each in listeners}
    known = _Known(
        sign_ins.living({each.sign_in_id for each in listeners}),
        people.roles_of({each.membership_id for each in listeners}),
        organizations.demanding_second_factor(places),
        {place: allow_list.of(place) for place in places},
    )
    return {each for each in listeners if known.admits(each)}


class _Known(NamedTuple):
    """What decides, as it was found a moment ago."""

    proved_at: dict[uuid.UUID, datetime | None]
    role_of: dict[uuid.UUID, Role]
    demanding: set[uuid.UUID]
    networks: dict[uuid.UUID, Networks]

    def admits(self, each: Listener) -> bool:
        role = self.role_of.get(each.membership_id)
        if role is None or each.sign_in_id not in self.proved_at:
            return False
        is_demanded = each.organization_id in self.demanding
        needs_proof = roles.needs_second_factor(role, is_demanded)
        return (
            roles.grants(role, Permission.CONVERSATIONS_READ)
            and not (needs_proof and self.proved_at[each.sign_in_id] is None)
            and self.networks[each.organization_id].admits(each.address)
        )
