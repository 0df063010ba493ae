"""`/sign-up/` and `/confirm/`: an organization comes in; who reads the letter confirms it with a password."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _

from accounts import agreements, doors, signing_up, throttling
from accounts.agreements import DocumentsChanged, InEffect
from accounts.forms import AddressForm, ConfirmForm, FirstPasswordForm, SignUpForm, refuse_password
from accounts.links import LinkInvalid
from accounts.passwords import PasswordRefused
from accounts.people import Profile
from accounts.signing_up import Accepted, Waiting


@doors.anybody("GET", "POST")
def sign_up(request: HttpRequest) -> HttpResponse:
    """The form. Whoever fills it in gets the same answer, whether the address has a login or not."""
    form = SignUpForm(request.POST or None, initial={"locale": doors.language_of(request)})
    if request.method == "POST" and form.is_valid():
        throttling.count_sign_in(throttling.address(request.META))
        try:
            _ask(request, form.cleaned_data)
        except DocumentsChanged as changed:
            return _page(request, form, changed.current, 409)
        else:
            return doors.go(request, "sign-up-written")
    return _page(request, form, agreements.current(), 422 if form.errors else 200)


@doors.anybody("GET")
def written(request: HttpRequest) -> HttpResponse:
    """The answer to every sign-up."""
    return render(request, "accounts/sign_up_written.html")


@doors.anybody("GET", "POST")
def confirm(request: HttpRequest) -> HttpResponse:
    """Where the link in the letter leads: what was signed up, the documents, and a password for it.

    Looking changes nothing: programs look at links first. Nobody is signed in by it.
    """
    token = request.POST.get("token") or request.GET.get("token") or ""
    changed = False
    try:
        waiting = signing_up.waiting(signing_up.look_at(token))
        form = (ConfirmForm if waiting else FirstPasswordForm)(request.POST or None)
        if request.method == "POST" and form.is_valid() and _confirmed(request, form, token, waiting):
            request.session.flush()
            messages.success(request, _("Thank you: your address is confirmed. Now sign in."))
            return doors.go(request, "sign-in")
    except LinkInvalid:
        return render(request, "accounts/link_invalid.html", {"what": "confirm"}, status=410)
    except DocumentsChanged:
        changed = True
    context = {"form": form, "token": token, "waiting": waiting, "changed": changed}
    context["current"] = agreements.current() if waiting else None
    status = 409 if changed else 422 if form.errors else 200
    return render(request, "accounts/confirm.html", context, status=status)


@doors.anybody("GET", "POST")
def confirm_again(request: HttpRequest) -> HttpResponse:
    """Ask for the letter once more; the answer is the same for every address."""
    form = AddressForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        signing_up.write_again(form.cleaned_data["email"], throttling.address(request.META))
        return doors.go(request, "sign-up-written")
    return render(request, "accounts/confirm_again.html", {"form": form}, status=422 if form.errors else 200)


def _confirmed(request: HttpRequest, form: FirstPasswordForm, token: str, waiting: list[Waiting]) -> bool:
    """What was shown is what the page says that it showed, not what waits by now."""
    shown = [each.organization_id for each in waiting]
    if [str(id) for id in shown] != request.POST.getlist("shown"):
        raise LinkInvalid
    try:
        accepted, where = _accepted(request), doors.where(request)
        signing_up.confirm(token, form.cleaned_data["password"], shown, accepted, where)
    except PasswordRefused as error:
        refuse_password(form, error)
        return False
    return True


def _ask(request: HttpRequest, given: dict[str, str]) -> None:
    profile = Profile(given["name"], given["email"], given["position"], given["phone"], given["locale"])
    signing_up.ask(given["organization"], profile, _accepted(request), doors.where(request))


def _accepted(request: HttpRequest) -> Accepted:
    return Accepted(request.POST.get("terms", ""), request.POST.get("privacy_policy", ""))


def _page(request: HttpRequest, form: SignUpForm, current: InEffect, status: int) -> HttpResponse:
    context = {"form": form, "current": current, "changed": status == 409}
    return render(request, "accounts/sign_up.html", context, status=status)


urlpatterns = [
    path("sign-up/", sign_up, name="sign-up"),
    path("sign-up/written/", written, name="sign-up-written"),
    path("confirm/", confirm, name="confirm"),
    path("confirm/again/", confirm_again, name="confirm-again"),
]
