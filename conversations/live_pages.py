"""What a page that cannot hold a live stream asks instead, and what the pages need to know of both."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path, reverse

from accounts import doors
from accounts.doors import Asking
from accounts.people import Acting
from accounts.roles import Permission
from conversations import live
from iva import headers
from iva.problems import Problem

STREAM = "/live/"
LONGEST_NUMBER = 18


@doors.member(polled=True, GET=Permission.CONVERSATIONS_READ)
def changes(request: Asking) -> HttpResponse:
    """What has changed since the number of an earlier answer; ids only."""
    found = live.changes(_since(request))
    return JsonResponse(
        {"since": found.since, "conversations": found.conversations, "everything": found.everything}
    )


def _since(request: HttpRequest) -> int | None:
    text = request.GET.get("since", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER):
        raise Problem("invalid_cursor", "`since` is not a number that we gave.")
    return int(text)


def context(request: HttpRequest) -> dict[str, Any]:
    """A context processor: where members who may read conversations hear of changes."""
    acting: Acting | None = getattr(request, "acting", None)
    if acting is None or not acting.may(Permission.CONVERSATIONS_READ):
        return {}
    return {"live": {"stream": headers.live_origin(request) + STREAM, "changes": reverse("live-changes")}}


urlpatterns = [path("live/changes/", changes, name="live-changes")]
