"""A list with search and filters, and a page for each row: looking is all there is.

Of Django's `ModelAdmin` the list and its permissions are used; its forms, histories, deletions and small
views have no address here.
"""

import uuid
import zoneinfo
from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.templatetags.admin_list import result_headers
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from accounts import household
from iva import tenancy
from iva.operators import trail
from iva.operators.columns import Column
from iva.operators.filters import named
from iva.operators.picking import picked
from iva.personal_data import Purpose

HOME_ZONE = "Asia/Ulaanbaatar"
MOST = 10_000
"""No list counts or leafs further than this: who looks for more narrows it."""


class Bounded(Paginator):
    """Counts to `MOST` and stops."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return some(rows)


class ReadOnly(admin.ModelAdmin):
    """Rows of a platform table. `ids` are searched by their beginning, `words` by a part of them."""

    title: ClassVar[str | Promise] = ""
    icon: ClassVar[str] = "table-cells"
    hint: ClassVar[str | Promise] = ""
    columns: ClassVar[tuple[Column, ...]] = ()
    more: ClassVar[tuple[Column, ...]] = ()
    ids: ClassVar[tuple[str, ...]] = ("id",)
    words: ClassVar[tuple[str, ...]] = ()
    has_pages: ClassVar[bool] = True
    template: ClassVar[str] = "admin/row.html"
    actions = None
    list_display_links = None
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    paginator = Bounded

    @property
    def page(self) -> str:
        return self.opts.label_lower

    def get_urls(self) -> list[Any]:
        opens, name = self.admin_site.admin_view, f"{self.opts.app_label}_{self.opts.model_name}"
        listing = path("", opens(self.listing), name=f"{name}_changelist")
        row = path("<uuid:object_id>/", opens(self.row), name=f"{name}_change")
        return [listing, row] if self.has_pages else [listing]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_list_display(self, request: HttpRequest) -> Any:
        return self.columns

    def get_search_fields(self, request: HttpRequest) -> Any:
        return (*self.ids, *self.words)

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """A query string may ask for what the page offers, so that no hidden column can be guessed."""
        return lookup in self.offered

    @property
    def offered(self) -> list[str]:
        return [str(filter_.parameter_name) for filter_ in self.list_filter]  # type: ignore[union-attr]

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        term = search_term.replace("\x00", "").strip()[:200]
        return (queryset.filter(self.sought(term)) if term else queryset), False

    def sought(self, term: str) -> Q:
        """The rows a search means."""
        found = Q(pk__in=[])
        for field in self.words:
            found |= Q(**{f"{field}__icontains": term})
        bounds = between(term)
        if bounds is None:
            return found
        for field in self.ids:
            found |= Q(**{f"{field}__gte": bounds[0], f"{field}__lte": bounds[1]})
        return found

    # Pages

    def listing(self, request: HttpRequest) -> HttpResponse:
        """The list, narrowed as the query string says."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self.inside(request, lambda: self._listing(request))

    def row(self, request: HttpRequest, object_id: uuid.UUID) -> HttpResponse:
        """Everything a row says that is not sealed."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return self.shown(request, object_id)

    def shown(
        self, request: HttpRequest, object_id: uuid.UUID, status: int = 200, **extra: Any
    ) -> HttpResponse:
        """The page of a row. `extra` goes into the template; raises Http404 and PermissionDenied."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self.inside(request, lambda: self._row(request, object_id, status, extra))

    def inside(self, request: HttpRequest, answer: Callable[[], HttpResponse]) -> HttpResponse:
        """Where lists of the platform are answered: nowhere in particular."""
        return answer()

    def remember(self, request: HttpRequest, row: uuid.UUID | None = None) -> None:
        """Write down that this was looked at."""
        trail.at_home(request, self.page, row)

    def remember_search(self, request: HttpRequest, by: list[str], found: int) -> None:
        with household.at_home(Purpose.SUPPORT_TECHNICAL):
            trail.searched(request, self.page, by, found)

    def context_of(self, row: Any) -> dict[str, Any]:
        """What the page of this row shows beyond its columns."""
        return {}

    def zone(self, request: HttpRequest) -> str:
        return HOME_ZONE

    def _listing(self, request: HttpRequest) -> HttpResponse:
        try:
            changelist = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            messages.error(request, _("This list cannot be narrowed like that."))
            return HttpResponseRedirect(request.path)
        by = [name for name in ("q", *self.offered) if request.GET.get(name)]
        if by:
            self.remember_search(request, by, changelist.result_count)
        else:
            self.remember(request)
        context = self._framed(request, self.title) | {
            "changelist": changelist,
            "headers": list(result_headers(changelist)),
            "rows": [self._line(request, row) for row in changelist.result_list],
            "many": changelist.result_count > MOST,
            "most": MOST,
            "pages": _pages(changelist),
            "is_narrowed": bool(by),
        }
        return TemplateResponse(request, self.listing_template, context)

    listing_template: ClassVar[str] = "admin/list.html"

    def _line(self, request: HttpRequest, row: Any) -> tuple[str, list[tuple[Any, object]]]:
        address = self.address_of(row.pk) if self.has_pages else ""
        return address, [(column.title, column(row)) for column in self.columns]

    def _row(
        self, request: HttpRequest, object_id: uuid.UUID, status: int, extra: dict[str, Any]
    ) -> HttpResponse:
        row = self.get_queryset(request).filter(pk=object_id).first()
        if row is None:
            raise Http404
        self.remember(request, object_id)
        facts = [(column.title, column(row)) for column in (*self.columns, *self.more)]
        context = self._framed(request, self.heading(row)) | {"row": row, "facts": facts}
        return TemplateResponse(request, self.template, context | self.context_of(row) | extra, status=status)

    def heading(self, row: Any) -> str:
        return str(self.title)

    def address_of(self, object_id: uuid.UUID) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[object_id])

    def _framed(self, request: HttpRequest, title: Any) -> dict[str, Any]:
        return self.admin_site.each_context(request) | {
            "title": title,
            "list": self,
            "zone": named(self.zone(request)),
            "address": reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"),
        }


class BehindTheWall(ReadOnly):
    """Rows of the picked organization; nothing when none is picked."""

    def inside(self, request: HttpRequest, answer: Callable[[], HttpResponse]) -> HttpResponse:
        """Answer and render in a transaction that sees the picked organization only, in its own zone."""
        looked_at = picked(request)
        if looked_at is None:
            messages.info(request, _("Pick an organization first."))
            return HttpResponseRedirect(reverse("admin:accounts_organization_changelist"))
        organization = looked_at.organization
        with (
            timezone.override(zoneinfo.ZoneInfo(organization.time_zone)),
            tenancy.tenant(organization.pk, Purpose.SUPPORT_TECHNICAL),
        ):
            return rendered(answer())

    def remember(self, request: HttpRequest, row: uuid.UUID | None = None) -> None:
        trail.looked(request, self.page, row)

    def remember_search(self, request: HttpRequest, by: list[str], found: int) -> None:
        trail.searched(request, self.page, by, found)

    def zone(self, request: HttpRequest) -> str:
        looked_at = picked(request)
        return looked_at.organization.time_zone if looked_at else HOME_ZONE


def between(term: str) -> tuple[uuid.UUID, uuid.UUID] | None:
    """The ids that begin like this, as the first and the last of them; None for what begins no id."""
    digits = term.replace("-", "").lower()
    if not 4 <= len(digits) <= 32 or not set(digits) <= set("0123456789abcdef"):
        return None
    return uuid.UUID(digits.ljust(32, "0")), uuid.UUID(digits.ljust(32, "f"))


def rendered(response: HttpResponse) -> HttpResponse:
    if isinstance(response, TemplateResponse):
        response.render()
    return response


def _pages(changelist: ChangeList) -> dict[str, Any]:
    """The addresses of the neighbouring pages, "" at the ends."""
    last = min(changelist.paginator.num_pages, MOST // changelist.list_per_page)
    here = changelist.page_num
    order = {"o": changelist.params["o"]} if "o" in changelist.params else {}
    return {
        "here": here,
        "last": last,
        "before": changelist.get_query_string(order | {"p": here - 1}) if here > 1 else "",
        "after": changelist.get_query_string(order | {"p": here + 1}) if here < last else "",
    }


def some(queryset: QuerySet[Any]) -> int:
    """A count that stops at `MOST`."""
    return int(queryset[: MOST + 1].count())
