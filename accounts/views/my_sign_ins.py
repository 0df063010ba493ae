"""`/me/sign-ins/`: where one is signed in, and the way to end it there."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _

from accounts import doors, household, sign_ins
from accounts.doors import Asking
from iva.personal_data import Purpose


@doors.signed_in("GET", "POST")
def my_sign_ins(request: Asking) -> HttpResponse:
    """The living ones, and the last that ended; ending one, or all but this."""
    if request.method == "POST":
        return _end(request)
    person_id = request.visit.user_id
    with household.at_home(Purpose.ACCOUNT_MANAGE):
        living, ended = sign_ins.of(person_id), sign_ins.ended(person_id)
        for sign_in in [*living, *ended]:
            _ = sign_in.device, sign_in.ip_address
    context = {"living": living, "ended": ended, "this": request.visit.sign_in_id}
    return render(request, "accounts/my_sign_ins.html", context)


def _end(request: Asking) -> HttpResponse:
    person_id, this = request.visit.user_id, request.visit.sign_in_id
    if request.POST.get("others"):
        sign_ins.end_all(person_id, but=this)
        messages.success(request, _("You are signed in here only."))
        return doors.go(request, "my-sign-ins")
    if not sign_ins.end(person_id, _named(request)):
        raise Http404
    messages.success(request, _("Ended. The next page there asks for the password."))
    return doors.go(request, "my-sign-ins")


def _named(request: Asking) -> uuid.UUID:
    try:
        return uuid.UUID(request.POST.get("sign_in", ""))
    except ValueError:
        raise Http404 from None


urlpatterns = [path("me/sign-ins/", my_sign_ins, name="my-sign-ins")]
