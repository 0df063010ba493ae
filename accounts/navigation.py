"""Where a member can go: the dashboard's navigation, as far as their role reaches."""

import uuid
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import people
from accounts.models import Organization
from accounts.people import Acting, NoSuchMember
from accounts.roles import Permission
from accounts.sign_ins import Visit


class Place(NamedTuple):
    """A page: the name of its route, what it is called, its icon, and what opens it (None: any member)."""

    route: str
    label: str | Promise
    icon: str
    permission: Permission | None


DAILY = [
    Place("home", _("Home"), "home", None),
    Place("inbox", _("Inbox"), "inbox", Permission.CONVERSATIONS_READ),
]
SETTINGS = [
    Place("settings-organization", _("Organization"), "building-office", Permission.ORGANIZATION_READ),
    Place("settings-members", _("Members"), "users", Permission.MEMBERS_READ),
    Place("settings-roles", _("Roles"), "identification", Permission.ORGANIZATION_READ),
    Place("settings-security", _("Security"), "shield-check", Permission.SECURITY_MANAGE),
    Place("settings-channels", _("Channels"), "chat-bubble-left-right", Permission.CHANNELS_READ),
    Place("settings-api-keys", _("API keys"), "key", Permission.API_KEYS_READ),
    Place("settings-sentiment", _("Sentiment"), "face-smile", Permission.ORGANIZATION_READ),
    Place("settings-agreements", _("Agreements"), "document-text", Permission.ORGANIZATION_READ),
    Place("audit-trail", _("Audit trail"), "clipboard-document-list", Permission.AUDIT_READ),
]
BELOW = {
    "address": "profile",
    "read-my-data": "my-data",
    "leave-organization": "settings-organization",
    "invite-member": "settings-members",
    "settings-member": "settings-members",
    "new-api-key": "settings-api-keys",
    "rotate-api-key": "settings-api-keys",
}
"""Pages that belong to a place: while one is open, the place is marked."""

ONESELF = [
    Place("profile", _("Profile"), "user-circle", None),
    Place("my-security", _("Sign-in and security"), "lock-closed", None),
    Place("my-sign-ins", _("Where I am signed in"), "computer-desktop", None),
    Place("my-activity", _("My activity"), "clock", None),
    Place("my-data", _("My data"), "arrow-down-tray", None),
]


def context(request: HttpRequest) -> dict[str, Any]:
    """A context processor: what the frame of every page of the dashboard shows."""
    visit: Visit | None = getattr(request, "visit", None)
    if visit is None:
        return {}
    acting, organization = _working_for(request, visit)
    route = request.resolver_match.url_name if request.resolver_match else None
    return {
        "visit": visit,
        "acting": acting,
        "organization": organization,
        "daily": _open(DAILY, acting),
        "settings_places": _open(SETTINGS, acting),
        "own_places": _open(ONESELF, acting),
        "here": BELOW.get(route or "", route),
    }


def _working_for(request: HttpRequest, visit: Visit) -> tuple[Acting | None, Organization | None]:
    """What the door found; on one's own pages, which ask for no organization, what the session names."""
    if hasattr(request, "acting"):
        return request.acting, getattr(request, "organization", None)
    try:
        acting = people.enter(visit.user_id, uuid.UUID(request.session["organization"]))
    except (KeyError, ValueError, NoSuchMember):
        return None, None
    return acting, Organization.objects.get(pk=acting.organization_id)


def _open(places: list[Place], acting: Acting | None) -> list[tuple[Place, str]]:
    return [
        (place, address) for place in places if _may(place, acting) and (address := address_of(place.route))
    ]


def _may(place: Place, acting: Acting | None) -> bool:
    if place in ONESELF:
        return True
    return acting is not None and (place.permission is None or acting.may(place.permission))


def address_of(*routes: str) -> str | None:
    """The first of these pages that there is."""
    for route in routes:
        try:
            return reverse(route)
        except NoReverseMatch:
            continue
    return None
