"""A way back for whoever has lost every second factor, for a ticket, through their mailbox only."""

import json

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts import factors, household, passkeys, signing_in
from accounts.models import LegalDocument, RecoveryCode
from accounts.people import Acting
from accounts.roles import Role
from accounts.signing_in import SignInRefused
from iva.audit.models import AuditEvent
from tests.cast import Party
from tests.conftest import AtDesk, Hire
from tests.people.mailbox import Mailbox, link_in, text_of
from tests.people.test_security_pages import has, with_app, with_passkey

EMAIL, OLD, NEW = "bat@acme.example.com", "correct horse battery staple", "Хар морь уул давав"
TICKET = "--reference=SUP-1042"


@pytest.fixture
def bat(acme: Party, hire: Hire, first: LegalDocument) -> Acting:
    """With an app and a passkey, whoever has enrolled them."""
    member = hire(acme, "Bat", Role.SUPPORT_AGENT)
    with_app(member)
    with_passkey(member)
    return member


def opens(password: str) -> bool:
    try:
        signing_in.check_password(EMAIL, password, "203.0.113.7")
    except SignInRefused:
        return False
    return True


def test_everything_goes_and_the_mailbox_leads_back(bat: Acting, at_desk: AtDesk, mail: Mailbox) -> None:
    thief = at_desk(bat)
    mail.deliver()
    call_command("reset_factors", EMAIL, TICKET)
    assert has(bat) == (False, 0)
    with household.at_home():
        assert not RecoveryCode.objects.filter(person_id=bat.user_id).exists()
    assert thief.get("/me/")["Location"].startswith("/sign-in/")
    assert not opens(OLD), "without a factor whoever knows the password would be in"
    told, link = sorted(mail.deliver(), key=lambda letter: "token=" in text_of(letter))
    assert {told["To"], link["To"]} == {EMAIL}
    assert Client().post(link_in(link), {"password": NEW}).status_code == 303
    assert opens(NEW)


def test_nobody_elses_factors_go(bat: Acting, saraa: Acting, mail: Mailbox) -> None:
    with_app(saraa)
    call_command("reset_factors", EMAIL, TICKET)
    assert has(saraa) == (True, 0)


def test_it_is_in_the_trail_with_the_ticket(bat: Acting) -> None:
    call_command("reset_factors", EMAIL, TICKET)
    with household.at_home():
        event = AuditEvent.objects.get(event="factors.reset")
    assert event.actor == "system"
    ids = json.loads(event.ids)
    assert (ids["person"], ids["reference"]) == (str(bat.user_id), "sup-1042")
    assert str(ids["count"]) == "2"


@pytest.mark.parametrize(
    ("email", "reference"),
    [("nobody@acme.example.com", "SUP-1042"), ("no address", "SUP-1042"), (EMAIL, "because"), (EMAIL, "")],
)
def test_without_a_ticket_or_a_login_nothing_happens(bat: Acting, email: str, reference: str) -> None:
    with pytest.raises(CommandError):
        call_command("reset_factors", email, f"--reference={reference}")
    assert has(bat) == (True, 1)
    assert opens(OLD)


def test_a_code_that_is_awaited_opens_nothing_afterwards(bat: Acting, mail: Mailbox) -> None:
    with household.at_home():
        codes = factors.renew_recovery_codes(bat.user_id)
        assert len(passkeys.of(bat.user_id)) == 1
    thief = Client()
    thief.post("/sign-in/", {"email": EMAIL, "password": OLD})
    call_command("reset_factors", EMAIL, TICKET)
    answer = thief.post("/sign-in/code/", {"code": codes[0]})
    assert answer["Location"].startswith("/sign-in/?")
