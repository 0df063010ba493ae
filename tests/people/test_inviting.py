"""Invitations are mailed after the commit, by whoever finds them due; only the newest letter's link opens."""

import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from email.header import decode_header, make_header
from email.message import Message
from typing import Any

import psycopg
import pytest
from django.utils import timezone

from accounts import invitations, inviting, organizations
from accounts.invitations import InvitationInvalid
from accounts.mailing import MailNotConfigured
from accounts.models import Invitation, Organization
from accounts.people import Acting
from accounts.roles import Role
from tests.agreements.mail_server import MailServer
from tests.cast import Party
from tests.faults.together import together

EMAIL = "bat@example.com"


@pytest.fixture
def post_office(settings: Any) -> Iterator[MailServer]:
    with MailServer() as server:
        for name, value in server.settings().items():
            setattr(settings, name, value)
        yield server


@pytest.fixture
def invited(acme: Party, saraa: Acting) -> uuid.UUID:
    with acme.tenant("account.manage"):
        return invitations.invite(EMAIL, Role.SUPPORT_AGENT, by=saraa)[0].pk


def text(letter: Message) -> str:
    content = letter.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content.decode()


def token_in(letter: Message) -> str:
    found = re.findall(r"https://iva\.example\.com/invitations/(\S+)/", text(letter))
    assert len(set(found)) == 1, "both languages carry one link"
    return str(found[0])


def kept(party: Party, invitation_id: uuid.UUID) -> Invitation:
    with party.tenant("account.manage"):
        return Invitation.objects.get(pk=invitation_id)


def test_the_letter_carries_a_link_that_opens(
    acme: Party, invited: uuid.UUID, post_office: MailServer
) -> None:
    assert inviting.mail(acme.id) == 1
    (letter,) = post_office.letters
    assert letter["To"] == EMAIL
    assert "Acme" in text(letter)
    offer = invitations.look_at(token_in(letter))
    assert (offer.invitation_id, offer.role) == (invited, Role.SUPPORT_AGENT)
    assert kept(acme, invited).mailed_at is not None


def test_it_goes_out_once_also_with_six_workers(
    acme: Party, invited: uuid.UUID, post_office: MailServer
) -> None:
    assert sum(together([lambda: inviting.mail(acme.id)] * 6)) == 1
    assert inviting.mail(acme.id) == 0
    assert len(post_office.letters) == 1


def test_another_letter_makes_the_first_link_worthless(
    acme: Party, saraa: Acting, invited: uuid.UUID, post_office: MailServer
) -> None:
    inviting.mail(acme.id)
    with acme.tenant("account.manage"):
        invitations.renew(invited, by=saraa)
    inviting.mail(acme.id)
    first, second = map(token_in, post_office.letters)
    assert invitations.look_at(second).invitation_id == invited
    with pytest.raises(InvitationInvalid):
        invitations.look_at(first)


def test_an_address_that_is_refused_is_not_tried_again(
    acme: Party, invited: uuid.UUID, post_office: MailServer
) -> None:
    post_office.answers["RCPT"] = "550 5.1.1 no such mailbox"
    assert inviting.mail(acme.id) == 0
    assert kept(acme, invited).failed_at is not None
    post_office.answers.clear()
    assert inviting.mail(acme.id) == 0


def test_a_server_that_is_busy_is_asked_again_later(
    acme: Party, invited: uuid.UUID, post_office: MailServer
) -> None:
    post_office.answers["RCPT"] = "450 4.2.0 later"
    assert inviting.mail(acme.id) == 0
    waiting = kept(acme, invited)
    assert (waiting.failed_at, waiting.mailed_at) == (None, None)
    assert waiting.due_at is not None
    assert waiting.due_at > timezone.now()
    post_office.answers.clear()
    with acme.tenant("account.manage"):
        Invitation.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    inviting.mail_everywhere()
    assert len(post_office.letters) == 1


def test_what_was_taken_back_is_not_mailed(
    acme: Party, saraa: Acting, invited: uuid.UUID, post_office: MailServer
) -> None:
    with acme.tenant("account.manage"):
        invitations.revoke(invited, by=saraa)
    assert inviting.mail(acme.id) == 0


def test_without_a_mail_server_it_waits(acme: Party, invited: uuid.UUID, settings: Any) -> None:
    settings.IVA_EMAIL_URL = ""
    with pytest.raises(MailNotConfigured):
        inviting.mail(acme.id)
    assert kept(acme, invited).attempts == 0


def named(party: Party, name: str) -> None:
    """As before names were one line: past the room that refuses it."""
    Organization.objects.filter(pk=party.id).update(name=name)


def test_a_name_over_several_lines_becomes_one_in_the_subject(
    acme: Party, invited: uuid.UUID, post_office: MailServer
) -> None:
    named(acme, "Acme\r\nBcc: everybody@example.com\u2028Inc")
    assert inviting.mail(acme.id) == 1
    (letter,) = post_office.letters
    subject = str(make_header(decode_header(str(letter["Subject"]))))
    assert "Acme Bcc: everybody@example.com Inc" in subject
    assert letter["Bcc"] is None


@pytest.fixture
def invited_there(globex: Party, dorj: Acting) -> uuid.UUID:
    with globex.tenant("account.manage"):
        return invitations.invite("tuya@example.com", Role.SUPPORT_AGENT, by=dorj)[0].pk


def test_what_stops_one_organization_stops_no_other(
    acme: Party,
    globex: Party,
    invited: uuid.UUID,
    invited_there: uuid.UUID,
    post_office: MailServer,
    superuser: psycopg.Connection,
) -> None:
    """In the one that is visited first somebody wrote a number into the table that no calendar holds."""
    visited = list(organizations.every_id())
    assert visited.index(acme.id) < visited.index(globex.id)
    superuser.execute("UPDATE accounts_invitation SET attempts = 2000 WHERE id = %s", [invited])
    with pytest.raises(OverflowError):
        inviting.mail(acme.id)
    inviting.mail_everywhere()
    assert [letter["To"] for letter in post_office.letters] == ["tuya@example.com"]
    assert kept(acme, invited).mailed_at is None


def test_what_stops_one_letter_stops_no_other(
    acme: Party, saraa: Acting, invited: uuid.UUID, post_office: MailServer, superuser: psycopg.Connection
) -> None:
    """The address of the first can no longer be read: somebody wrote into the table."""
    with acme.tenant("account.manage"):
        invitations.invite("tuya@example.com", Role.SUPPORT_AGENT, by=saraa)
    superuser.execute("UPDATE accounts_invitation SET email_encrypted = '\\x00' WHERE id = %s", [invited])
    assert inviting.mail(acme.id) == 1
    assert [letter["To"] for letter in post_office.letters] == ["tuya@example.com"]
    waiting = kept(acme, invited)
    assert (waiting.mailed_at, waiting.attempts) == (None, 1)
    assert waiting.due_at is not None
    assert waiting.due_at > timezone.now()


def test_a_letter_that_can_never_be_written_is_given_up(
    acme: Party, invited: uuid.UUID, post_office: MailServer, superuser: psycopg.Connection
) -> None:
    superuser.execute(
        "UPDATE accounts_invitation SET email_encrypted = '\\x00', attempts = %s WHERE id = %s",
        [inviting.MOST_ATTEMPTS - 1, invited],
    )
    assert inviting.mail(acme.id) == 0
    assert kept(acme, invited).failed_at is not None
