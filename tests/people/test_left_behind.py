"""Whoever is removed or demoted leaves no way back behind."""

import uuid
from collections.abc import Callable

import pytest

from accounts import invitations, joining, people
from accounts.invitations import InvitationInvalid
from accounts.models import Invitation, Membership, User
from accounts.people import Acting, NoSuchMember, Profile
from accounts.roles import NotPermitted, Role
from iva.audit.models import AuditEvent
from tests.cast import Party
from tests.conftest import AtDesk, Hire
from tests.faults.together import together

EMAIL = "tuya@example.com"


def invite(party: Party, by: Acting, role: Role, email: str = EMAIL) -> str:
    with party.tenant("account.manage"):
        return invitations.invite(email, role, by=by)[1]


def come_back(token: str) -> uuid.UUID:
    user_id = people.meet(EMAIL, "correct horse battery staple")
    return joining.join(token, user_id, Profile("Tuya", EMAIL)).user_id


def revoked(party: Party) -> list[Invitation]:
    with party.tenant("account.manage"):
        return list(Invitation.objects.exclude(revoked_at=None))


def revocations(party: Party) -> list[str]:
    with party.tenant():
        found = AuditEvent.objects.filter(event="invitation.revoked")
        return list(found.values_list("actor", flat=True))


def by_revoking(saraa: Acting, bat: Acting) -> None:
    people.revoke(bat.membership_id, by=saraa)


def by_leaving(saraa: Acting, bat: Acting) -> None:
    people.leave(by=bat)


def by_demoting(saraa: Acting, bat: Acting) -> None:
    people.change_role(bat.membership_id, Role.ADMIN, by=saraa)


@pytest.mark.parametrize("goes", [by_revoking, by_leaving, by_demoting])
def test_an_owner_who_goes_does_not_come_back(
    acme: Party, saraa: Acting, hire: Hire, goes: Callable[[Acting, Acting], None]
) -> None:
    bat = hire(acme, "Bat", Role.OWNER)
    token = invite(acme, bat, Role.OWNER)
    with acme.tenant("account.manage"):
        goes(saraa, bat)
    with pytest.raises(InvitationInvalid):
        come_back(token)
    assert len(revoked(acme)) == 1
    assert revocations(acme) == [str((bat if goes is by_leaving else saraa).actor)]


def test_what_a_demoted_owner_could_still_give_stays(acme: Party, saraa: Acting, hire: Hire) -> None:
    bat = hire(acme, "Bat", Role.OWNER)
    token = invite(acme, bat, Role.SUPPORT_AGENT)
    invite(acme, bat, Role.PRIVACY_OFFICER, "other@example.com")
    with acme.tenant("account.manage"):
        people.change_role(bat.membership_id, Role.ADMIN, by=saraa)
    assert [gone.role for gone in revoked(acme)] == [Role.PRIVACY_OFFICER]
    assert people.enter(come_back(token), acme.id).role is Role.SUPPORT_AGENT


def test_who_manages_nobody_any_more_vouches_for_nobody(acme: Party, saraa: Acting, hire: Hire) -> None:
    bat = hire(acme, "Bat", Role.ADMIN)
    token = invite(acme, bat, Role.SUPPORT_AGENT)
    with acme.tenant("account.manage"):
        people.change_role(bat.membership_id, Role.AUDITOR, by=saraa)
    with pytest.raises(InvitationInvalid):
        invitations.look_at(token)


def test_the_invitations_of_others_stay(acme: Party, saraa: Acting, hire: Hire) -> None:
    bat = hire(acme, "Bat", Role.OWNER)
    token = invite(acme, saraa, Role.OWNER)
    with acme.tenant("account.manage"):
        people.revoke(bat.membership_id, by=saraa)
    assert revocations(acme) == []
    assert people.enter(come_back(token), acme.id).role is Role.OWNER


def ended(acting: Acting) -> None:
    Membership.objects.filter(pk=acting.membership_id).update(ended_at="2026-01-01T00:00:00Z")


def demoted(acting: Acting) -> None:
    Membership.objects.filter(pk=acting.membership_id).update(role=Role.SUPPORT_AGENT)


def shut_out(acting: Acting) -> None:
    User.objects.filter(pk=acting.user_id).update(is_active=False)


@pytest.mark.parametrize("change", [ended, demoted, shut_out])
def test_accepting_asks_anew_however_who_invited_came_to_go(
    acme: Party, saraa: Acting, hire: Hire, change: Callable[[Acting], None]
) -> None:
    bat = hire(acme, "Bat", Role.OWNER)
    token = invite(acme, bat, Role.SUPPORT_AGENT)
    change(bat)
    assert revoked(acme) == []
    with pytest.raises(InvitationInvalid):
        come_back(token)


def test_removed_and_accepting_at_once_nobody_enters_by_a_dead_link(
    acme: Party, saraa: Acting, hire: Hire
) -> None:
    """One of the two is first; whoever joined did so before their inviter went, and the trail has it so."""
    bat = hire(acme, "Bat", Role.OWNER)
    token = invite(acme, bat, Role.OWNER)
    user_id = people.meet(EMAIL, "correct horse battery staple")

    def remove() -> bool:
        with acme.tenant("account.manage"):
            people.revoke(bat.membership_id, by=saraa)
        return True

    def join() -> bool:
        try:
            joining.join(token, user_id, Profile("Tuya", EMAIL))
        except InvitationInvalid:
            return False
        return True

    _, joined = together([remove, join])
    assert len(revoked(acme)) == (0 if joined else 1)
    assert Membership.objects.filter(user_id=user_id).exists() is joined


def test_an_admin_takes_no_invitation_of_an_owner_back(
    acme: Party, saraa: Acting, hire: Hire, at_desk: AtDesk
) -> None:
    admin = hire(acme, "Bat", Role.ADMIN)
    token = invite(acme, saraa, Role.OWNER)
    with acme.tenant("account.manage"):
        (waiting,) = invitations.pending()
        with pytest.raises(NotPermitted):
            invitations.revoke(waiting.pk, by=admin)
    address = f"/settings/invitations/{waiting.pk}/revoke/"
    assert address.encode() not in at_desk(admin).get("/settings/members/").content
    assert at_desk(admin).post(address).status_code == 403
    assert invitations.look_at(token).role is Role.OWNER
    assert address.encode() in at_desk(saraa).get("/settings/members/").content
    assert at_desk(saraa).post(address).status_code == 303
    with pytest.raises(InvitationInvalid):
        invitations.look_at(token)


def test_nobody_is_left_who_is_gone(acme: Party, saraa: Acting, hire: Hire) -> None:
    bat = hire(acme, "Bat", Role.OWNER)
    invite(acme, bat, Role.OWNER)
    with acme.tenant("account.manage"):
        people.leave(by=bat)
        assert invitations.pending() == []
    with pytest.raises(NoSuchMember):
        people.enter(bat.user_id, acme.id)
