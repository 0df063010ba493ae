"""`/sign-in/`: password, then the second factor, then the organization; and the way out."""

import uuid
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import doors, people, signing_in, throttling
from accounts.doors import Asking
from accounts.factors import CodeRefused, NothingEnrolled
from accounts.forms import CodeForm, SignInForm, refuse
from accounts.people import NoSuchMember
from accounts.role_words import ROLE_NAMES
from accounts.roles import Role
from accounts.signing_in import SignInRefused
from iva import problems

HALFWAY, HALFWAY_SINCE = "halfway", "halfway_since"
PATIENCE = timedelta(minutes=10)


@doors.anybody("GET", "POST")
def sign_in(request: HttpRequest) -> HttpResponse:
    """Address and password."""
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            first = signing_in.check_password(
                given["email"], given["password"], throttling.address(request.META)
            )
        except SignInRefused:
            refuse(form, None, _("This address and password do not go together."))
        else:
            return _go_on(request, first)
    return _page(request, "sign_in", form)


@doors.anybody("GET", "POST")
def code(request: HttpRequest) -> HttpResponse:
    """The second factor of somebody whose password was right a moment ago."""
    user_id = _halfway(request)
    if user_id is None:
        return doors.go(request, "sign-in", next=doors.next_page(request))
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            signing_in.give_code(user_id, form.cleaned_data["code"], throttling.address(request.META))
        except (CodeRefused, NothingEnrolled):
            refuse(form, "code", _("This code does not open anything. Wait for the next one and try again."))
        else:
            return _enter(request, user_id, second_factor=True)
    return _page(request, "code", form)


@doors.anybody("POST")
def sign_out(request: HttpRequest) -> HttpResponse:
    """End this sign-in, at once and everywhere."""
    doors.leave(request)
    return doors.go(request, "sign-in")


@doors.signed_in("GET", "POST")
def organizations(request: Asking) -> HttpResponse:
    """Which organization to work for now."""
    if request.method == "POST":
        try:
            doors.work_for(request, uuid.UUID(request.POST.get("organization", "")))
        except (NoSuchMember, ValueError):
            detail = "You do not belong to this organization."
            return problems.page(request, 404, "not_found", detail)
        return doors.go(request, doors.next_page(request))
    memberships = people.memberships_of(request.visit.user_id)
    where = [(membership.organization, ROLE_NAMES[Role(membership.role)]) for membership in memberships]
    return render(request, "accounts/organizations.html", {"memberships": where})


def _go_on(request: HttpRequest, first: signing_in.FirstFactor) -> HttpResponse:
    if not first.needs_code:
        return _enter(request, first.user_id, second_factor=False)
    request.session.cycle_key()
    request.session[HALFWAY] = str(first.user_id)
    request.session[HALFWAY_SINCE] = timezone.now().isoformat()
    return doors.go(request, "sign-in-code", next=doors.next_page(request))


def _halfway(request: HttpRequest) -> uuid.UUID | None:
    since = request.session.get(HALFWAY_SINCE)
    if since is None or timezone.now() - datetime.fromisoformat(since) > PATIENCE:
        return None
    return uuid.UUID(request.session[HALFWAY])


def _enter(request: HttpRequest, user_id: uuid.UUID, *, second_factor: bool) -> HttpResponse:
    target = doors.next_page(request)
    doors.begin(request, user_id, second_factor=second_factor)
    return doors.go(request, target)


def _page(request: HttpRequest, template: str, form: SignInForm | CodeForm) -> HttpResponse:
    context = {"form": form, "next": doors.next_page(request)}
    return render(request, f"accounts/{template}.html", context, status=422 if form.errors else 200)


urlpatterns = [
    path("sign-in/", sign_in, name="sign-in"),
    path("sign-in/code/", code, name="sign-in-code"),
    path("sign-out/", sign_out, name="sign-out"),
    path("organizations/", organizations, name="organizations"),
]
