"""An invitation opens once, for a week, for whom it was sent to."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import invitations, people, roles
from accounts.invitations import AlreadyInvited, InvitationInvalid, MeantForAnother
from accounts.models import Invitation, Membership
from accounts.people import Acting, AlreadyMember, Profile
from accounts.roles import Role
from tests.cast import Party
from tests.conftest import Hire
from tests.faults.together import together

EMAIL = "bat@example.com"
PROFILE = Profile("Bat", EMAIL)


def invite(party: Party, by: Acting, role: Role = Role.SUPPORT_AGENT, email: str = EMAIL) -> str:
    with party.tenant("account.manage"):
        return invitations.invite(email, role, by=by)[1]


@pytest.fixture
def bat(db: None) -> uuid.UUID:
    return people.meet(EMAIL, "correct horse battery staple")


def test_who_accepts_is_a_member_in_the_role_that_was_offered(
    acme: Party, saraa: Acting, bat: uuid.UUID
) -> None:
    token = invite(acme, saraa)
    offer = invitations.look_at(token)
    assert (offer.organization_id, offer.email, offer.role) == (acme.id, EMAIL, Role.SUPPORT_AGENT)
    invitations.accept(token, bat, PROFILE._replace(email="somebody-else@example.com"))
    assert people.enter(bat, acme.id).role is Role.SUPPORT_AGENT
    with acme.tenant("account.manage"):
        assert {member.email for _, member in people.members()} == {EMAIL, "saraa@acme.example.com"}
        assert invitations.pending() == []


def test_it_opens_once_also_for_eight_at_a_time(acme: Party, saraa: Acting, bat: uuid.UUID) -> None:
    token = invite(acme, saraa)

    def accept() -> bool:
        try:
            invitations.accept(token, bat, PROFILE)
        except (InvitationInvalid, AlreadyMember):
            return False
        return True

    assert sum(together([accept] * 8)) == 1
    assert Membership.objects.filter(user_id=bat).count() == 1
    with pytest.raises(InvitationInvalid):
        invitations.look_at(token)


def test_it_is_not_for_another(acme: Party, saraa: Acting, dorj: Acting) -> None:
    token = invite(acme, saraa)
    with pytest.raises(MeantForAnother):
        invitations.accept(token, dorj.user_id, PROFILE)
    with pytest.raises(MeantForAnother):
        invitations.accept(token, uuid.uuid4(), PROFILE)
    assert invitations.look_at(token).email == EMAIL


def test_it_ends_after_a_week_and_when_it_is_revoked(acme: Party, saraa: Acting, bat: uuid.UUID) -> None:
    token = invite(acme, saraa)
    with acme.tenant("account.manage"):
        Invitation.objects.update(expires_at=timezone.now())
    with pytest.raises(InvitationInvalid):
        invitations.accept(token, bat, PROFILE)
    again = invite(acme, saraa)
    with acme.tenant("account.manage"):
        (waiting,) = invitations.pending()
        assert timedelta(days=6) < waiting.expires_at - timezone.now() <= timedelta(days=7)
        invitations.revoke(waiting.pk, by=saraa)
        with pytest.raises(InvitationInvalid):
            invitations.revoke(waiting.pk, by=saraa)
    with pytest.raises(InvitationInvalid):
        invitations.accept(again, bat, PROFILE)


def test_one_address_has_one_open_invitation_in_an_organization(
    acme: Party, globex: Party, saraa: Acting, dorj: Acting
) -> None:
    invite(acme, saraa)
    with pytest.raises(AlreadyInvited):
        invite(acme, saraa, email=EMAIL.upper())
    assert invite(globex, dorj)


def test_only_owners_invite_owners_and_only_managers_invite(acme: Party, saraa: Acting, hire: Hire) -> None:
    admin, agent = hire(acme, "Tuya", Role.ADMIN), hire(acme, "Bold", Role.SUPPORT_AGENT)
    assert invite(acme, saraa, Role.OWNER)
    assert invite(acme, admin, Role.ADMIN, "other@example.com")
    for by, role in ((admin, Role.OWNER), (agent, Role.SUPPORT_AGENT), (agent, Role.OWNER)):
        with pytest.raises(roles.NotPermitted):
            invite(acme, by, role, "third@example.com")


def test_inviting_needs_a_fresh_factor(acme: Party, saraa: Acting) -> None:
    stale = people.enter(saraa.user_id, acme.id, timezone.now() - timedelta(minutes=6))
    with pytest.raises(roles.StepUpNeeded):
        invite(acme, stale)


def test_a_token_is_worth_nothing_when_a_bit_of_it_is_other(
    acme: Party, globex: Party, saraa: Acting
) -> None:
    token = invite(acme, saraa)
    for position in range(len(invitations.PREFIX), len(token)):
        other = token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]
        with pytest.raises(InvitationInvalid):
            invitations.look_at(other)


@pytest.mark.parametrize(
    "rubbish", ["", "ivi_", "x", "ivi_" + "A" * 86, "iva_" + "A" * 86, "Өө" * 45, "\x00" * 90]
)
def test_rubbish_opens_nothing(db: None, rubbish: str) -> None:
    with pytest.raises(InvitationInvalid):
        invitations.look_at(rubbish)
