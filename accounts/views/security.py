"""`/me/security/`: one's own password, authenticator app, passkeys and recovery codes."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import devices, doors, household, own_security, passkeys, people
from accounts.doors import Asking
from accounts.factors import NothingEnrolled
from accounts.forms import (
    ChangePasswordForm,
    NewPasswordForm,
    PasskeyNameForm,
    refuse_password,
)
from accounts.models import Passkey
from accounts.own_security import LastFactor, PasswordWrong
from accounts.passkeys import PasskeyRefused, TooManyPasskeys
from accounts.passwords import PasswordRefused
from accounts.views import ceremonies
from accounts.views.ceremonies import NothingAsked
from iva import problems

REGISTER = "register"


@doors.signed_in("GET")
def my_security(request: Asking) -> HttpResponse:
    """Everything that opens one's login, with what can be changed about it."""
    user_id = request.visit.user_id
    with household.at_home():
        held = own_security.held(user_id)
        shown = [(passkey, passkey.name) for passkey in held.passkeys]
    device = devices.describe(request.headers.get("User-Agent", ""))
    context = {"held": held, "passkeys": shown, "device": device, "most": passkeys.MOST}
    with timezone.override(people.zone_of(user_id)):
        return render(request, "accounts/my_security.html", context)


@doors.signed_in("GET", "POST")
def password(request: Asking) -> HttpResponse:
    """A new password; the present one is asked for unless an older second factor is fresh."""
    may_skip_old = own_security.stands_for_password(request.visit)
    sort = NewPasswordForm if may_skip_old else ChangePasswordForm
    form = sort(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            own_security.change_password(request.visit, given.get("old"), given["password"])
        except PasswordWrong:
            form.add_error("old", _("This is not your present password."))
        except PasswordRefused as error:
            refuse_password(form, error)
        else:
            doors.renew(request)
            messages.success(request, _("Your password is changed, and every other sign-in has ended."))
            return doors.go(request, "my-security")
    return render(request, "accounts/my_password.html", {"form": form}, status=422 if form.errors else 200)


@doors.signed_in("POST")
def remove_app(request: Asking) -> HttpResponse:
    """Sign in without the authenticator app from now on."""
    try:
        own_security.remove_app(request.visit)
    except LastFactor:
        return _keep_one(request)
    except NothingEnrolled:
        return doors.go(request, "my-security")
    messages.success(request, _("The authenticator app is removed."))
    return doors.go(request, "my-security")


@doors.signed_in("POST")
def renew_codes(request: Asking) -> HttpResponse:
    """Ten new recovery codes, shown this once."""
    try:
        codes = own_security.renew_recovery_codes(request.visit)
    except NothingEnrolled:
        return doors.go(request, "my-security")
    return _show(request, codes)


@doors.signed_in("POST")
def ask_for_passkey(request: Asking) -> HttpResponse:
    """What the browser needs to make a passkey."""
    own_security.require_fresh(request.visit)
    try:
        with household.at_home():
            asked = passkeys.ask_to_register(request.visit.user_id, ceremonies.site_of(request))
    except TooManyPasskeys:
        detail = _("You have as many passkeys as one can have. Remove one first.")
        return problems.respond(409, "too_many_passkeys", detail)
    return ceremonies.question(request, REGISTER, asked)


@doors.signed_in("POST")
def add_passkey(request: Asking) -> HttpResponse:
    """Keep the passkey the browser has made; with the first factor come recovery codes."""
    name = request.POST.get("name", "").strip()
    name = name or devices.describe(request.headers.get("User-Agent", ""))
    try:
        codes = own_security.add_passkey(
            request.visit,
            ceremonies.answer(request),
            ceremonies.challenge(request, REGISTER),
            ceremonies.site_of(request),
            name,
        )
    except (PasskeyRefused, NothingAsked):
        messages.error(request, _("The passkey could not be added. Please try again."))
        return doors.go(request, doors.next_page(request, "my-security"))
    doors.proved(request)
    if codes:
        return _show(request, codes)
    messages.success(request, _("The passkey is added."))
    return doors.go(request, doors.next_page(request, "my-security"))


@doors.signed_in("POST")
def rename_passkey(request: Asking, passkey_id: uuid.UUID) -> HttpResponse:
    """Call it something else."""
    form = PasskeyNameForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("A passkey needs a name of at most 60 characters."))
        return doors.go(request, "my-security")
    try:
        with household.at_home():
            passkeys.rename(request.visit.user_id, passkey_id, form.cleaned_data["name"])
    except Passkey.DoesNotExist:
        return problems.page(request, 404, "not_found", "There is nothing here.")
    messages.success(request, _("The passkey is renamed."))
    return doors.go(request, "my-security")


@doors.signed_in("POST")
def remove_passkey(request: Asking, passkey_id: uuid.UUID) -> HttpResponse:
    """It opens nothing any more."""
    try:
        own_security.remove_passkey(request.visit, passkey_id)
    except Passkey.DoesNotExist:
        return problems.page(request, 404, "not_found", "There is nothing here.")
    except LastFactor:
        return _keep_one(request)
    messages.success(request, _("The passkey is removed."))
    return doors.go(request, "my-security")


def _keep_one(request: Asking) -> HttpResponse:
    messages.error(request, _("Your role needs a second factor. Add another one before you remove this."))
    return doors.go(request, "my-security")


def _show(request: Asking, codes: list[str]) -> HttpResponse:
    shown = {"codes": codes, "next": doors.next_page(request, "my-security")}
    return render(request, "accounts/recovery_codes.html", shown)


urlpatterns = [
    path("me/security/", my_security, name="my-security"),
    path("me/security/password/", password, name="my-password"),
    path("me/security/authenticator/remove/", remove_app, name="my-authenticator-remove"),
    path("me/security/recovery-codes/", renew_codes, name="my-recovery-codes"),
    path("me/security/passkeys/", add_passkey, name="my-passkeys"),
    path("me/security/passkeys/options/", ask_for_passkey, name="my-passkeys-options"),
    path("me/security/passkeys/<uuid:passkey_id>/name/", rename_passkey, name="my-passkey-name"),
    path("me/security/passkeys/<uuid:passkey_id>/remove/", remove_passkey, name="my-passkey-remove"),
]
