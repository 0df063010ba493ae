"""Nobody has the platform write to somebody again and again, by whatever form."""

from typing import Any

import pytest
import redis

from accounts import changing_address, household, invitations, inviting, recovering, tasks
from accounts.models import AddressChange, Invitation
from accounts.people import Acting
from accounts.roles import Role
from accounts.throttling import TooManyInvitations, TooManyLetters
from iva.local import Servers
from tests.cast import Party
from tests.conftest import AtDesk
from tests.faults.together import together
from tests.people.mailbox import Mailbox

VICTIM, PASSWORD = "tuya@example.com", "correct horse battery staple"
MOST = 5
"""Letters an hour to a mailbox."""


@pytest.fixture(autouse=True)
def nothing_is_queued(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker, an outer border."""
    monkeypatch.setattr(tasks.mail_invitations, "delay", lambda *ids: None)


def invite(party: Party, by: Acting, email: str = VICTIM) -> Invitation:
    with party.tenant("account.manage"):
        return invitations.invite(email, Role.AUDITOR, by=by)[0]


def renew(party: Party, by: Acting, invitation: Invitation) -> None:
    with party.tenant("account.manage"):
        invitations.renew(invitation.pk, by=by)


def invite_and_take_back(party: Party, by: Acting, email: str = VICTIM) -> bool:
    try:
        with party.tenant("account.manage"):
            invitations.revoke(invitations.invite(email, Role.AUDITOR, by=by)[0].pk, by=by)
    except TooManyLetters:
        return False
    return True


def test_an_invitation_is_sent_again_a_few_times_and_the_page_says_when_to_go_on(
    acme: Party, saraa: Acting, at_desk: AtDesk, mail: Mailbox
) -> None:
    browser = at_desk(saraa)
    browser.post("/settings/members/invite/", {"email": VICTIM, "role": "auditor"})
    with acme.tenant("account.manage"):
        address = f"/settings/invitations/{Invitation.objects.get().pk}/again/"
    statuses, letters = [], 0
    for _ in range(2 * MOST):
        letters += inviting.mail(acme.id)
        answer = browser.post(address)
        statuses.append(answer.status_code)
    assert statuses == [303] * (MOST - 1) + [429] * (MOST + 1)
    assert 0 < int(answer["Retry-After"]) <= 3600
    assert letters == MOST


def test_nor_by_inviting_and_taking_back(acme: Party, saraa: Acting) -> None:
    assert [invite_and_take_back(acme, saraa) for _ in range(MOST + 2)] == [True] * MOST + [False] * 2


def test_nor_by_several_organizations_and_spellings_at_once(
    acme: Party, globex: Party, saraa: Acting, dorj: Acting
) -> None:
    tries = [
        lambda party=party, by=by, spelling=spelling: invite_and_take_back(party, by, spelling)
        for party, by in ((acme, saraa), (globex, dorj))
        for spelling in ("Tuya@Example.com", "tuya+1@example.com", "tuya+2@example.com", "tuya+3@example.com")
    ]
    assert together(tries).count(True) == MOST


def test_the_form_keeps_what_was_typed_and_nothing_is_invited(
    acme: Party, saraa: Acting, at_desk: AtDesk
) -> None:
    for _ in range(MOST):
        invite_and_take_back(acme, saraa)
    sent = {"email": VICTIM, "role": "auditor"}
    answer = at_desk(saraa).post("/settings/members/invite/", sent)
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 3600
    assert f'value="{VICTIM}"' in answer.content.decode()
    assert answer.context["form"].errors["email"]
    with acme.tenant("account.manage"):
        assert invitations.pending() == []


def test_an_organization_invites_so_many_in_a_day(
    acme: Party, globex: Party, saraa: Acting, dorj: Acting, monkeypatch: pytest.MonkeyPatch, at_desk: AtDesk
) -> None:
    monkeypatch.setattr("accounts.throttling.INVITATIONS.amount", 3)
    invitation, *_ = [invite(acme, saraa, f"bat{number}@example.com") for number in range(3)]
    with pytest.raises(TooManyInvitations):
        invite(acme, saraa, "bat3@example.com")
    with pytest.raises(TooManyInvitations):
        renew(acme, saraa, invitation)
    answer = at_desk(saraa).post("/settings/members/invite/", {"email": "x@example.com", "role": "auditor"})
    assert answer.status_code == 429
    assert 3600 < int(answer["Retry-After"]) <= 86400
    assert invite(globex, dorj).pk
    with acme.tenant("account.manage"):
        assert len(invitations.pending()) == 3


def test_nor_by_asking_for_another_address(saraa: Acting, mail: Mailbox) -> None:
    for number in range(MOST):
        changing_address.ask(saraa.user_id, f"tuya{number}@example.com", PASSWORD)
    with pytest.raises(TooManyLetters):
        changing_address.ask(saraa.user_id, VICTIM, PASSWORD)
    with household.at_home("account.manage"):
        assert AddressChange.objects.filter(withdrawn_at=None).count() == 1


def test_nor_by_several_people_asking_for_the_same(saraa: Acting, dorj: Acting, mail: Mailbox) -> None:
    for number in range(MOST):
        changing_address.ask((saraa, dorj)[number % 2].user_id, VICTIM, PASSWORD)
    with pytest.raises(TooManyLetters):
        changing_address.ask(saraa.user_id, VICTIM, PASSWORD)


def test_the_page_says_so(acme: Party, saraa: Acting, at_desk: AtDesk, mail: Mailbox) -> None:
    for number in range(MOST):
        changing_address.ask(saraa.user_id, f"tuya{number}@example.com", PASSWORD)
    answer = at_desk(saraa).post("/me/address/", {"email": VICTIM, "password": PASSWORD})
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 3600
    assert answer.context["form"].errors["email"]


def test_nobody_uses_up_the_letters_of_who_forgot_their_password(
    acme: Party, globex: Party, saraa: Acting, dorj: Acting, mail: Mailbox
) -> None:
    for _ in range(MOST):
        invite_and_take_back(globex, dorj, "saraa@acme.example.com")
    assert not invite_and_take_back(globex, dorj, "saraa@acme.example.com")
    recovering.ask("saraa@acme.example.com", "203.0.113.9")
    assert [letter["To"] for letter in mail.deliver()] == ["saraa@acme.example.com"]


def test_the_counters_do_not_say_whose_the_mailbox_is(acme: Party, saraa: Acting, servers: Servers) -> None:
    invite(acme, saraa)
    counters: Any = redis.Redis.from_url(servers.redis_url).keys("*")
    assert any(b"unasked:" in name for name in counters)
    assert not [name for name in counters if b"tuya" in name]
