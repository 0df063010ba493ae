"""Another e-mail address: nothing changes before the link, which opens once, for its owner, for a day."""

import json
import re
import uuid
from collections.abc import Iterator
from email.message import Message
from typing import Any

import psycopg
import pytest
from django.test import Client

from accounts import changing_address, forgetting, household, links, people, profile, recovering, signing_in
from accounts.changing_address import LinkInvalid, PasswordWrong, SameAddress
from accounts.mailing import MailNotConfigured
from accounts.models import AddressChange, Member
from accounts.people import Acting
from accounts.signing_in import SignInRefused
from iva.audit.models import AuditEvent
from tests.agreements.conftest import mail_server  # noqa: F401  a fixture
from tests.agreements.documents import later
from tests.agreements.mail_server import MailServer
from tests.cast import Party
from tests.conftest import AtDesk
from tests.faults.together import together
from tests.people.mailbox import Mailbox, link_in, token_in

PASSWORD = "correct horse battery staple"
OLD, NEW = "saraa@acme.example.com", "saraa.new@example.com"
HERE = "203.0.113.7"


@pytest.fixture
def mail(mail_server: MailServer) -> Iterator[MailServer]:  # noqa: F811
    yield mail_server


def text(letter: Message) -> str:
    return letter.get_payload(decode=True).decode()  # type: ignore[union-attr]


def link(mail: MailServer, to: str = NEW) -> str:
    """The token of the newest letter to an address."""
    letter = [letter for letter in mail.letters if letter["To"] == to][-1]
    found = re.search(r"https://iva\.example\.com(/me/address/confirmation/\?token=(\S+))", text(letter))
    assert found is not None
    return found[2]


def asked(mail: MailServer, saraa: Acting, email: str = NEW) -> str:
    changing_address.ask(saraa.user_id, email, PASSWORD)
    changing_address.send_letters()
    return link(mail, email)


def may_sign_in(email: str) -> bool:
    try:
        signing_in.check_password(email, PASSWORD, HERE)
    except SignInRefused:
        return False
    return True


def member_email(party: Party, saraa: Acting) -> str:
    with party.tenant("account.manage"):
        return Member.objects.get(pk=saraa.membership_id).email  # type: ignore[attr-defined, no-any-return]


class TestTheWholeWay:
    def test_through_the_pages(self, acme: Party, saraa: Acting, at_desk: AtDesk, mail: MailServer) -> None:
        browser, elsewhere = at_desk(saraa), at_desk(saraa)
        answer = browser.post("/me/address/", {"email": "Saraa.New@Example.com", "password": PASSWORD})
        assert (answer.status_code, answer["Location"]) == (303, "/me/")
        assert changing_address.send_letters() == 2
        assert mail.received() == sorted([NEW, OLD])
        assert NEW in browser.get("/me/").content.decode()
        assert (may_sign_in(OLD), may_sign_in(NEW)) == (True, False)

        token = link(mail)
        assert NEW in browser.get("/me/address/confirmation/", {"token": token}).content.decode()
        assert (may_sign_in(OLD), may_sign_in(NEW)) == (True, False)
        assert browser.post("/me/address/confirmation/", {"token": token}).status_code == 303
        assert (may_sign_in(OLD), may_sign_in(NEW)) == (False, True)
        assert member_email(acme, saraa) == NEW
        assert browser.get("/me/").status_code == 200
        assert elsewhere.get("/me/")["Location"].startswith("/sign-in/")

        assert changing_address.send_letters() == 1
        assert mail.letters[-1]["To"] == OLD
        assert changing_address.send_letters() == 0
        with household.at_home("account.manage"):
            assert AddressChange.objects.get().former_email is None  # type: ignore[attr-defined]

    def test_no_letter_to_the_former_address_names_the_new_one(self, saraa: Acting, mail: MailServer) -> None:
        changing_address.confirm(saraa.user_id, asked(mail, saraa), using=saraa.user_id)
        changing_address.send_letters()
        to_old = [letter for letter in mail.letters if letter["To"] == OLD]
        assert len(to_old) == 2
        assert all(NEW not in text(letter) and "token" not in text(letter) for letter in to_old)

    def test_the_trail_names_no_address(
        self, saraa: Acting, mail: MailServer, superuser: psycopg.Connection
    ) -> None:
        changing_address.confirm(saraa.user_id, asked(mail, saraa), using=saraa.user_id)
        with household.at_home("legal.requirement"):
            events = list(AuditEvent.objects.filter(event__startswith="person.address_"))
        assert [event.event for event in events] == [
            "person.address_change_asked",
            "person.address_changed",
        ]
        assert all(json.loads(event.ids) == {"person": str(saraa.user_id)} for event in events)
        rows = superuser.execute("SELECT change::text FROM accounts_addresschange change").fetchall()
        assert NEW.encode().hex() not in str(rows)


class TestAsking:
    @pytest.mark.parametrize(
        ("email", "password", "field"),
        [
            ("not an address", PASSWORD, "email"),
            ("a@b@c.example.com", PASSWORD, "email"),
            ("victim@example.com\nBcc: all@example.com", PASSWORD, "email"),
            (OLD.upper(), PASSWORD, "email"),
            (NEW, "something else entirely", "password"),
        ],
    )
    def test_what_cannot_be_is_said_at_the_field(
        self, saraa: Acting, at_desk: AtDesk, mail: MailServer, email: str, password: str, field: str
    ) -> None:
        answer = at_desk(saraa).post("/me/address/", {"email": email, "password": password})
        assert answer.status_code == 422
        assert f'id="id_{field}_error"' in answer.content.decode()
        assert changing_address.send_letters() == 0

    def test_whoever_has_a_factor_gives_it_first(
        self, saraa: Acting, at_desk: AtDesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        browser = at_desk(saraa, proved=False)
        assert browser.get("/me/address/").status_code == 200
        monkeypatch.setattr("accounts.factors.is_enrolled", lambda person_id: True)
        answer = browser.get("/me/address/")
        assert answer["Location"] == "/step-up/?next=%2Fme%2Faddress%2F"
        posted = browser.post("/me/address/", {"email": NEW, "password": PASSWORD})
        assert posted["Location"].startswith("/step-up/")

    def test_without_a_mail_server_nothing_begins(self, saraa: Acting, settings: Any) -> None:
        settings.IVA_EMAIL_URL = ""
        with pytest.raises(MailNotConfigured):
            changing_address.ask(saraa.user_id, NEW, PASSWORD)
        with household.at_home("account.manage"):
            assert changing_address.pending(saraa.user_id) is None

    def test_an_address_that_has_a_login_gets_a_letter_without_a_link(
        self, saraa: Acting, dorj: Acting, mail: MailServer
    ) -> None:
        """The page says the same: nobody learns who has a login."""
        changing_address.ask(saraa.user_id, "dorj@globex.example.com", PASSWORD)
        changing_address.send_letters()
        (letter,) = [letter for letter in mail.letters if letter["To"] == "dorj@globex.example.com"]
        assert "token" not in text(letter)

    def test_of_many_at_once_one_remains(self, saraa: Acting, mail: MailServer) -> None:
        def ask(number: int) -> None:
            changing_address.ask(saraa.user_id, f"saraa.{number}@example.com", PASSWORD)

        together([lambda number=number: ask(number) for number in range(5)])
        with household.at_home("account.manage"):
            assert AddressChange.objects.filter(withdrawn_at=None).count() == 1


class TestTheLink:
    def test_opens_once(self, saraa: Acting, mail: MailServer) -> None:
        token = asked(mail, saraa)
        changing_address.confirm(saraa.user_id, token, using=saraa.user_id)
        with pytest.raises(LinkInvalid):
            changing_address.confirm(saraa.user_id, token, using=saraa.user_id)

    def test_opens_once_also_when_followed_in_eight_windows(self, saraa: Acting, mail: MailServer) -> None:
        token, outcomes = asked(mail, saraa), []

        def follow() -> None:
            try:
                changing_address.confirm(saraa.user_id, token, using=saraa.user_id)
                outcomes.append("changed")
            except LinkInvalid:
                outcomes.append("refused")

        together([follow] * 8)
        assert sorted(outcomes) == ["changed"] + ["refused"] * 7

    def test_leaves_no_way_back_in_the_former_mailbox(self, saraa: Acting, mail: MailServer) -> None:
        recovering.ask(OLD, HERE)
        (letter,) = Mailbox(mail).deliver()
        way_back = token_in(link_in(letter))
        assert recovering.look_at(way_back) == saraa.user_id
        changing_address.confirm(saraa.user_id, asked(mail, saraa), using=uuid.uuid4())
        with pytest.raises(links.LinkInvalid):
            recovering.reset(way_back, "Хар морь уул давав")
        assert may_sign_in(NEW)

    def test_opens_for_a_day(self, saraa: Acting, mail: MailServer) -> None:
        token = asked(mail, saraa)
        with later(hours=24, seconds=1), pytest.raises(LinkInvalid):
            changing_address.confirm(saraa.user_id, token, using=saraa.user_id)

    def test_opens_nothing_for_whoever_got_the_letter_by_mistake(
        self, saraa: Acting, dorj: Acting, at_desk: AtDesk, mail: MailServer
    ) -> None:
        token = asked(mail, saraa)
        assert Client().get("/me/address/confirmation/", {"token": token})["Location"].startswith("/sign-in/")
        for method in ("get", "post"):
            answer = getattr(at_desk(dorj), method)("/me/address/confirmation/", {"token": token})
            assert answer.status_code == 410
            assert NEW not in answer.content.decode()
        assert may_sign_in(OLD)

    @pytest.mark.parametrize("token", ["", "ivc_", "ivc_" + "A" * 86, "ивс"])
    def test_that_we_never_sent_opens_nothing(
        self, saraa: Acting, mail: MailServer, at_desk: AtDesk, token: str
    ) -> None:
        asked(mail, saraa)
        answer = at_desk(saraa).post("/me/address/confirmation/", {"token": token})
        assert answer.status_code == 410

    def test_of_an_earlier_request_opens_nothing(self, saraa: Acting, mail: MailServer) -> None:
        first = asked(mail, saraa)
        second = asked(mail, saraa, "saraa.third@example.com")
        with pytest.raises(LinkInvalid):
            changing_address.confirm(saraa.user_id, first, using=saraa.user_id)
        address = changing_address.confirm(saraa.user_id, second, using=saraa.user_id)
        assert address == "saraa.third@example.com"

    def test_opens_nothing_once_withdrawn(self, saraa: Acting, at_desk: AtDesk, mail: MailServer) -> None:
        token = asked(mail, saraa)
        assert at_desk(saraa).post("/me/address/withdrawal/").status_code == 303
        with pytest.raises(LinkInvalid):
            changing_address.confirm(saraa.user_id, token, using=saraa.user_id)

    def test_opens_nothing_when_somebody_took_the_address_meanwhile(
        self, saraa: Acting, mail: MailServer
    ) -> None:
        token = asked(mail, saraa)
        people.meet(NEW, "another password altogether")
        with pytest.raises(LinkInvalid):
            changing_address.confirm(saraa.user_id, token, using=saraa.user_id)
        assert may_sign_in(OLD)
        with household.at_home("account.manage"):
            assert changing_address.pending(saraa.user_id) is not None

    def test_is_kept_as_a_hash_only(
        self, saraa: Acting, mail: MailServer, superuser: psycopg.Connection
    ) -> None:
        token = asked(mail, saraa)
        (row,) = superuser.execute("SELECT change::text FROM accounts_addresschange change").fetchall()
        assert token not in str(row)


class TestTheLetters:
    def test_wait_for_a_server_that_is_away(self, saraa: Acting, mail: MailServer) -> None:
        changing_address.ask(saraa.user_id, NEW, PASSWORD)
        mail.answers["MAIL"] = "451 4.3.0 try later"
        assert changing_address.send_letters() == 0
        mail.answers.clear()
        assert changing_address.send_letters() == 2
        assert changing_address.send_letters() == 0

    def test_one_that_is_refused_shows_on_the_profile(
        self, saraa: Acting, at_desk: AtDesk, mail: MailServer
    ) -> None:
        changing_address.ask(saraa.user_id, NEW, PASSWORD)
        mail.answers["RCPT"] = "550 5.1.1 no such mailbox"
        assert changing_address.send_letters() == 0
        page = at_desk(saraa).get("/me/").content.decode()
        assert NEW in page
        with household.at_home("account.manage"):
            assert AddressChange.objects.get().refused_at is not None

    def test_a_warning_that_is_refused_leaves_nothing_to_do(self, saraa: Acting, mail: MailServer) -> None:
        changing_address.ask(saraa.user_id, NEW, PASSWORD)
        mail.on["TEXT"] = lambda: mail.answers.update(RCPT="550 5.1.1 gone")  # after the link, the warning
        changing_address.send_letters()
        mail.on.clear()
        mail.answers.clear()
        changing_address.confirm(saraa.user_id, link(mail), using=saraa.user_id)
        changing_address.send_letters()
        assert changing_address._unfinished() == []

    def test_go_out_once_whoever_sends_them(self, saraa: Acting, mail: MailServer) -> None:
        changing_address.ask(saraa.user_id, NEW, PASSWORD)
        together([changing_address.send_letters] * 4)
        assert mail.received() == sorted([NEW, OLD])
        changing_address.confirm(saraa.user_id, link(mail), using=saraa.user_id)

    def test_what_a_crash_left_of_the_organizations_copies_is_carried_on(
        self, acme: Party, saraa: Acting, mail: MailServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def dies(*_: object) -> None:
            raise KeyboardInterrupt

        token = asked(mail, saraa)
        with monkeypatch.context() as patched:
            patched.setattr(profile, "follow_address", dies)
            with pytest.raises(KeyboardInterrupt):
                changing_address.confirm(saraa.user_id, token, using=saraa.user_id)
        assert member_email(acme, saraa) == OLD
        assert may_sign_in(NEW)
        changing_address.send_letters()
        assert member_email(acme, saraa) == NEW

    def test_nothing_remains_after_a_month(self, saraa: Acting, mail: MailServer) -> None:
        asked(mail, saraa)
        with later(days=31):
            assert forgetting.drop_address_changes() == 1


def test_a_wrong_password_and_the_same_address_are_facts(saraa: Acting, mail: MailServer) -> None:
    with pytest.raises(PasswordWrong):
        changing_address.ask(saraa.user_id, NEW, "something else entirely")
    with pytest.raises(SameAddress):
        changing_address.ask(saraa.user_id, OLD, PASSWORD)
