"""`/overview/`: the first page of the dashboard. Everybody's, each with what their role lets them see."""

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import doors, navigation, role_words
from accounts.doors import Asking
from accounts.roles import Permission
from channels_cfg import connecting
from conversations import first_steps, instructions, queueing, reporting
from conversations.models import Processing
from iva import home_charts, home_words, tenancy

USUAL_PERIOD = 30
MOST_WAITING = 6


@doors.member(own_transactions=True, GET=Permission.ORGANIZATION_READ)
def home(request: Asking) -> HttpResponse:
    """Figures for those who may see them; for everybody who waits, and where to go."""
    acting, zone = request.acting, ZoneInfo(request.organization.time_zone)
    context: dict[str, Any] = {"role": role_words.ROLE_NAMES[acting.role], "links": home_words.places(acting)}
    if acting.may(Permission.ORGANIZATION_MANAGE) and (progress := first_steps.progress(acting)):
        context |= {"progress": progress, "steps": home_words.shown_steps(progress)}
    with tenancy.tenant(acting.organization_id), timezone.override(zone):
        if acting.may(Permission.CONVERSATIONS_READ):
            context["waiting"] = queueing.waiting(MOST_WAITING)
            context["inbox"] = navigation.address_of("inbox")
            context["has_channel"] = any(channel.is_enabled for channel in connecting.connected())
        if acting.may(Permission.REPORTS_READ):
            context |= home_charts.drawn(reporting.report(_period(request), zone))
            context["periods"] = reporting.PERIODS
            context["wants_sentiment"] = instructions.demands(Processing.SENTIMENT)
        return render(request, "iva/home.html", context)


@doors.member(POST=Permission.ORGANIZATION_READ)
def dismiss_first_steps(request: Asking) -> HttpResponse:
    """Put the first steps away, for oneself."""
    first_steps.dismiss(request.acting)
    return doors.go(request, "home")


@doors.member(GET=Permission.ORGANIZATION_READ, POST=Permission.ORGANIZATION_MANAGE)
def sentiment(request: Asking) -> HttpResponse:
    """Whether we guess how End Users sound: the organization's instruction (P10, P27)."""
    if request.method == "POST":
        wanted = request.POST.get("sentiment")
        if wanted not in ("on", "off"):
            wrong = _("Say whether you want it or not.")
            return _sentiment_page(request, 422, wrong)
        instructions.give(Processing.SENTIMENT, is_on=wanted == "on", actor=request.acting.actor)
        messages.success(request, _("Your instruction counts from now on."))
        return doors.go(request, "settings-sentiment")
    return _sentiment_page(request, 200)


def _sentiment_page(request: Asking, status: int, wrong: str = "") -> HttpResponse:
    with timezone.override(ZoneInfo(request.organization.time_zone)):
        context = {
            "newest": instructions.current(Processing.SENTIMENT),
            "may_change": request.acting.may(Permission.ORGANIZATION_MANAGE),
            "wrong": wrong,
        }
        return render(request, "iva/sentiment.html", context, status=status)


def _period(request: Asking) -> int:
    """The days that are asked for; the usual ones where that is nothing we have."""
    wanted = request.GET.get("days", "")
    return int(wanted) if wanted in map(str, reporting.PERIODS) else USUAL_PERIOD


urlpatterns = [
    path("overview/", home, name="home"),
    path("overview/first-steps/", dismiss_first_steps, name="dismiss-first-steps"),
    path("settings/sentiment/", sentiment, name="settings-sentiment"),
]
