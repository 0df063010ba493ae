"""The operators' site: Django's admin with a wall through it, and only the addresses named here."""

import zoneinfo
from collections.abc import Callable
from functools import partial, update_wrapper
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import include, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import doors
from iva.operators import entering, figures, picking, places, trail
from iva.operators.filters import named
from iva.operators.lists import HOME_ZONE, rendered


class OperatorSite(admin.AdminSite):
    """Whoever is let in has signed in through `/sign-in/` with a second factor, and is an operator still."""

    site_header = site_title = _("Operators")

    def get_urls(self) -> list[Any]:
        """The overview, picking and leaving, and what each list names; nothing that Django adds by itself."""
        lists = [
            path(f"{model._meta.app_label}/{model._meta.model_name}/", include(shown.get_urls()))
            for model, shown in self._registry.items()
        ]
        own = [
            path("", self.admin_view(self.overview), name="index"),
            path("leave/", self.admin_view(self.leave), name="leave"),
        ]
        return [*own, *lists]

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """The one door of every page here (`accounts.doors.operate`)."""

        def entered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return doors.operate(request, partial(self._open, view, request, *args, **kwargs))

        return update_wrapper(entered, view)

    def overview(self, request: HttpRequest) -> HttpResponse:
        """How the platform is."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        trail.at_home(request, "overview")
        context = self.each_context(request) | {
            "title": _("Overview"),
            "figures": figures.gather(),
            "zone": named(HOME_ZONE),
        }
        return TemplateResponse(request, "admin/overview.html", context)

    def leave(self, request: HttpRequest) -> HttpResponse:
        """Look at nobody any more."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        picking.leave(request)
        return doors.go(request, "admin:accounts_organization_changelist")

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        looked_at = picking.picked(request)
        return {
            "site_title": self.site_title,
            "picked": looked_at,
            "platform_places": places.of_the_platform(self._registry, request),
            "picked_places": places.of_the_picked(self._registry, request) if looked_at else [],
        }

    def _open(
        self, view: Callable[..., HttpResponse], request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Times are those of the platform's seat, unless a list says otherwise."""
        entering.become(request)
        with timezone.override(zoneinfo.ZoneInfo(HOME_ZONE)):
            return rendered(view(request, *args, **kwargs))
