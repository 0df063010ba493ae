"""`/settings/agreements/`: what counts, who accepted it and when, what is coming, and who was told (P94)."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import path

from accounts import agreements, doors, people
from accounts.agreements import acknowledging, records
from accounts.agreements.acknowledging import NothingAhead
from accounts.doors import Asking
from accounts.models import Acceptance, Notice
from accounts.roles import Permission
from accounts.trail_words import VALUE_NAMES
from iva.personal_data import Purpose

PURPOSE = Purpose.ACCOUNT_MANAGE


@doors.member(PURPOSE, GET=Permission.ORGANIZATION_READ)
def agreed(request: Asking) -> HttpResponse:
    """Everything about the documents and this organization; people are named for those who may see them."""
    acceptances, notices = (
        records.acceptances(doors.id_or_none(request.GET.get("before", ""))),
        records.notices(),
    )
    rows: list[Acceptance | Notice] = [*acceptances, *notices]
    documents = records.documents({row.document_id for row in rows})
    may_name = request.acting.may(Permission.MEMBERS_READ)
    names = people.names_of({row.user_id for row in rows}) if may_name else {}
    context: dict[str, Any] = {
        "current": agreements.current(),
        "ahead": agreements.waiting(),
        "acceptances": [
            (row, documents[row.document_id], names.get(row.user_id), VALUE_NAMES[row.method])
            for row in acceptances
        ],
        "notices": [(row, documents[row.document_id], names.get(row.user_id)) for row in notices],
        "next_page": acceptances[-1].pk if len(acceptances) == records.PAGE else None,
    }
    return render(request, "accounts/settings/agreements.html", context)


@doors.member(PURPOSE, POST=Permission.ORGANIZATION_READ)
def acknowledge(request: Asking) -> HttpResponse:
    """No more banner for this change: it was seen. Nothing is accepted by that."""
    document_id = doors.id_or_none(request.POST.get("document", ""))
    try:
        if document_id is None:
            raise NothingAhead
        acknowledging.acknowledge(request.acting.user_id, document_id, actor=request.acting.actor)
    except NothingAhead:
        raise Http404 from None
    return doors.go(request, doors.next_page(request))


urlpatterns = [
    path("settings/agreements/", agreed, name="settings-agreements"),
    path("settings/agreements/seen/", acknowledge, name="acknowledge-change"),
]
