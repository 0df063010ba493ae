"""`/sign-in/`: password and second factor, or a passkey, then the organization; and the way out."""

import uuid
from datetime import datetime, timedelta
from typing import NamedTuple

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import Throttled

from accounts import doors, factors, household, passkeys, people, signing_in, throttling
from accounts.doors import Asking
from accounts.factors import CodeRefused, NothingEnrolled
from accounts.forms import CodeForm, SignInForm
from accounts.passkeys import PasskeyRefused
from accounts.people import NoSuchMember
from accounts.signing_in import SignInRefused
from accounts.views import ceremonies
from accounts.views.ceremonies import NothingAsked
from iva import problems

HALFWAY = "halfway"
PATIENCE = timedelta(minutes=10)
SIGN_IN, SECOND = "sign_in", "second"
"""What a passkey is asked for: to sign in with alone, or after the password."""


class Halfway(NamedTuple):
    """Somebody whose password was right a moment ago. Lives in the session, which ends when they are in."""

    id: str
    user_id: uuid.UUID
    mark: str


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
            form.add_error(None, _("This address and password do not go together."))
        else:
            return _go_on(request, first)
    return _page(request, form)


@doors.anybody("GET", "POST")
def code(request: HttpRequest) -> HttpResponse:
    """The second factor of somebody whose password was right a moment ago; five tries, then begin again."""
    halfway = _halfway(request)
    if halfway is None:
        return doors.go(request, "sign-in", next=doors.next_page(request))
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            throttling.count_halfway(halfway.id)
        except Throttled:
            return _begin_again(request)
        try:
            signing_in.give_code(halfway.user_id, form.cleaned_data["code"], throttling.address(request.META))
        except (CodeRefused, NothingEnrolled):
            form.add_error(
                "code", _("This code does not open anything. Wait for the next one and try again.")
            )
        else:
            return _enter(request, halfway.user_id, second_factor=True, mark=halfway.mark)
    return _code_page(request, halfway, form)


@doors.anybody("POST")
def ask_for_passkey(request: HttpRequest) -> HttpResponse:
    """What the browser needs to use a passkey: any of ours, or one of whoever gave their password.

    A question is kept in a session, which is a row: asked for without end, it would fill the table.
    """
    throttling.count_question(throttling.address(request.META))
    halfway = _halfway(request) if request.POST.get("after") == "password" else None
    with household.at_home():
        asked = passkeys.ask(ceremonies.site_of(request), halfway.user_id if halfway else None)
    return ceremonies.question(request, SECOND if halfway else SIGN_IN, asked)


@doors.anybody("POST")
def passkey(request: HttpRequest) -> HttpResponse:
    """A passkey's answer: both factors at once, or the second one."""
    halfway = _halfway(request) if request.POST.get("after") == "password" else None
    try:
        user_id = signing_in.give_passkey(
            ceremonies.answer(request),
            ceremonies.challenge(request, SECOND if halfway else SIGN_IN),
            ceremonies.site_of(request),
            throttling.address(request.META),
            halfway.user_id if halfway else None,
        )
    except (PasskeyRefused, NothingAsked):
        form = CodeForm({}) if halfway else SignInForm({})
        form.errors.clear()
        form.add_error(
            None, _("This passkey does not open anything here. Try again, or sign in another way.")
        )
        return _code_page(request, halfway, form) if halfway else _page(request, form)
    return _enter(request, user_id, second_factor=True, mark=halfway.mark if halfway else None)


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
    if request.visit.is_operator and not memberships:
        return doors.go(request, "admin:index")
    context = {"memberships": memberships, "current": request.session.get(doors.ORGANIZATION)}
    return render(request, "accounts/organizations.html", context)


def _go_on(request: HttpRequest, first: signing_in.FirstFactor) -> HttpResponse:
    if not first.needs_code:
        return _enter(request, first.user_id, second_factor=False, mark=first.mark)
    request.session.flush()
    request.session[HALFWAY] = {
        "id": uuid.uuid4().hex,
        "user": str(first.user_id),
        "since": timezone.now().isoformat(),
        "mark": first.mark,
    }
    return doors.go(request, "sign-in-code", next=doors.next_page(request))


def _halfway(request: HttpRequest) -> Halfway | None:
    """Nobody any more once the password has been changed, whoever knows the old one."""
    kept = request.session.get(HALFWAY)
    if kept is None or timezone.now() - datetime.fromisoformat(kept["since"]) > PATIENCE:
        return None
    user_id = uuid.UUID(kept["user"])
    is_good = signing_in.still_counts(user_id, kept["mark"])
    return Halfway(kept["id"], user_id, kept["mark"]) if is_good else None


def _begin_again(request: HttpRequest) -> HttpResponse:
    target = doors.next_page(request)
    request.session.flush()
    messages.error(request, _("Too many codes. Please begin again."))
    return doors.go(request, "sign-in", next=target)


def _enter(
    request: HttpRequest, user_id: uuid.UUID, *, second_factor: bool, mark: str | None
) -> HttpResponse:
    target = doors.next_page(request)
    try:
        doors.begin(request, user_id, second_factor=second_factor, mark=mark)
    except SignInRefused:
        request.session.flush()
        messages.error(request, _("This address and password do not go together."))
        return doors.go(request, "sign-in", next=target)
    return doors.go(request, target)


def _page(request: HttpRequest, form: SignInForm | CodeForm) -> HttpResponse:
    context = {"form": form, "next": doors.next_page(request)}
    return render(request, "accounts/sign_in.html", context, status=422 if form.errors else 200)


def _code_page(request: HttpRequest, halfway: Halfway, form: CodeForm | SignInForm) -> HttpResponse:
    with household.at_home():
        has_app, has_passkey = factors.has_app(halfway.user_id), bool(passkeys.of(halfway.user_id))
    context = {
        "form": form,
        "next": doors.next_page(request),
        "has_app": has_app,
        "has_passkey": has_passkey,
    }
    return render(request, "accounts/code.html", context, status=422 if form.errors else 200)


urlpatterns = [
    path("sign-in/", sign_in, name="sign-in"),
    path("sign-in/code/", code, name="sign-in-code"),
    path("sign-in/passkey/", passkey, name="sign-in-passkey"),
    path("sign-in/passkey/options/", ask_for_passkey, name="sign-in-passkey-options"),
    path("sign-out/", sign_out, name="sign-out"),
    path("organizations/", organizations, name="organizations"),
]
