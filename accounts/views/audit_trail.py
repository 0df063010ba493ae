"""`/audit/`: what happened in the organization, for those who have to know (P46, P58)."""

import csv
import io
import re
import uuid
import zoneinfo
from urllib.parse import urlencode

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import doors, people, trail
from accounts.doors import Asking
from accounts.roles import Permission
from accounts.settings_forms import TrailForm
from accounts.trail import Line
from iva.personal_data import Purpose

FILTERS = ("group", "member", "since", "until", "end_user")
BEGINS_A_FORMULA = re.compile(r"(?:^|(?<=[;\t\r\n]))(?=[\s\x22]*[=+\-@＝＋－＠])|^(?=[\t\r\n])")
"""Where a spreadsheet would begin to calculate: also after what it may take for the end of a cell."""


@doors.member(Purpose.LEGAL_REQUIREMENT, GET=Permission.AUDIT_READ)
def audit_trail(request: Asking) -> HttpResponse:
    """Fifty events, the newest first, and the address of the fifty before them."""
    form = _form(request, request.GET)
    if not form.is_valid():
        return _refused(request, form)
    before = doors.id_or_none(request.GET.get("before", ""))
    lines = trail.page(form.wanted(_zone(request)), by=request.acting, before=before)
    given = {name: request.GET[name] for name in FILTERS if request.GET.get(name)}
    context = {
        "form": form,
        "lines": lines,
        "given": given,
        "is_later_page": before is not None,
        "here_again": urlencode(given),
        "following": urlencode({**given, "before": str(lines[-1].id)}) if len(lines) == trail.PAGE else "",
        "may_export": request.acting.may(Permission.AUDIT_EXPORT),
    }
    return render(request, "accounts/settings/audit.html", context)


@doors.member(Purpose.LEGAL_REQUIREMENT, POST=Permission.AUDIT_EXPORT)
def export(request: Asking) -> HttpResponse:
    """What is filtered, as a file for spreadsheets; that it left is an event of its own."""
    form = _form(request, request.POST)
    if not form.is_valid():
        return _refused(request, form)
    zone = _zone(request)
    content = _csv(trail.export(form.wanted(zone), by=request.acting), zone)
    response = HttpResponse(content, content_type="text/csv; charset=utf-8")
    day = timezone.now().astimezone(zone).date().isoformat()
    response["Content-Disposition"] = f'attachment; filename="audit-{request.organization.slug}-{day}.csv"'
    return response


def _refused(request: Asking, form: TrailForm) -> HttpResponse:
    return render(request, "accounts/settings/audit.html", {"form": form, "lines": []}, status=422)


def _form(request: Asking, data: QueryDict) -> TrailForm:
    """Offers the first hundred members, and whoever is asked for."""
    members: dict[uuid.UUID, str] = {}
    if request.acting.may(Permission.MEMBERS_READ):
        members = {membership.pk: member.name for membership, member in people.page_of_members()}
        asked = doors.id_or_none(data.get("member", ""))
        if asked is not None and asked not in members:
            members |= {id: name for id, name in people.names_of([asked]).items() if id == asked}
    return TrailForm(data, list(members.items()))


def _csv(lines: list[Line], zone: zoneinfo.ZoneInfo) -> bytes:
    """UTF-8 with the mark that spreadsheets need to see that (RFC 4180)."""
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerow([_("Number"), _("Time"), _("What"), _("Code"), _("Who"), _("Details")])
    for line in lines:
        details = "; ".join(f"{detail.name}: {detail.end_user or detail.said}" for detail in line.details)
        moment = line.occurred_at.astimezone(zone).isoformat(timespec="seconds")
        cells = [str(line.sequence), moment, line.event, line.code, line.actor, details]
        writer.writerow([_harmless(cell) for cell in cells])
    return file.getvalue().encode("utf-8-sig")


def _harmless(cell: str) -> str:
    """A name that begins like a formula would be carried out by the spreadsheet that opens it."""
    return BEGINS_A_FORMULA.sub("'", cell)


def _zone(request: Asking) -> zoneinfo.ZoneInfo:
    return zoneinfo.ZoneInfo(request.organization.time_zone)


urlpatterns = [
    path("audit/", audit_trail, name="audit-trail"),
    path("audit/export/", export, name="audit-export"),
]
