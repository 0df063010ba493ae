"""A session that somebody has stolen does not become theirs for good by a factor of their own."""

import re

import pytest
from django.test import Client

from accounts import factors, household, sign_ins, signing_in
from accounts.factors import CodeRefused
from accounts.models import Authenticator, LegalDocument
from accounts.people import Acting
from accounts.roles import Role
from tests.agreements.documents import later
from tests.cast import Party
from tests.conftest import AtDesk, Hire
from tests.people.device import Device
from tests.people.mailbox import Mailbox

EMAIL, OLD, NEW = "bat@acme.example.com", "correct horse battery staple", "Хар морь уул давав"
STEP_UP = "/step-up/?next=%2Fenroll%2F"


@pytest.fixture
def bat(acme: Party, hire: Hire, first: LegalDocument) -> Acting:
    return hire(acme, "Bat", Role.SUPPORT_AGENT)


def signed_in(password: str = OLD) -> Client:
    browser = Client(headers={"Accept": "text/html"})
    assert browser.post("/sign-in/", {"email": EMAIL, "password": password}).status_code == 303
    return browser


def secret_on(browser: Client) -> str:
    page = browser.get("/enroll/").content.decode()
    (found,) = re.findall(r'<code class="secret">([A-Z2-7]+)</code>', page)
    return str(found)


def code_of(secret: str) -> str:
    return factors.shown_by(secret, int(factors.time.time()) // factors.STEP_SECONDS)


def enrolled(browser: Client) -> str:
    secret = secret_on(browser)
    assert browser.post("/enroll/", {"code": code_of(secret)}).status_code == 200
    return secret


def is_in(browser: Client) -> bool:
    return browser.get("/me/").status_code == 200


def has_factor(member: Acting) -> bool:
    with household.at_home():
        return factors.is_enrolled(member.user_id)


class TestASecretThatWasShown:
    def test_stays_the_same_after_a_wrong_code(self, bat: Acting) -> None:
        browser = signed_in()
        secret = secret_on(browser)
        wrong = browser.post("/enroll/", {"code": "000000" if code_of(secret) != "000000" else "111111"})
        assert (wrong.status_code, secret in wrong.content.decode()) == (422, True)
        assert browser.post("/enroll/", {"code": code_of(secret)}).status_code == 200

    def test_is_another_in_another_sign_in(self, bat: Acting) -> None:
        thief, browser = signed_in(), signed_in()
        stolen = secret_on(thief)
        assert secret_on(browser) != stolen
        assert browser.post("/enroll/", {"code": code_of(stolen)}).status_code == 422
        assert not has_factor(bat)

    def test_opens_nothing_in_the_sign_in_it_was_not_shown_in(self, bat: Acting) -> None:
        thief = signed_in()
        secret = secret_on(signed_in())
        assert thief.post("/enroll/", {"code": code_of(secret)}).status_code == 422
        assert not has_factor(bat)

    def test_waits_ten_minutes(self, bat: Acting) -> None:
        browser = signed_in()
        secret = secret_on(browser)
        with later(minutes=11):
            late = browser.post("/enroll/", {"code": code_of(secret)})
            assert late["Location"].startswith("/step-up/"), "and the next one is shown after the password"
            browser.post("/step-up/", {"password": OLD})
            again = browser.post("/enroll/", {"code": code_of(secret)})
            assert (again.status_code, secret in again.content.decode()) == (422, False)
        assert not has_factor(bat)

    def test_may_be_confirmed_by_who_takes_more_than_five(self, bat: Acting) -> None:
        browser = signed_in()
        secret = secret_on(browser)
        with later(minutes=8):
            assert browser.post("/enroll/", {"code": code_of(secret)}).status_code == 200
        assert has_factor(bat)

    def test_is_gone_with_a_new_password(self, bat: Acting, mail: Mailbox) -> None:
        thief = signed_in()
        stolen = secret_on(thief)
        Client().post("/password-reset/", {"email": EMAIL})
        Client().post(mail.link(), {"password": NEW})
        with household.at_home():
            assert not Authenticator.objects.exists()
        assert not is_in(thief)
        browser = signed_in(NEW)
        secret = enrolled(browser)
        assert secret != stolen
        with household.at_home(), pytest.raises(CodeRefused):
            factors.prove(bat.user_id, code_of(stolen))

    def test_is_gone_from_the_session_in_which_the_password_was_changed(self, bat: Acting) -> None:
        browser = signed_in()
        secret = secret_on(browser)
        browser.post("/me/security/password/", {"old": OLD, "password": NEW})
        assert secret_on(browser) != secret

    def test_is_gone_with_the_sign_in(self, bat: Acting) -> None:
        thief, browser = signed_in(), signed_in()
        secret_on(thief)
        sign_ins.end_all(bat.user_id)
        with household.at_home():
            assert not Authenticator.objects.exists()
        assert not is_in(browser)


class TestBeforeTheFirstFactor:
    def test_the_password_is_not_asked_for_again_at_once(self, bat: Acting) -> None:
        enrolled(signed_in())
        assert has_factor(bat)

    @pytest.mark.parametrize("page", ["/enroll/", "/enroll/?next=/me/security/"])
    def test_it_is_in_an_older_sign_in(self, bat: Acting, page: str) -> None:
        browser = signed_in()
        with later(minutes=6):
            assert browser.get(page)["Location"].startswith(STEP_UP)
            assert browser.post("/enroll/", {"code": "000000"})["Location"].startswith("/step-up/")
            asked = browser.get(browser.get(page)["Location"])
            assert b'type="password"' in asked.content
            key = browser.session.session_key
            answer = browser.post("/step-up/", {"password": OLD, "next": page})
            assert (answer.status_code, answer["Location"]) == (303, page)
            assert browser.session.session_key != key
            enrolled(browser)

    def test_a_passkey_is_no_way_around(self, bat: Acting) -> None:
        browser = signed_in()
        with later(minutes=4):
            asked = browser.post("/me/security/passkeys/options/").json()
        with later(minutes=6):
            assert browser.post("/me/security/passkeys/options/")["Location"].startswith("/step-up/")
            answer = browser.post("/me/security/passkeys/", {"credential": Device().create(asked)})
            assert answer["Location"].startswith("/step-up/")
        assert not has_factor(bat)

    @pytest.mark.parametrize("wrong", ["", "wrong", NEW, "x" * 129])
    def test_a_wrong_password_opens_nothing(self, bat: Acting, wrong: str) -> None:
        browser = signed_in()
        with later(minutes=6):
            answer = browser.post("/step-up/", {"password": wrong})
            assert (answer.status_code, b'id="id_password_error"' in answer.content) == (422, True)
            assert browser.get("/enroll/")["Location"].startswith(STEP_UP)

    def test_guessing_it_is_slow(self, bat: Acting) -> None:
        browser = signed_in()
        with later(minutes=6):
            guesses = [browser.post("/step-up/", {"password": "wrong"}).status_code for _ in range(32)]
        assert guesses == [422] * 30 + [429] * 2

    def test_the_password_steps_nobody_up_who_has_a_factor(self, bat: Acting) -> None:
        browser = signed_in()
        enrolled(browser)
        with later(minutes=6):
            assert browser.post("/step-up/", {"password": OLD}).status_code == 422
            assert browser.get("/enroll/")["Location"].startswith(STEP_UP)

    def test_whoever_came_without_is_out_once_it_counts(self, bat: Acting, at_desk: AtDesk) -> None:
        thief, browser = at_desk(bat, proved=False), at_desk(bat, proved=False)
        assert is_in(thief)
        enrolled(browser)
        assert (is_in(thief), is_in(browser)) == (False, True)

    def test_with_a_passkey_too_but_not_with_the_second_factor(self, bat: Acting, at_desk: AtDesk) -> None:
        thief, browser = at_desk(bat, proved=False), at_desk(bat, proved=False)
        asked = browser.post("/me/security/passkeys/options/").json()
        browser.post("/me/security/passkeys/", {"credential": Device().create(asked)})
        assert (is_in(thief), is_in(browser)) == (False, True)
        phone = at_desk(bat)
        enrolled(browser)
        assert is_in(phone)


class TestANewFactor:
    def test_does_not_stand_for_the_old_password(self, bat: Acting) -> None:
        """With a sign-in of five minutes a thief may enroll; the password stays whose it is."""
        thief = signed_in()
        enrolled(thief)
        assert b'id="id_old"' in thief.get("/me/security/password/").content
        assert thief.post("/me/security/password/", {"password": NEW}).status_code == 422
        assert signing_in.check_password(EMAIL, OLD, "203.0.113.7").needs_code

    def test_does_in_the_next_sign_in(self, bat: Acting, at_desk: AtDesk) -> None:
        enrolled(signed_in())
        answer = at_desk(bat).post("/me/security/password/", {"password": NEW})
        assert answer.status_code == 303
