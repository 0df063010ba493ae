"""`/settings/security/`: what signing in demands, and from where the organization may be used."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _

from accounts import allow_list, doors, securing, throttling
from accounts.allow_list import WouldLockOut
from accounts.doors import Asking
from accounts.roles import Permission
from accounts.settings_forms import SecurityForm
from iva.personal_data import Purpose


@doors.member(Purpose.ACCOUNT_MANAGE, GET=Permission.SECURITY_MANAGE, POST=Permission.SECURITY_MANAGE)
def security(request: Asking) -> HttpResponse:
    """A second factor for all, and the allow-list; a list that would lock out who saves it is refused."""
    address = throttling.peer(request.META)
    form = SecurityForm(
        request.POST if request.method == "POST" else None,
        initial={
            "second_factor": request.organization.demands_second_factor,
            "networks": "\n".join(allow_list.read()),
        },
    )
    if request.method == "POST" and form.is_valid() and _secured(request, form, address):
        messages.success(request, _("Saved. It applies within five seconds."))
        return doors.go(request, "settings-security")
    context = {"form": form, "address": address}
    return render(request, "accounts/settings/security.html", context, status=422 if form.is_bound else 200)


def _secured(request: Asking, form: SecurityForm, address: str) -> bool:
    try:
        securing.secure(
            request.organization,
            second_factor=form.cleaned_data["second_factor"],
            networks=form.cleaned_data["networks"],
            by=request.acting,
            address=address,
        )
    except WouldLockOut:
        said = _("This list would lock you out: you are at %(address)s. Add that address, or its network.")
        form.add_error("networks", said % {"address": address})
        return False
    return True


urlpatterns = [path("settings/security/", security, name="settings-security")]
