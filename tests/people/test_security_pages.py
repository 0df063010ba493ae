"""One's own security: every change after a fresh factor, told by e-mail, and never the last factor away."""

import json
import re
from typing import Any

import pytest
from django.test import Client

from accounts import factors, household, passkeys, signing_in
from accounts.models import LegalDocument, Passkey
from accounts.people import Acting
from accounts.roles import Role
from accounts.signing_in import SignInRefused
from tests.agreements.documents import later
from tests.cast import Party
from tests.conftest import AtDesk, Hire
from tests.faults.together import together
from tests.people.device import ORIGIN, SITE, Device
from tests.people.mailbox import Mailbox

OLD, NEW = "correct horse battery staple", "Хар морь уул давав"
PAGE = "/me/security/"


@pytest.fixture
def bat(acme: Party, hire: Hire, first: LegalDocument) -> Acting:
    return hire(acme, "Bat", Role.SUPPORT_AGENT)


def with_passkey(member: Acting) -> Device:
    device, here = Device(), passkeys.Site(SITE, ORIGIN)
    with household.at_home():
        asked = passkeys.ask_to_register(member.user_id, here)
        answer = device.create(json.loads(asked.options))
        passkeys.register(member.user_id, answer, asked.challenge, here, "Түлхүүр")
    return device


def with_app(member: Acting) -> None:
    with household.at_home():
        begun = factors.enroll(member.user_id)
        step = int(factors.time.time()) // 30
        factors.confirm(member.user_id, factors.shown_by(begun.secret, step - 1))


def has(member: Acting) -> tuple[bool, int]:
    with household.at_home():
        return factors.has_app(member.user_id), len(passkeys.of(member.user_id))


def subjects(mail: Mailbox) -> list[str]:
    return [str(letter["Subject"]) for letter in mail.deliver()]


def key() -> str:
    with household.at_home():
        return str(Passkey.objects.values_list("pk", flat=True)[0])


def test_the_page_says_what_there_is(bat: Acting, at_desk: AtDesk) -> None:
    desk = at_desk(bat)
    assert "Түлхүүр" not in desk.get(PAGE).content.decode()
    with_passkey(bat)
    with_app(bat)
    page = desk.get(PAGE).content.decode()
    assert "Түлхүүр" in page
    assert 'action="/me/security/authenticator/remove/"' in page


class TestThePassword:
    def test_is_changed_with_the_old_one_and_ends_the_other_sign_ins(
        self, bat: Acting, at_desk: AtDesk, mail: Mailbox
    ) -> None:
        desk, other = at_desk(bat, proved=False), at_desk(bat, proved=False)
        before = desk.session.session_key
        answer = desk.post(f"{PAGE}password/", {"old": OLD, "password": NEW})
        assert (answer.status_code, answer["Location"]) == (303, PAGE)
        assert desk.session.session_key != before
        assert desk.get(PAGE).status_code == 200
        assert other.get(PAGE)["Location"].startswith("/sign-in/")
        with pytest.raises(SignInRefused):
            signing_in.check_password("bat@acme.example.com", OLD, "203.0.113.7")
        assert len(mail.deliver()) == 1

    @pytest.mark.parametrize("old", ["", "wrong", NEW, "x" * 300])
    def test_is_not_without_it(self, bat: Acting, at_desk: AtDesk, old: str) -> None:
        answer = at_desk(bat, proved=False).post(f"{PAGE}password/", {"old": old, "password": NEW})
        assert answer.status_code == 422
        assert b'id="id_old_error"' in answer.content
        assert signing_in.check_password("bat@acme.example.com", OLD, "203.0.113.7")

    def test_is_with_a_fresh_factor_instead(self, bat: Acting, at_desk: AtDesk) -> None:
        with_app(bat)
        assert at_desk(bat).post(f"{PAGE}password/", {"password": NEW}).status_code == 303

    def test_is_no_weak_one(self, bat: Acting, at_desk: AtDesk) -> None:
        with_app(bat)
        answer = at_desk(bat).post(f"{PAGE}password/", {"password": "qwerty123456"})
        assert (answer.status_code, b'id="id_password_error"' in answer.content) == (422, True)

    def test_guessing_it_is_slow(self, bat: Acting, at_desk: AtDesk) -> None:
        desk = at_desk(bat, proved=False)
        wrong = {"old": "wrong", "password": NEW}
        statuses = [desk.post(f"{PAGE}password/", wrong).status_code for _ in range(32)]
        assert statuses == [422] * 30 + [429] * 2


class TestFactors:
    CHANGES = ("authenticator/remove/", "recovery-codes/", "passkeys/options/", "passkeys/")

    def test_are_changed_after_a_fresh_one_only(self, bat: Acting, at_desk: AtDesk) -> None:
        with_passkey(bat)
        with_app(bat)
        desk = at_desk(bat)
        changes = [*self.CHANGES, f"passkeys/{key()}/remove/"]
        with later(minutes=6):
            desk_stale = desk
            for change in changes:
                if change == "passkeys/":
                    continue
                answer = desk_stale.post(PAGE + change)
                assert answer["Location"].startswith("/step-up/"), change
            assert desk.get("/enroll/")["Location"].startswith("/step-up/")
        assert has(bat) == (True, 1)

    def test_are_removed_and_told_of(self, bat: Acting, at_desk: AtDesk, mail: Mailbox) -> None:
        with_passkey(bat)
        with_app(bat)
        desk = at_desk(bat)
        mail.deliver()
        assert desk.post(f"{PAGE}passkeys/{key()}/remove/")["Location"] == PAGE
        assert has(bat) == (True, 0)
        assert desk.post(f"{PAGE}authenticator/remove/")["Location"] == PAGE
        assert has(bat) == (False, 0)
        with household.at_home():
            assert factors.recovery_codes_left(bat.user_id) == 0
        assert len(subjects(mail)) == 2

    def test_the_last_one_stays_where_the_role_demands_it(
        self, saraa: Acting, at_desk: AtDesk, mail: Mailbox
    ) -> None:
        with_app(saraa)
        desk = at_desk(saraa)
        mail.deliver()
        desk.post(f"{PAGE}authenticator/remove/")
        assert has(saraa) == (True, 0)
        with_passkey(saraa)
        desk.post(f"{PAGE}authenticator/remove/")
        assert has(saraa) == (False, 1)
        desk.post(f"{PAGE}passkeys/{key()}/remove/")
        assert has(saraa) == (False, 1)
        assert len(subjects(mail)) == 1

    def test_two_at_once_do_not_remove_the_last_two(self, saraa: Acting, at_desk: AtDesk) -> None:
        with_app(saraa)
        with_passkey(saraa)
        one, two, passkey = at_desk(saraa), at_desk(saraa), key()
        together(
            [
                lambda: one.post(f"{PAGE}authenticator/remove/").status_code,
                lambda: two.post(f"{PAGE}passkeys/{passkey}/remove/").status_code,
            ]
        )
        assert sorted([has(saraa)[0], bool(has(saraa)[1])]) == [False, True]

    def test_a_passkey_is_added_by_its_page(self, bat: Acting, at_desk: AtDesk, mail: Mailbox) -> None:
        desk, device = at_desk(bat, proved=False), Device()
        mail.deliver()
        options = desk.post(f"{PAGE}passkeys/options/").json()
        assert options["authenticatorSelection"]["userVerification"] == "required"
        assert options["authenticatorSelection"]["residentKey"] == "preferred"
        shown = desk.post(f"{PAGE}passkeys/", {"credential": device.create(options), "name": " Миний утас "})
        assert len(re.findall(r"<li><code>", shown.content.decode())) == 10
        assert "Миний утас" in desk.get(PAGE).content.decode()
        assert len(subjects(mail)) == 1
        again = desk.post(f"{PAGE}passkeys/options/").json()
        assert [each["id"] for each in again["excludeCredentials"]] == [
            json.loads(device.get({"challenge": "AA"}))["id"]
        ]
        other = desk.post(f"{PAGE}passkeys/", {"credential": Device().create(again)})
        assert other["Location"] == PAGE, "recovery codes come with the first one only"
        assert has(bat) == (False, 2)

    def test_a_challenge_registers_once(self, bat: Acting, at_desk: AtDesk) -> None:
        desk, device = at_desk(bat), Device()
        options = desk.post(f"{PAGE}passkeys/options/").json()
        desk.post(f"{PAGE}passkeys/", {"credential": device.create(options)})
        desk.post(f"{PAGE}passkeys/", {"credential": Device().create(options)})
        assert has(bat) == (False, 1)

    def test_it_is_renamed_by_its_owner_only(self, bat: Acting, saraa: Acting, at_desk: AtDesk) -> None:
        with_passkey(bat)
        assert at_desk(saraa).post(f"{PAGE}passkeys/{key()}/name/", {"name": "Миний"}).status_code == 404
        with_app(saraa)
        assert at_desk(saraa).post(f"{PAGE}passkeys/{key()}/remove/").status_code == 404
        desk = at_desk(bat)
        assert desk.post(f"{PAGE}passkeys/{key()}/name/", {"name": "Ажлын утас"}).status_code == 303
        assert "Ажлын утас" in desk.get(PAGE).content.decode()
        for name in ("", " ", "x" * 61):
            desk.post(f"{PAGE}passkeys/{key()}/name/", {"name": name})
        assert "Ажлын утас" in desk.get(PAGE).content.decode()

    def test_new_recovery_codes_replace_the_old(self, bat: Acting, at_desk: AtDesk, mail: Mailbox) -> None:
        assert at_desk(bat).post(f"{PAGE}recovery-codes/")["Location"] == PAGE, "nothing to recover yet"
        with_app(bat)
        desk = at_desk(bat)
        mail.deliver()
        codes: Any = re.findall(r"<code>([^<]+)</code>", desk.post(f"{PAGE}recovery-codes/").content.decode())
        assert len(set(codes)) == 10
        assert len(subjects(mail)) == 1
        browser = Client()
        browser.post("/sign-in/", {"email": "bat@acme.example.com", "password": OLD})
        assert browser.post("/sign-in/code/", {"code": codes[0]}).status_code == 303

    def test_a_recovery_code_helps_who_has_lost_their_only_passkey(
        self, bat: Acting, at_desk: AtDesk
    ) -> None:
        with_passkey(bat)
        with household.at_home():
            codes = factors.renew_recovery_codes(bat.user_id)
        browser = Client()
        browser.post("/sign-in/", {"email": "bat@acme.example.com", "password": OLD})
        assert browser.post("/sign-in/code/", {"code": "000000"}).status_code == 422
        assert browser.post("/sign-in/code/", {"code": codes[0]}).status_code == 303
