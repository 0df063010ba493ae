"""`/settings/organization/`: its name and time zone, what IVA knows of it, and the way out."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _

from accounts import agreements, doors, organizations, people
from accounts.doors import Asking
from accounts.people import LastOwner
from accounts.roles import Permission
from accounts.settings_forms import LeaveForm, OrganizationForm
from iva.personal_data import Purpose


@doors.member(Purpose.ACCOUNT_MANAGE, GET=Permission.ORGANIZATION_READ, POST=Permission.ORGANIZATION_MANAGE)
def organization(request: Asking) -> HttpResponse:
    """What is known of the organization; those who may change it find a form."""
    known = request.organization
    form = OrganizationForm(
        request.POST if request.method == "POST" else None,
        initial={"name": known.name, "time_zone": known.time_zone},
    )
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        organizations.describe(known, given["name"], given["time_zone"], request.acting.actor)
        messages.success(request, _("Saved."))
        return doors.go(request, "settings-organization")
    context = {
        "form": form,
        "may_change": request.acting.may(Permission.ORGANIZATION_MANAGE),
        "current": agreements.current(),
        "responsible": people.responsible_names(),
        "member_count": people.count(),
    }
    return render(request, "accounts/settings/organization.html", context, status=_status(form))


@doors.member(Purpose.ACCOUNT_MANAGE, GET=Permission.ORGANIZATION_READ, POST=Permission.ORGANIZATION_READ)
def leave(request: Asking) -> HttpResponse:
    """End one's own membership, after saying so; the last owner stays."""
    form = LeaveForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            people.leave(by=request.acting)
        except LastOwner:
            form.add_error(None, _("You are the last owner. Make somebody else an owner first."))
            return render(request, "accounts/settings/leave.html", {"form": form}, status=409)
        request.session.pop(doors.ORGANIZATION, None)
        messages.success(request, _("You have left %(name)s.") % {"name": request.organization.name})
        return doors.go(request, "organizations")
    return render(request, "accounts/settings/leave.html", {"form": form}, status=_status(form))


def _status(form: OrganizationForm | LeaveForm) -> int:
    return 422 if form.is_bound and form.errors else 200


urlpatterns = [
    path("settings/organization/", organization, name="settings-organization"),
    path("settings/organization/leave/", leave, name="leave-organization"),
]
