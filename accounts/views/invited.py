"""`/invitations/<token>/`: where the link in an invitation leads."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _

from accounts import agreements, doors, household, invitations, joining, people, throttling
from accounts.agreements import DocumentsChanged
from accounts.forms import InvitedForm, JoiningForm, refuse_password
from accounts.invitations import Agreeing, InvitationInvalid, MeantForAnother, Offer
from accounts.joining import Standing
from accounts.models import Organization
from accounts.passwords import PasswordRefused
from accounts.people import AlreadyKnown, AlreadyMember, Profile
from accounts.role_words import ROLE_NAMES


@doors.anybody("GET", "POST")
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Accept: somebody new makes a login here, others sign in first. Looking accepts nothing."""
    try:
        offer = invitations.look_at(token)
        visit = doors.visitor(request)
        match joining.standing(offer, visit.user_id if visit else None):
            case Standing.NEW:
                return _new(request, token, offer)
            case Standing.SIGNED_IN if visit is not None:
                return _signed_in(request, token, offer)
            case Standing.KNOWN:
                return doors.go(request, "sign-in", next=request.path)
        return _another(request, offer)
    except InvitationInvalid:
        return render(request, "accounts/link_invalid.html", {"what": "invitation"}, status=410)
    except MeantForAnother:
        return _another(request, offer)


def _new(request: HttpRequest, token: str, offer: Offer) -> HttpResponse:
    form = InvitedForm(request.POST or None, initial={"locale": doors.language_of(request)})
    changed = False
    if request.method == "POST" and form.is_valid():
        throttling.count_sign_in(throttling.address(request.META))
        try:
            return _join_as_new(request, token, form)
        except PasswordRefused as error:
            refuse_password(form, error)
        except DocumentsChanged:
            changed = True
        except AlreadyKnown:
            return doors.go(request, "sign-in", next=request.path)
    status = 409 if changed else 422 if form.errors else 200
    more = {"form": form, "current": agreements.current(), "changed": changed}
    return _page(request, "invited", offer, status, more)


def _join_as_new(request: HttpRequest, token: str, form: InvitedForm) -> HttpResponse:
    given = form.cleaned_data
    agreeing = Agreeing(
        request.POST.get("terms", ""), request.POST.get("privacy_policy", ""), doors.where(request)
    )
    profile = Profile(given["name"], "", given["position"] or None, None, given["locale"])
    membership = joining.join_as_new(token, profile, given["password"], agreeing)
    doors.begin(request, membership.user_id, second_factor=False)
    return doors.go(request, "home")


def _signed_in(request: HttpRequest, token: str, offer: Offer) -> HttpResponse:
    visit = doors.visitor(request)
    assert visit is not None, "somebody is signed in"
    form = JoiningForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        profile = Profile(
            form.cleaned_data["name"], "", form.cleaned_data["position"] or None, None, visit.locale
        )
        try:
            joining.join(token, visit.user_id, profile)
        except AlreadyMember:
            form.add_error(None, _("You belong to this organization already."))
        else:
            doors.work_for(request, offer.organization_id)
            messages.success(request, _("Welcome."))
            return doors.go(request, "home")
    return _page(request, "invited_known", offer, 422 if form.errors else 200, {"form": form})


def _another(request: HttpRequest, offer: Offer) -> HttpResponse:
    visit = doors.visitor(request)
    assert visit is not None, "somebody is signed in"
    with household.at_home():
        email = people.person(visit.user_id).email
    return _page(request, "invited_another", offer, 403, {"email": email})


def _page(
    request: HttpRequest, template: str, offer: Offer, status: int, more: dict[str, object]
) -> HttpResponse:
    organization = Organization.objects.get(pk=offer.organization_id)
    context = {"inviting": organization, "role": ROLE_NAMES[offer.role], "email": offer.email} | more
    return render(request, f"accounts/{template}.html", context, status=status)


urlpatterns = [path("invitations/<str:token>/", invitation, name="invitation")]
