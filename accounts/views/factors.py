"""`/enroll/` and `/step-up/`: getting a second factor, and giving it again before what matters."""

import segno
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _

from accounts import doors, factors, household, own_security, passkeys, signing_in, throttling
from accounts.doors import Asking
from accounts.factors import CodeRefused, NothingEnrolled
from accounts.forms import CodeForm, PasswordForm
from accounts.own_security import PasswordWrong
from accounts.passkeys import PasskeyRefused
from accounts.views import ceremonies
from accounts.views.ceremonies import NothingAsked
from iva.audit.events import Event

STEP_UP = "step_up"


@doors.signed_in("GET", "POST")
def enroll(request: Asking) -> HttpResponse:
    """Enroll an authenticator app: scan, type what it shows, keep the recovery codes that are shown once.

    Whoever has a factor already gives it before they replace it, everybody else their password.
    """
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            codes = own_security.confirm_app(
                request.visit, form.cleaned_data["code"], throttling.address(request.META)
            )
        except NothingEnrolled:
            form.add_error("code", _("This code is for a key that is no longer good. Scan the new one."))
        except CodeRefused:
            form.add_error(
                "code",
                _("This is not what your app should show now. Is its clock right?"),
            )
        else:
            doors.proved(request)
            shown = {"codes": codes, "next": doors.next_page(request)}
            return render(request, "accounts/recovery_codes.html", shown)
    return _enrolling(request, form)


@doors.signed_in("GET", "POST")
def step_up(request: Asking) -> HttpResponse:
    """Give a second factor again; it is fresh for five minutes. Who has none gives the password."""
    with household.at_home():
        is_enrolled = factors.is_enrolled(request.visit.user_id)
    if not is_enrolled:
        return _by_password(request)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            signing_in.give_code(
                request.visit.user_id,
                form.cleaned_data["code"],
                throttling.address(request.META),
                Event.PROVED,
            )
        except NothingEnrolled:
            return doors.go(request, "enroll", next=doors.next_page(request))
        except CodeRefused:
            form.add_error(
                "code", _("This code does not open anything. Wait for the next one and try again.")
            )
        else:
            doors.proved(request)
            return doors.go(request, doors.next_page(request))
    return _step_up_page(request, form)


@doors.signed_in("POST")
def ask_for_passkey(request: Asking) -> HttpResponse:
    """What the browser needs to use one of the person's passkeys."""
    with household.at_home():
        asked = passkeys.ask(ceremonies.site_of(request), request.visit.user_id)
    return ceremonies.question(request, STEP_UP, asked)


@doors.signed_in("POST")
def step_up_by_passkey(request: Asking) -> HttpResponse:
    """A passkey instead of a code."""
    try:
        signing_in.give_passkey(
            ceremonies.answer(request),
            ceremonies.challenge(request, STEP_UP),
            ceremonies.site_of(request),
            throttling.address(request.META),
            request.visit.user_id,
            Event.PROVED,
        )
    except (PasskeyRefused, NothingAsked):
        form = CodeForm({})
        form.errors.clear()
        form.add_error(None, _("This passkey does not open anything here. Try again, or use a code."))
        return _step_up_page(request, form)
    doors.proved(request)
    return doors.go(request, doors.next_page(request))


def _by_password(request: Asking) -> HttpResponse:
    """What comes before the first factor, which is enrolled next."""
    if own_security.is_fresh_without_factor(request.visit):
        return doors.go(request, "enroll", next=doors.next_page(request))
    form = PasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            own_security.give_password(request.visit, form.cleaned_data["password"])
        except PasswordWrong:
            form.add_error("password", _("This is not your present password."))
        else:
            doors.renew(request)
            return doors.go(request, doors.next_page(request, "enroll"))
    context = {"form": form, "next": doors.next_page(request, "enroll")}
    return render(request, "accounts/step_up_password.html", context, status=422 if form.errors else 200)


def _step_up_page(request: Asking, form: CodeForm) -> HttpResponse:
    with household.at_home():
        held = own_security.held(request.visit.user_id)
    if not held.is_enrolled:
        return doors.go(request, "enroll", next=doors.next_page(request))
    context = {
        "form": form,
        "next": doors.next_page(request),
        "has_app": held.has_app,
        "has_passkey": bool(held.passkeys),
    }
    return render(request, "accounts/step_up.html", context, status=422 if form.errors else 200)


def _enrolling(request: Asking, form: CodeForm) -> HttpResponse:
    begun = own_security.begin_app(request.visit)
    code = segno.make_qr(begun.address).svg_inline(
        scale=5, border=2, dark="#1b1e24", light="#ffffff", omitsize=True
    )
    context = {"form": form, "qr": code, "secret": begun.secret, "next": doors.next_page(request)}
    return render(request, "accounts/enroll.html", context, status=422 if form.errors else 200)


urlpatterns = [
    path("enroll/", enroll, name="enroll"),
    path("step-up/", step_up, name="step-up"),
    path("step-up/passkey/", step_up_by_passkey, name="step-up-passkey"),
    path("step-up/passkey/options/", ask_for_passkey, name="step-up-passkey-options"),
]
