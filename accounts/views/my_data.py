"""`/me/data/`: what IVA keeps about oneself; to read, and to take away (P83, P86, M15)."""

from itertools import groupby
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone

from accounts import doors, my_data, naming, packing, proof, throttling
from accounts.doors import Asking

READ_ROWS = 50


@doors.signed_in("GET")
def overview(request: Asking) -> HttpResponse:
    """What is kept, where, why and for how long; without a single value."""
    outlined = [naming.section(section, most=0) for section in my_data.outline(request.visit.user_id)]
    return render(request, "accounts/my_data.html", {"places": _by_place(outlined)})


@doors.signed_in("GET")
def read(request: Asking) -> HttpResponse:
    """Everything that is kept, as a page; with a fresh second factor where there is one."""
    proof.demand_fresh(request.visit)
    throttling.count_copy(str(request.visit.user_id))
    person_id = request.visit.user_id
    kept = [naming.section(section, most=READ_ROWS) for section in my_data.everything(person_id, most=500)]
    my_data.handed_out(person_id, form="page")
    return render(request, "accounts/my_data_read.html", {"places": _by_place(kept)})


@doors.signed_in("POST")
def download(request: Asking) -> HttpResponse:
    """The package; with a fresh second factor where there is one. It goes into the trail, so it is posted."""
    proof.demand_fresh(request.visit)
    throttling.count_copy(str(request.visit.user_id))
    package = packing.pack(request.visit.user_id, request.visit.locale)
    my_data.handed_out(request.visit.user_id, form="package")
    name = f"iva-my-data-{timezone.now():%Y-%m-%d}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(package, content_type="application/zip", headers=headers)


def _by_place(told: list[naming.Told]) -> list[tuple[str, list[Any]]]:
    """Sections of one place together; the household first, as they come."""
    return [(place, list(sections)) for place, sections in groupby(_joined(told), lambda t: t.place)]


def _joined(told: list[naming.Told]) -> list[naming.Told]:
    """The activity of each place comes last from the room; here it joins its place."""
    order = list(dict.fromkeys(section.place for section in told))
    return sorted(told, key=lambda section: order.index(section.place))


urlpatterns = [
    path("me/data/", overview, name="my-data"),
    path("me/data/read/", read, name="read-my-data"),
    path("me/data/download/", download, name="download-my-data"),
]
