"""`/sign-up/` and `/confirm/`: an organization comes in, and who signed it up confirms their address."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _

from accounts import agreements, doors, household, links, people, signing_up, throttling
from accounts.agreements import DocumentsChanged, InEffect
from accounts.doors import Asking
from accounts.forms import SignUpForm, refuse_password
from accounts.links import LinkInvalid
from accounts.models import LetterKind
from accounts.passwords import PasswordRefused
from accounts.people import Profile
from accounts.signing_up import Accepted


@doors.anybody("GET", "POST")
def sign_up(request: HttpRequest) -> HttpResponse:
    """The form. Whoever fills it in gets the same answer, whether the address has a login or not."""
    form = SignUpForm(request.POST or None, initial={"locale": doors.language_of(request)})
    if request.method == "POST" and form.is_valid():
        throttling.count_sign_in(throttling.address(request.META))
        try:
            _ask(request, form.cleaned_data)
        except PasswordRefused as error:
            refuse_password(form, error)
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
    """Where the link in the letter leads. Looking changes nothing: programs look at links first."""
    token = request.POST.get("token") or request.GET.get("token") or ""
    try:
        if request.method == "POST":
            signing_up.confirm(token)
            messages.success(request, _("Thank you: your address is confirmed."))
            return doors.go(request, "home")
        with household.at_home():
            links.look_at(LetterKind.CONFIRM_ADDRESS, token)
    except LinkInvalid:
        return render(request, "accounts/link_invalid.html", {"what": "confirm"}, status=410)
    return render(request, "accounts/confirm.html", {"token": token})


@doors.signed_in("GET", "POST", before_confirming=True)
def confirm_again(request: Asking) -> HttpResponse:
    """All that is to be seen before the address is confirmed: where the link went, and to send it again."""
    if request.visit.is_verified:
        return doors.go(request, "home")
    if request.method == "POST":
        signing_up.write_again(request.visit.user_id, throttling.address(request.META))
        messages.success(request, _("We have written to you again."))
        return doors.go(request, "confirm-again")
    with household.at_home():
        email = people.person(request.visit.user_id).email
    return render(request, "accounts/confirm_again.html", {"email": email})


def _ask(request: HttpRequest, given: dict[str, str]) -> None:
    profile = Profile(given["name"], given["email"], given["position"], given["phone"], given["locale"])
    accepted = Accepted(request.POST.get("terms", ""), request.POST.get("privacy_policy", ""))
    signing_up.ask(given["organization"], profile, given["password"], accepted, doors.where(request))


def _page(request: HttpRequest, form: SignUpForm, current: InEffect, status: int) -> HttpResponse:
    context = {"form": form, "current": current, "changed": status == 409}
    return render(request, "accounts/sign_up.html", context, status=status)


urlpatterns = [
    path("sign-up/", sign_up, name="sign-up"),
    path("sign-up/written/", written, name="sign-up-written"),
    path("confirm/", confirm, name="confirm"),
    path("confirm/again/", confirm_again, name="confirm-again"),
]
