"""`/password-reset/`: a link to whoever forgot their password, and a new one by it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _

from accounts import doors, recovering, throttling
from accounts.forms import AddressForm, NewPasswordForm, refuse_password
from accounts.links import LinkInvalid
from accounts.passwords import PasswordRefused


@doors.anybody("GET", "POST")
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for a link; the answer is the same for every address."""
    form = AddressForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        recovering.ask(form.cleaned_data["email"], throttling.address(request.META))
        return doors.go(request, "password-reset-written")
    return render(request, "accounts/reset.html", {"form": form}, status=422 if form.errors else 200)


@doors.anybody("GET")
def written(request: HttpRequest) -> HttpResponse:
    """The answer to everybody who asks."""
    return render(request, "accounts/reset_written.html")


@doors.anybody("GET", "POST")
def reset(request: HttpRequest) -> HttpResponse:
    """Where the link leads: a new password, and then the second factor as at any sign-in."""
    token = request.POST.get("token") or request.GET.get("token") or ""
    form = NewPasswordForm(request.POST or None)
    try:
        if request.method == "POST" and form.is_valid():
            try:
                recovering.reset(token, form.cleaned_data["password"])
            except PasswordRefused as error:
                refuse_password(form, error)
            else:
                request.session.flush()
                messages.success(request, _("Your password is changed. Sign in with the new one."))
                return doors.go(request, "sign-in")
        recovering.look_at(token)
    except LinkInvalid:
        return render(request, "accounts/link_invalid.html", {"what": "reset"}, status=410)
    context = {"form": form, "token": token}
    return render(request, "accounts/reset_new.html", context, status=422 if form.errors else 200)


urlpatterns = [
    path("password-reset/", ask, name="password-reset"),
    path("password-reset/written/", written, name="password-reset-written"),
    path("password-reset/new/", reset, name="password-reset-new"),
]
