"""The operators' site: Django's admin with a wall through it.

Operators have no way around the wall. They pick an organization, which is audited in that organization's
own trail, and then see rows through the same policies as everybody else (P35, P50).
"""

import uuid
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import Throttled

from accounts import throttling
from accounts.models import Organization
from iva import problems, tenancy
from iva.audit import log as audit
from iva.audit.actors import Actor, ActorKind
from iva.audit.events import Event

PICKED = "picked_organization"


def operator(request: HttpRequest) -> Actor:
    """The signed-in operator as an actor of the audit trail."""
    return Actor(ActorKind.OPERATOR, request.user.pk)


def picked(request: HttpRequest) -> uuid.UUID | None:
    """The organization the operator has picked in this session."""
    value = request.session.get(PICKED)
    return uuid.UUID(value) if value else None


class OperatorSite(admin.AdminSite):
    """Django's admin with a wall through it."""

    site_header = _("IVA operators")
    site_title = _("IVA operators")
    index_title = _("Platform")
    enable_nav_sidebar = True

    def get_urls(self) -> list[Any]:
        pick = self.admin_view(self.pick)
        kept = [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]
        return [path("pick/<uuid:organization_id>/", pick, name="pick"), *kept]

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The sign-in page; so many tries a minute from one address, right or wrong."""
        if request.method == "POST":
            try:
                throttling.count_sign_in(throttling.address(request.META))
            except Throttled as throttled:
                return problems.respond_to(throttled)
        return super().login(request, extra_context)

    def pick(self, request: HttpRequest, organization_id: uuid.UUID) -> HttpResponse:
        """Begin to look at one organization; a POST, and audited in its own trail."""
        if request.method != "POST":
            return HttpResponse(status=405, headers={"Allow": "POST"})
        organization = get_object_or_404(Organization, pk=organization_id)
        with tenancy.tenant(organization.pk, purpose="support.technical"):
            audit.record(Event.ORGANIZATION_PICKED, actor=operator(request))
        request.session[PICKED] = str(organization.pk)
        return HttpResponseRedirect(reverse("admin:index"))

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        organization_id = picked(request) if request.user.is_authenticated else None
        chosen = Organization.objects.filter(pk=organization_id).first() if organization_id else None
        return super().each_context(request) | {"picked_organization": chosen}
