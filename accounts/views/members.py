"""`/settings/members/`: who belongs to the organization, who is invited, and as what."""

import uuid
from functools import partial
from typing import NamedTuple

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _

from accounts import doors, factors, household, invitations, people, sign_ins, tasks
from accounts.addresses import AddressInvalid
from accounts.doors import Asking
from accounts.invitations import AlreadyInvited, InvitationInvalid
from accounts.models import Invitation, Member, Membership
from accounts.people import Acting, LastOwner, NobodyResponsible, NoSuchMember
from accounts.roles import Permission, Role
from accounts.settings_forms import InviteForm, MemberForm
from accounts.throttling import TooManyInvitations, TooManyLetters
from iva import tenancy
from iva.personal_data import Purpose

PURPOSE = Purpose.ACCOUNT_MANAGE


class Row(NamedTuple):
    """A member as the list shows them."""

    membership: Membership
    member: Member
    has_second_factor: bool
    is_oneself: bool


@doors.member(PURPOSE, own_transactions=True, GET=Permission.MEMBERS_READ)
def members(request: Asking) -> HttpResponse:
    """Who belongs here, a hundred at a time, and who is invited. Factors are asked of the household."""
    may_manage = request.acting.may(Permission.MEMBERS_MANAGE)
    with tenancy.tenant(request.organization.pk, PURPOSE):
        found = people.page_of_members(doors.id_or_none(request.GET.get("after", "")))
        pending = invitations.pending() if may_manage else []
    with household.at_home():
        enrolled = factors.enrolled_among([member.user_id for _, member in found])
    own = request.acting.membership_id
    context = {
        "rows": [Row(one, known, known.user_id in enrolled, one.pk == own) for one, known in found],
        "pending": [_offered(invitation, request.acting) for invitation in pending],
        "may_manage": may_manage,
        "next_page": found[-1][0].pk if len(found) == people.MEMBERS_A_PAGE else None,
    }
    return render(request, "accounts/settings/members.html", context)


@doors.member(PURPOSE, GET=Permission.MEMBERS_MANAGE, POST=Permission.MEMBERS_MANAGE)
def invite(request: Asking) -> HttpResponse:
    """Invite somebody by e-mail; the letter leaves after the commit."""
    form = InviteForm(request.acting, request.POST if request.method == "POST" else None)
    try:
        if request.method == "POST" and form.is_valid() and _invited(request, form):
            messages.success(request, _("The invitation is on its way."))
            return doors.go(request, "settings-members")
    except (TooManyLetters, TooManyInvitations) as error:
        form.add_error("email", doors.patience(error))
        return doors.not_yet(_invite_page(request, form), error)
    return _invite_page(request, form)


@doors.member(PURPOSE, GET=Permission.MEMBERS_MANAGE, POST=Permission.MEMBERS_MANAGE)
def member(request: Asking, membership_id: uuid.UUID) -> HttpResponse:
    """One member: their role, and whether they answer for the organization."""
    membership, known = _member(membership_id)
    initial = {"role": membership.role, "is_responsible": known.is_responsible}
    form = MemberForm(request.acting, request.POST if request.method == "POST" else None, initial)
    if request.method == "POST" and form.is_valid() and _changed(request, form, known):
        messages.success(request, _("Saved."))
        return doors.go(request, "settings-members")
    context = {
        "form": form,
        "membership": membership,
        "member": known,
        "is_oneself": membership_id == request.acting.membership_id,
        "may_touch": membership.role != Role.OWNER or request.acting.may(Permission.OWNERS_MANAGE),
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "accounts/settings/member.html", context, status=status)


@doors.member(PURPOSE, own_transactions=True, POST=Permission.MEMBERS_MANAGE)
def revoke(request: Asking, membership_id: uuid.UUID) -> HttpResponse:
    """End a membership. Whoever belongs nowhere else is signed out, everywhere and at once."""
    try:
        with tenancy.tenant(request.organization.pk, PURPOSE):
            user_id = people.revoke(membership_id, by=request.acting)
    except NoSuchMember:
        raise Http404 from None
    except LastOwner:
        messages.error(request, _("An organization has at least one owner, and this is the last."))
        return doors.go(request, "settings-members")
    if not people.memberships_of(user_id):
        sign_ins.end_all(user_id, actor=request.acting.actor)
    messages.success(request, _("The membership has ended."))
    return doors.go(request, "settings-members")


@doors.member(PURPOSE, POST=Permission.MEMBERS_MANAGE)
def invite_again(request: Asking, invitation_id: uuid.UUID) -> HttpResponse:
    """Another letter with another link; the one before opens nothing more."""
    try:
        invitations.renew(invitation_id, by=request.acting)
    except InvitationInvalid:
        raise Http404 from None
    _mail(request)
    messages.success(request, _("The invitation is on its way again."))
    return doors.go(request, "settings-members")


@doors.member(PURPOSE, POST=Permission.MEMBERS_MANAGE)
def take_back(request: Asking, invitation_id: uuid.UUID) -> HttpResponse:
    """The link opens nothing any more."""
    try:
        invitations.revoke(invitation_id, by=request.acting)
    except InvitationInvalid:
        raise Http404 from None
    messages.success(request, _("The invitation was taken back."))
    return doors.go(request, "settings-members")


def _invite_page(request: Asking, form: InviteForm) -> HttpResponse:
    status = 422 if form.is_bound else 200
    return render(request, "accounts/settings/invite.html", {"form": form}, status=status)


def _invited(request: Asking, form: InviteForm) -> bool:
    """Whether there is an invitation now; where there cannot be one, the form says why."""
    given = form.cleaned_data
    try:
        invitations.invite(given["email"], Role(given["role"]), by=request.acting)
    except AddressInvalid:
        form.add_error("email", _("This is not an e-mail address."))
    except AlreadyInvited:
        form.add_error("email", _("This address is invited already. Send that invitation again instead."))
    else:
        _mail(request)
        return True
    return False


def _offered(invitation: Invitation, acting: Acting) -> tuple[Invitation, bool, bool]:
    """An open invitation, and whether this member may send it again and take it back."""
    role = Role(invitation.role)
    may_take_back = role is not Role.OWNER or acting.may(Permission.OWNERS_MANAGE)
    return invitation, acting.may_hand_out(role), may_take_back


def _changed(request: Asking, form: MemberForm, known: Member) -> bool:
    """Both changes or none; where one cannot be, the form says so at its field."""
    role, is_responsible = Role(form.cleaned_data["role"]), form.cleaned_data["is_responsible"]
    try:
        with transaction.atomic():
            people.change_role(known.pk, role, by=request.acting)
            if is_responsible != known.is_responsible:
                people.hand_responsibility(known.pk, is_responsible, by=request.acting)
    except LastOwner:
        form.add_error("role", _("An organization has at least one owner, and this is the last."))
    except NobodyResponsible:
        form.add_error("is_responsible", _("Somebody has to be responsible. Mark somebody else first."))
    else:
        return True
    return False


def _mail(request: Asking) -> None:
    """Should the broker be away, the periodic look finds what is due."""
    nudge = partial(tasks.mail_invitations.delay, str(request.organization.pk))
    transaction.on_commit(nudge, robust=True)


def _member(membership_id: uuid.UUID) -> tuple[Membership, Member]:
    try:
        return people.member(membership_id)
    except NoSuchMember:
        raise Http404 from None


urlpatterns = [
    path("settings/members/", members, name="settings-members"),
    path("settings/members/invite/", invite, name="invite-member"),
    path("settings/members/<uuid:membership_id>/", member, name="settings-member"),
    path("settings/members/<uuid:membership_id>/revoke/", revoke, name="revoke-member"),
    path("settings/invitations/<uuid:invitation_id>/again/", invite_again, name="invite-again"),
    path("settings/invitations/<uuid:invitation_id>/revoke/", take_back, name="revoke-invitation"),
]
