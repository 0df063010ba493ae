"""Organizations: found by name, looked at for a reason, suspended after a fresh second factor."""

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import path
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import doors, household, organizations
from accounts.forms import OneLine
from accounts.models import ApiKey, Membership, Organization
from accounts.references import NotAReference
from channels_cfg.models import Channel
from conversations.models import Conversation
from iva import tenancy
from iva.operators import filters, picking
from iva.operators.columns import Column, count, identity, moment, plain, state
from iva.operators.entering import operator
from iva.operators.lists import MOST, ReadOnly, some
from iva.outbox.models import Promise as Promised
from iva.personal_data import Purpose
from privacy.models import EndUser

ENDED, SUSPENDED = Q(contract_ended_at__isnull=False), Q(suspended_at__isnull=False)


class ReferenceForm(forms.Form):
    reference = OneLine(
        label=gettext_lazy("Reason"),
        max_length=40,
        help_text=gettext_lazy(
            "The number of the ticket or case, such as SUP-1042. It is written into the organization's trail."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class OrganizationAdmin(ReadOnly):
    title = gettext_lazy("Organizations")
    icon = "building-office-2"
    hint = gettext_lazy("Name, short name or id")
    template = "admin/organization.html"
    words = ("name", "slug")
    columns = (
        plain("name", gettext_lazy("Name"), sorts=True),
        plain("slug", gettext_lazy("Short name"), sorts=True),
        state(gettext_lazy("State"), lambda row: standing(row)),
        count("members", gettext_lazy("Members")),
        moment("founded_at", gettext_lazy("Founded"), sorts=True),
    )
    more = (
        identity("id", gettext_lazy("Id")),
        plain("time_zone", gettext_lazy("Time zone")),
        Column(gettext_lazy("Work waiting"), lambda row: str(waiting_of(row)), "waiting"),
        moment("suspended_at", gettext_lazy("Suspended")),
        moment("contract_ended_at", gettext_lazy("Contract ended")),
        moment("destroyed_at", gettext_lazy("Data destroyed")),
    )
    list_filter = (
        filters.choice(
            "state",
            gettext_lazy("State"),
            {
                "active": (gettext_lazy("Active"), ~SUSPENDED & ~ENDED),
                "suspended": (gettext_lazy("Suspended"), SUSPENDED & ~ENDED),
                "ended": (gettext_lazy("Contract ended"), ENDED),
            },
        ),
    )

    def get_urls(self) -> list[Any]:
        opens = self.admin_site.admin_view
        return [
            *super().get_urls(),
            path("<uuid:object_id>/pick/", opens(self.pick), name="pick"),
            path("<uuid:object_id>/suspension/", opens(self.suspension), name="suspension"),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        active = Q(memberships__ended_at=None)
        return super().get_queryset(request).annotate(members=Count("memberships", active))

    def heading(self, row: Any) -> str:
        return str(row.name)

    def pick(self, request: HttpRequest, object_id: uuid.UUID) -> HttpResponse:
        """Begin to look at one organization, for a reason; audited in its own trail."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        organization = self._found(object_id)
        form = ReferenceForm(request.POST)
        if form.is_valid():
            try:
                picking.pick(request, organization, form.cleaned_data["reference"])
            except NotAReference:
                sentence = _("Letters, digits, dots and dashes, at least one digit; nothing about anybody.")
                form.add_error("reference", sentence)
            else:
                messages.success(request, _("You are looking at %(name)s.") % {"name": organization.name})
                return doors.go(request, "admin:accounts_membership_changelist")
        return self.shown(request, object_id, 422, picking_form=form)

    def suspension(self, request: HttpRequest, object_id: uuid.UUID) -> HttpResponse:
        """Suspend or reinstate, whichever the form said; both are audited in the organization's trail."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.has_perm("accounts.change_organization") or object_id == household.HOUSEHOLD:
            raise PermissionDenied
        organization = self._found(object_id)
        if not request.visit.has_just_proved:  # type: ignore[attr-defined]
            return doors.to_step_up(request)
        wanted = request.POST.get("to")
        if request.POST.get("confirmed") != "yes" or wanted not in ("suspended", "active"):
            messages.error(request, _("Nothing was changed: confirm that this organization is meant."))
            return doors.go(request, self.address_of(object_id))
        self._suspend(request, organization, wanted == "suspended")
        return doors.go(request, self.address_of(object_id))

    def _suspend(self, request: HttpRequest, organization: Organization, is_wanted: bool) -> None:
        """What is as it was wanted stays: a form sent twice does nothing the second time."""
        if (organization.suspended_at is not None) is is_wanted:
            return
        change = organizations.suspend if is_wanted else organizations.reinstate
        change(organization, operator(request))
        done = _("%(name)s is suspended.") if is_wanted else _("%(name)s is reinstated.")
        messages.success(request, done % {"name": organization.name})

    def context_of(self, row: Any) -> dict[str, Any]:
        return {"picking_form": ReferenceForm(), "is_household": row.pk == household.HOUSEHOLD}

    def shown(
        self, request: HttpRequest, object_id: uuid.UUID, status: int = 200, **extra: Any
    ) -> HttpResponse:
        looked_at = picking.picked(request)
        is_picked = looked_at is not None and looked_at.organization.pk == object_id
        counters = counted(object_id) if is_picked and self.has_view_permission(request) else []
        return super().shown(request, object_id, status, counters=counters, is_picked=is_picked, **extra)

    def _found(self, object_id: uuid.UUID) -> Organization:
        organization = Organization.objects.filter(pk=object_id).first()
        if organization is None:
            raise Http404
        return organization


def standing(row: Organization) -> tuple[str, str | Promise]:
    if row.pk == household.HOUSEHOLD:
        return "accent", gettext_lazy("Platform")
    if row.contract_ended_at is not None:
        return "", gettext_lazy("Contract ended")
    return ("warn", gettext_lazy("Suspended")) if row.suspended_at else ("good", gettext_lazy("Active"))


def waiting_of(row: Organization) -> int:
    """Promises that are not kept yet; the index of what is due leads with the organization."""
    return some(Promised.objects.filter(organization_id=row.pk, given_up_at=None))


def counted(organization_id: uuid.UUID) -> list[tuple[str, str]]:
    """How much there is, counted to `MOST` and no further; in a transaction of the organization."""
    with tenancy.tenant(organization_id, Purpose.SUPPORT_TECHNICAL):
        found = [
            (_("Members"), Membership.objects.filter(organization_id=organization_id, ended_at=None)),
            (_("Channels"), Channel.objects.filter(disabled_at=None)),
            (_("API keys"), ApiKey.objects.filter(revoked_at=None)),
            (_("End Users"), EndUser.objects.filter(erased_at=None)),
            (_("Conversations"), Conversation.objects.all()),
        ]
        return [(label, _as_far(some(rows))) for label, rows in found]


def _as_far(number: int) -> str:
    return f"{MOST:,}+" if number > MOST else f"{number:,}"
