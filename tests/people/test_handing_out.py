"""Nobody gives a role that grants what they may not do themselves: not by an invitation, not by a change."""

import re

import pytest

from accounts import invitations, people
from accounts.models import Invitation
from accounts.people import Acting
from accounts.roles import NotPermitted, Role
from tests.cast import Party
from tests.conftest import AtDesk, Hire

BEYOND = [Role.OWNER, Role.PRIVACY_OFFICER, Role.BILLING]
"""What an admin lacks something of."""
WITHIN = [role for role in Role if role not in BEYOND]


@pytest.fixture
def tuya(acme: Party, saraa: Acting, hire: Hire) -> Acting:
    return hire(acme, "Tuya", Role.ADMIN)


def offered(page: bytes) -> list[str]:
    return re.findall(r'<option value="([^"]+)"', page.decode())


@pytest.mark.parametrize("role", BEYOND)
def test_an_admin_neither_invites_nor_makes_nor_renews_it(
    acme: Party, saraa: Acting, tuya: Acting, hire: Hire, role: Role
) -> None:
    bat = hire(acme, "Bat", Role.SUPPORT_AGENT)
    with acme.tenant("account.manage"):
        invitation, _ = invitations.invite("dorj@example.com", role, by=saraa)
        for member in (bat, tuya):
            with pytest.raises(NotPermitted):
                people.change_role(member.membership_id, role, by=tuya)
        with pytest.raises(NotPermitted):
            invitations.invite("other@example.com", role, by=tuya)
        with pytest.raises(NotPermitted):
            invitations.renew(invitation.pk, by=tuya)
        assert Invitation.objects.count() == 1
    assert people.enter(bat.user_id, acme.id).role is Role.SUPPORT_AGENT
    assert people.enter(tuya.user_id, acme.id).role is Role.ADMIN


def test_the_forms_offer_an_admin_what_they_may_give(
    acme: Party, tuya: Acting, hire: Hire, at_desk: AtDesk
) -> None:
    bat, browser = hire(acme, "Bat", Role.SUPPORT_AGENT), at_desk(tuya)
    for address in ("/settings/members/invite/", f"/settings/members/{bat.membership_id}/"):
        assert offered(browser.get(address).content) == WITHIN
    answer = browser.post("/settings/members/invite/", {"email": "x@example.com", "role": "privacy_officer"})
    assert answer.status_code == 422
    sent = {"role": "privacy_officer"}
    assert browser.post(f"/settings/members/{tuya.membership_id}/", sent).status_code == 422
    assert people.enter(tuya.user_id, acme.id).role is Role.ADMIN


def test_an_owner_is_offered_every_role(acme: Party, saraa: Acting, at_desk: AtDesk) -> None:
    assert offered(at_desk(saraa).get("/settings/members/invite/").content) == list(Role)


def test_who_has_such_a_role_keeps_it_when_an_admin_makes_them_responsible(
    acme: Party, tuya: Acting, hire: Hire, at_desk: AtDesk
) -> None:
    officer, browser = hire(acme, "Bat", Role.PRIVACY_OFFICER), at_desk(tuya)
    address = f"/settings/members/{officer.membership_id}/"
    assert set(offered(browser.get(address).content)) == {*WITHIN, Role.PRIVACY_OFFICER}
    assert browser.post(address, {"role": "privacy_officer", "is_responsible": "on"}).status_code == 303
    with acme.tenant("account.manage"):
        assert officer.user_id in {one.user_id for one in people.responsible()}
    assert people.enter(officer.user_id, acme.id).role is Role.PRIVACY_OFFICER
