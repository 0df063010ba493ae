"""`/me/`: who one is, in each organization; language and appearance; another e-mail address."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts import changing_address, doors, household, profile, proof
from accounts.addresses import AddressInvalid
from accounts.changing_address import LinkInvalid, PasswordWrong, SameAddress
from accounts.doors import Asking
from accounts.forms import AppearanceForm, NewAddressForm, ProfileForm
from accounts.mailing import MailNotConfigured
from accounts.people import NoSuchMember
from accounts.profile import Card
from accounts.throttling import TooManyLetters
from iva.personal_data import Purpose


@doors.signed_in("GET", "POST")
def own_profile(request: Asking) -> HttpResponse:
    """What organizations know of oneself, each with a form of its own."""
    if request.method == "POST":
        return _correct(request)
    return _profile(request, None)


@doors.signed_in("POST")
def appearance(request: Asking) -> HttpResponse:
    """Language and theme."""
    form = AppearanceForm(request.POST)
    if not form.is_valid():
        return _profile(request, None, appearance=form)
    profile.speak(request.visit.user_id, form.cleaned_data["locale"])
    profile.look(request.visit.user_id, form.cleaned_data["theme"])
    with override(form.cleaned_data["locale"]):
        messages.success(request, _("Saved."))
    return doors.go(request, "profile")


@doors.signed_in("POST")
def language(request: Asking) -> HttpResponse:
    """The switch in the frame of every page; back to where one was."""
    try:
        profile.speak(request.visit.user_id, request.POST.get("locale", ""))
    except ValueError:
        raise Http404 from None
    return doors.go(request, doors.next_page(request, otherwise="profile"))


@doors.signed_in("GET", "POST")
def address(request: Asking) -> HttpResponse:
    """Ask for another address: with the password, and a fresh second factor where there is one."""
    proof.demand_fresh(request.visit)
    form = NewAddressForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            changing_address.ask(
                request.visit.user_id, form.cleaned_data["email"], form.cleaned_data["password"]
            )
        except TooManyLetters as error:
            form.add_error("email", doors.patience(error))
            return doors.not_yet(_address(request, form), error)
        except AddressInvalid:
            form.add_error("email", _("This cannot be an e-mail address."))
        except SameAddress:
            form.add_error("email", _("This is your address already."))
        except PasswordWrong:
            form.add_error("password", _("This is not your password."))
        except MailNotConfigured:
            form.add_error(None, _("No e-mail can be sent from here just now. Nothing was changed."))
        else:
            messages.success(request, _("A letter with a link is on its way to the new address."))
            return doors.go(request, "profile")
    return _address(request, form)


@doors.signed_in("POST")
def withdraw(request: Asking) -> HttpResponse:
    """The link that was sent opens nothing any more."""
    if changing_address.withdraw(request.visit.user_id):
        messages.success(request, _("Your address stays as it is."))
    return doors.go(request, "profile")


@doors.signed_in("GET", "POST")
def confirm(request: Asking) -> HttpResponse:
    """What the link in the letter leads to: looked at with GET, followed with POST."""
    token = request.POST.get("token") or request.GET.get("token") or ""
    try:
        if request.method == "POST":
            changing_address.confirm(request.visit.user_id, token, using=request.visit.sign_in_id)
            messages.success(request, _("From now on you sign in with this address."))
            return doors.go(request, "profile")
        context = {"email": changing_address.look_at(request.visit.user_id, token), "token": token}
    except LinkInvalid:
        return render(request, "accounts/confirm_address.html", {}, status=410)
    return render(request, "accounts/confirm_address.html", context)


def _address(request: Asking, form: NewAddressForm) -> HttpResponse:
    context = {"form": form, "login": profile.login(request.visit.user_id)}
    return render(request, "accounts/address.html", context, status=422 if form.errors else 200)


def _correct(request: Asking) -> HttpResponse:
    form = ProfileForm(request.POST)
    organization_id = _organization(request)
    if form.is_valid():
        try:
            profile.correct(request.visit.user_id, organization_id, **form.cleaned_data)
        except NoSuchMember:
            raise Http404 from None
        except AddressInvalid:
            form.add_error("phone", _("This cannot be a phone number. Begin with + and the country's code."))
        else:
            messages.success(request, _("Saved."))
            return doors.go(request, "profile")
    return _profile(request, (organization_id, form))


def _organization(request: Asking) -> uuid.UUID:
    try:
        return uuid.UUID(request.POST.get("organization", ""))
    except ValueError:
        raise Http404 from None


def _profile(
    request: Asking, wrong: tuple[uuid.UUID, ProfileForm] | None, appearance: AppearanceForm | None = None
) -> HttpResponse:
    user_id = request.visit.user_id
    login, cards = profile.login(user_id), profile.cards(user_id)
    if wrong is not None and wrong[0] not in {card.organization.pk for card in cards}:
        raise Http404
    with household.at_home(Purpose.ACCOUNT_MANAGE):
        pending = changing_address.pending(user_id)
        waiting = {"email": pending.email, "refused": pending.refused_at} if pending else None
    context = {
        "login": login,
        "waiting": waiting,
        "appearance": appearance or AppearanceForm(initial={"locale": login.locale, "theme": login.theme}),
        "cards": [(card, _form(card, wrong)) for card in cards],
    }
    return render(request, "accounts/profile.html", context, status=422 if wrong or appearance else 200)


def _form(card: Card, wrong: tuple[uuid.UUID, ProfileForm] | None) -> ProfileForm:
    """The form of one organization; the one that was wrong as it was typed."""
    form = (
        wrong[1]
        if wrong and wrong[0] == card.organization.pk
        else ProfileForm(initial={"name": card.name, "position": card.position, "phone": card.phone})
    )
    form.auto_id = f"{card.organization.slug}-%s"
    return form


urlpatterns = [
    path("me/", own_profile, name="profile"),
    path("me/appearance/", appearance, name="appearance"),
    path("me/language/", language, name="language"),
    path("me/address/", address, name="address"),
    path("me/address/withdrawal/", withdraw, name="withdraw-address"),
    path("me/address/confirmation/", confirm, name="confirm-address"),
]
