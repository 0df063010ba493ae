"""`/me/activity/`: what one did, and what was done about oneself, newest first (P29)."""

import uuid
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import path

from accounts import activity, doors, household, naming, people, trail_words
from accounts.activity import Deed, Trail
from accounts.doors import Asking
from accounts.people import NoSuchMember
from iva.audit.actors import ActorKind

IN_WORDS = ("factor", "role", "before", "after", "kind", "version", "fields", "form")
SOMEBODY = frozenset({ActorKind.PERSON, ActorKind.MEMBER, ActorKind.OPERATOR, ActorKind.API_KEY})


@doors.signed_in("GET")
def my_activity(request: Asking) -> HttpResponse:
    """One page of one's own events: signing in, and the organization one works for."""
    deeds = activity.of(_trails(request), _before(request), limit=activity.PAGE + 1)
    shown = deeds[: activity.PAGE]
    context = {
        "deeds": [_told(deed) for deed in shown],
        "older": shown[-1].id if len(deeds) > len(shown) else None,
        "is_first": "before" not in request.GET,
    }
    return render(request, "accounts/my_activity.html", context)


def _trails(request: Asking) -> list[Trail]:
    person_id = request.visit.user_id
    trails = [Trail(household.HOUSEHOLD, frozenset({person_id}))]
    try:
        organization_id = uuid.UUID(request.session[doors.ORGANIZATION])
        acting = people.enter(person_id, organization_id)
    except (KeyError, ValueError, NoSuchMember):
        return trails
    return [*trails, Trail(organization_id, frozenset({person_id, acting.membership_id}))]


def _before(request: Asking) -> uuid.UUID | None:
    if "before" not in request.GET:
        return None
    try:
        return uuid.UUID(request.GET["before"])
    except ValueError:
        raise Http404 from None


def _told(deed: Deed) -> dict[str, Any]:
    said = [(name, deed.codes[name]) for name in IN_WORDS if name in deed.codes]
    return {
        "occurred_at": deed.occurred_at,
        "what": naming.event(deed.event),
        "details": [trail_words.value(name, str(value)) for name, value in said],
        "is_own": deed.is_own,
        "who": trail_words.ACTOR_NAMES[deed.actor],
        "is_somebody": deed.actor in SOMEBODY,
        "at_home": deed.organization_id == household.HOUSEHOLD,
    }


urlpatterns = [path("me/activity/", my_activity, name="my-activity")]
