"""Times as people read them: only as much of them as is needed."""

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import pgettext

register = template.Library()


@register.filter(expects_localtime=True)
def shortly(moment: datetime) -> str:
    """The time of today, the day of this year, otherwise the date."""
    today = timezone.localdate()
    if moment.date() == today:
        return date_format(moment, "H:i")
    if moment.year == today.year:
        return date_format(moment, pgettext("a day of this year, as a date format", "M j"))
    return date_format(moment, "Y-m-d")


@register.filter(expects_localtime=True)
def day(moment: datetime) -> str:
    """The day, for a line between the messages of two days."""
    if moment.year == timezone.localdate().year:
        return date_format(moment, pgettext("a day of this year, as a date format", "M j"))
    return date_format(moment, "Y-m-d")


@register.filter
def initials(name: str | None) -> str:
    """One or two letters for the round mark beside a name."""
    words = (name or "?").split()
    return "".join(word[0] for word in words[:2]).upper()
