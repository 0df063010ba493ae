"""`/agreements/`: what has to be accepted before the dashboard opens (P6, P7)."""

import uuid

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _

from accounts import agreements, doors, household, people
from accounts.agreements import DocumentsChanged
from accounts.doors import Asking
from accounts.people import NoSuchMember
from iva import tenancy
from iva.personal_data import Purpose


@doors.signed_in("GET", "POST")
def agree(request: Asking) -> HttpResponse:
    """Accept the exact versions that were shown; if others count by now, they are shown instead (409)."""
    try:
        organization_id = uuid.UUID(request.session[doors.ORGANIZATION])
        people.enter(request.visit.user_id, organization_id)
    except (KeyError, ValueError, NoSuchMember):
        return doors.go(request, "organizations")
    if request.method == "POST":
        try:
            _accept(request, organization_id)
        except DocumentsChanged:
            return _page(request, 409, _("The documents have changed meanwhile. Please read them again."))
        return doors.go(request, doors.next_page(request))
    return _page(request, 200)


def _accept(request: Asking, organization_id: uuid.UUID) -> None:
    with tenancy.tenant(organization_id, Purpose.ACCOUNT_MANAGE):
        agreements.accept(
            request.visit.user_id,
            terms=request.POST.get("terms", ""),
            privacy_policy=request.POST.get("privacy_policy", ""),
            locale=request.visit.locale,
            where=doors.where(request),
            actor=household.oneself(request.visit.user_id),
        )


def _page(request: Asking, status: int, wrong: str = "") -> HttpResponse:
    context = {"current": agreements.current(), "wrong": wrong, "next": doors.next_page(request)}
    return render(request, "accounts/agree.html", context, status=status)


urlpatterns = [path("agreements/", agree, name="agreements")]
