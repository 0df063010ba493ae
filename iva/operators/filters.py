"""Narrowing a list: each filter is a closed choice, so that no query string can ask for a hidden column."""

import zoneinfo
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise
Asked = Mapping[str, tuple[Text, Q]]


class Choice(SimpleListFilter):
    """One of a few answers; an empty one, or one that is not offered, asks nothing."""

    asked: Asked = {}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(code, label) for code, (label, _condition) in self.asked.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.asked.get(self.value() or "")
        return queryset.filter(chosen[1]) if chosen else queryset


def choice(parameter: str, title: Text, asked: Asked) -> type[Choice]:
    """`{code: (label, condition)}` as a filter."""
    return type(
        f"{parameter}_choice", (Choice,), {"parameter_name": parameter, "title": title, "asked": asked}
    )


def coded(field: str, title: Text, labels: Mapping[str, Text]) -> type[Choice]:
    """A column of codes, by their labels."""
    return choice(field, title, {code: (label, Q(**{field: code})) for code, label in labels.items()})


class Period(SimpleListFilter):
    """Since when. Days begin at midnight in the zone of the page."""

    field = ""
    days: Mapping[str, tuple[Text, int]] = {
        "today": (_("today"), 0),
        "week": (_("the last 7 days"), 7),
        "month": (_("the last 30 days"), 30),
        "year": (_("the last 365 days"), 365),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(code, label) for code, (label, _days) in self.days.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.days.get(self.value() or "")
        if chosen is None:
            return queryset
        midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        return queryset.filter(**{f"{self.field}__gte": midnight - timedelta(days=chosen[1])})


def period(field: str, title: Text) -> type[Period]:
    return type(f"{field}_period", (Period,), {"parameter_name": "since", "title": title, "field": field})


def named(zone: str) -> str:
    """A zone as a page names it: `Asia/Ulaanbaatar (UTC+08:00)`."""
    offset = datetime.now(zoneinfo.ZoneInfo(zone)).strftime("%z")
    return f"{zone} (UTC{offset[:3]}:{offset[3:]})"
