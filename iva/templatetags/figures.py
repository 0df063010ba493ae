"""Figures as people say them, in their language."""

from datetime import date, timedelta

from django import template
from django.template.defaultfilters import date as formatted
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

register = template.Library()

MINUTE, HOUR, DAY = 60, 3_600, 86_400


@register.filter
def duration(value: timedelta | None) -> str:
    """About how long: "4 s", "12 min", "3 h 20 min", "2 d"; a dash where there is nothing."""
    if value is None:
        return "–"
    seconds = value.total_seconds()
    if seconds < MINUTE:
        return _("%(number)s s") % {"number": max(round(seconds), 1)}
    if seconds < HOUR:
        return _("%(number)s min") % {"number": round(seconds / MINUTE)}
    if seconds < DAY:
        return _("%(number)s h") % {"number": round(seconds / HOUR, 1 if seconds < 10 * HOUR else None)}
    return _("%(number)s d") % {"number": round(seconds / DAY, 1 if seconds < 10 * DAY else None)}


@register.filter
def short_day(value: date) -> str:
    """A day without its year."""
    return formatted(value, pgettext("short date", "j M"))


@register.filter
def percent_of(part: int, whole: int) -> int:
    """A share in whole percent; 0 of nothing."""
    return round(100 * part / whole) if whole else 0
