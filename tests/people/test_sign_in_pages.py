"""Signing in by the pages: password and code or a passkey; nothing fixed, nothing twice, nothing told."""

import base64
import json
import re
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import hashers
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django_otp.oath import hotp

from accounts import factors, household, own_security, people, sign_ins, signing_in, throttling
from accounts.models import LegalDocument, SignIn, User
from accounts.people import Acting
from accounts.roles import Role
from accounts.sign_ins import SignInEnded
from iva.audit.models import AuditEvent
from tests.agreements import documents
from tests.cast import Party
from tests.conftest import AtDesk, Hire
from tests.faults.together import together
from tests.people.device import Device
from tests.people.mailbox import Mailbox, text_of

HOME = reverse("home")
EMAIL, PASSWORD = "bat@acme.example.com", "correct horse battery staple"
Shown = Callable[[int], str]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    now = [float(int(time.time()) // 30 * 30)]
    monkeypatch.setattr(factors.time, "time", lambda: now[0])
    yield now


@pytest.fixture
def bat(acme: Party, hire: Hire, first: LegalDocument) -> Acting:
    member = hire(acme, "Bat", Role.SUPPORT_AGENT)
    documents.accepted(acme.id, member.user_id)
    return member


@pytest.fixture
def app(bat: Acting, clock: list[float]) -> Shown:
    """Bat's authenticator app."""
    with household.at_home():
        secret = base64.b32decode(factors.enroll(bat.user_id).secret)
        factors.confirm(bat.user_id, f"{hotp(secret, int(clock[0]) // 30, 6):06}")
    clock[0] += 30
    return lambda steps=0: f"{hotp(secret, int(clock[0]) // 30 + steps, 6):06}"


def password_given(**headers: str) -> Client:
    browser = Client(headers=headers)
    answer = browser.post("/sign-in/", {"email": EMAIL, "password": PASSWORD})
    assert answer["Location"].startswith("/sign-in/code/")
    return browser


def copied(browser: Client) -> Client:
    """Another browser with the same cookie."""
    other = Client()
    other.cookies[settings.SESSION_COOKIE_NAME] = browser.cookies[settings.SESSION_COOKIE_NAME].value
    return other


def key_of(browser: Client) -> str:
    cookie = browser.cookies.get(settings.SESSION_COOKIE_NAME)
    return cookie.value if cookie else ""


def is_in(browser: Client) -> bool:
    return browser.get(HOME).status_code == 200


def test_password_and_code_open_the_dashboard_and_next_is_kept(app: Shown) -> None:
    browser = Client()
    browser.get(f"/sign-in/?next={HOME}")
    answer = browser.post("/sign-in/", {"email": EMAIL, "password": PASSWORD, "next": "/organizations/"})
    assert answer["Location"] == "/sign-in/code/?next=%2Forganizations%2F"
    assert not is_in(browser)
    answer = browser.post(answer["Location"], {"code": app()})
    assert (answer.status_code, answer["Location"]) == (303, "/organizations/")
    assert is_in(browser)


ELSEWHERE = ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:1"]


@pytest.mark.parametrize("next_", ELSEWHERE)
def test_next_leads_nowhere_else(bat: Acting, next_: str) -> None:
    answer = Client().post("/sign-in/", {"email": EMAIL, "password": PASSWORD, "next": next_})
    assert answer["Location"] == HOME


def test_of_fifty_with_one_code_one_gets_in_and_none_thirty_one_seconds_later(
    app: Shown, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttling, "count_sign_in", lambda key: None)
    monkeypatch.setattr(throttling, "count_password", lambda person, address: None)
    code, browsers = app(), [password_given() for _ in range(50)]

    def enter(browser: Client) -> bool:
        return browser.post("/sign-in/code/", {"code": code}).status_code == 303

    tried = [together([lambda b=b: enter(b) for b in browsers[at : at + 10]]) for at in range(0, 50, 10)]
    assert sum(sum(part) for part in tried) == 1
    assert sum(map(is_in, browsers)) == 1
    clock[0] += 31
    assert not enter(password_given())


def test_a_code_typed_twice_in_one_browser_at_once_makes_one_sign_in(bat: Acting, app: Shown) -> None:
    browser, code = password_given(), app()
    doubles = [copied(browser) for _ in range(8)]
    statuses = together([lambda b=b: b.post("/sign-in/code/", {"code": code}).status_code for b in doubles])
    assert sum(is_in(double) for double in doubles) == 1
    assert statuses.count(200) == 0
    with household.at_home():
        assert len(sign_ins.of(bat.user_id)) == 1


def test_halfway_ends_with_getting_in(app: Shown, clock: list[float]) -> None:
    """Who has copied the cookie between password and code holds nothing afterwards."""
    browser = password_given()
    thief = copied(browser)
    browser.post("/sign-in/code/", {"code": app()})
    clock[0] += 30
    answer = thief.post("/sign-in/code/", {"code": app()})
    assert answer["Location"].startswith("/sign-in/?")
    assert (is_in(thief), is_in(browser)) == (False, True)


def test_five_codes_for_one_password_also_in_parallel(app: Shown) -> None:
    browser = password_given()
    wrong = {"code": "000000" if app() != "000000" else "111111"}
    statuses = together([lambda: copied(browser).post("/sign-in/code/", wrong).status_code] * 10)
    assert statuses.count(422) == 5
    answer = browser.post("/sign-in/code/", {"code": app()})
    assert answer["Location"].startswith("/sign-in/")
    assert not is_in(browser)
    fresh = password_given()
    assert fresh.post("/sign-in/code/", {"code": app()}).status_code == 303


def test_halfway_ends_after_ten_minutes(app: Shown) -> None:
    browser = password_given()
    with documents.later(minutes=11):
        assert browser.get("/sign-in/code/")["Location"].startswith("/sign-in/?")


def test_halfway_ends_with_the_password_that_was_given(app: Shown, bat: Acting, mail: Mailbox) -> None:
    thief = password_given()
    Client().post("/password-reset/", {"email": EMAIL})
    Client().post(mail.link(), {"password": "Хар морь уул давав"})
    answer = thief.post("/sign-in/code/", {"code": app()})
    assert answer["Location"].startswith("/sign-in/?")
    assert not is_in(thief)
    browser = Client()
    browser.post("/sign-in/", {"email": EMAIL, "password": "Хар морь уул давав"})
    assert browser.post("/sign-in/code/", {"code": app()}).status_code == 303


def test_a_password_that_is_changed_while_it_is_checked_opens_nothing(
    bat: Acting, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = signing_in._matches

    def slowly(user: User | None, password: str) -> bool:
        is_right = check(user, password)
        signing_in.change_password(bat.user_id, "another good password")
        return is_right

    monkeypatch.setattr(signing_in, "_matches", slowly)
    browser = Client()
    answer = browser.post("/sign-in/", {"email": EMAIL, "password": PASSWORD})
    assert answer["Location"].startswith("/sign-in/")
    assert not is_in(browser)


def test_whoever_was_signed_out_while_they_waited_changes_nothing(bat: Acting, at_desk: AtDesk) -> None:
    browser = at_desk(bat)
    with household.at_home():
        sign_in_id = SignIn.objects.get(person_id=bat.user_id).pk
    visit = sign_ins.see(sign_in_id)
    sign_ins.end_all(bat.user_id)
    with pytest.raises(SignInEnded):
        own_security.begin_app(visit)
    assert not is_in(browser)


def factors_in_the_trail(event: str) -> list[str]:
    with household.at_home():
        found = AuditEvent.objects.filter(event=event).order_by("sequence")
        return [json.loads(one.ids)["factor"] for one in found]


def test_the_trail_says_that_a_password_was_enough(bat: Acting) -> None:
    Client().post("/sign-in/", {"email": EMAIL, "password": PASSWORD})
    assert factors_in_the_trail("person.signed_in") == ["password"]


def test_a_factor_given_again_is_no_second_sign_in(app: Shown, clock: list[float]) -> None:
    browser = password_given()
    browser.post("/sign-in/code/", {"code": app()})
    clock[0] += 30
    answer = browser.post("/step-up/", {"code": app(), "next": "/me/security/"})
    assert answer["Location"] == "/me/security/"
    assert factors_in_the_trail("person.signed_in") == ["totp"]
    assert factors_in_the_trail("person.proved") == ["totp"]


def test_a_form_that_asked_for_a_factor_says_that_it_is_to_be_sent_again(
    app: Shown, clock: list[float]
) -> None:
    browser = password_given()
    browser.post("/sign-in/code/", {"code": app()})
    with documents.later(minutes=6):
        step_up = browser.post("/me/security/recovery-codes/")["Location"]
        assert "дахин нэг удаа" in browser.get(step_up).content.decode()


def test_the_session_is_another_at_each_step(app: Shown, clock: list[float]) -> None:
    browser = Client()
    session = browser.session
    session["fixed"] = "by a thief"
    session.save()
    browser.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    keys = [key_of(browser)]
    browser.post("/sign-in/", {"email": EMAIL, "password": PASSWORD})
    keys.append(key_of(browser))
    browser.post("/sign-in/code/", {"code": app()})
    keys.append(key_of(browser))
    assert "fixed" not in browser.session
    clock[0] += 30
    assert browser.post("/step-up/", {"code": app()}).status_code == 303
    keys.append(key_of(browser))
    stale = Client()
    for key in keys[:-1]:
        stale.cookies[settings.SESSION_COOKIE_NAME] = key
        assert not is_in(stale)
    assert is_in(browser)
    assert len(set(keys)) == 4
    last = copied(browser)
    browser.post("/sign-out/")
    assert (is_in(browser), is_in(last)) == (False, False)
    assert key_of(browser) != keys[-1]


class TestNobodyLearns:
    def refused(self, email: str, password: str = "wrong") -> tuple[int, str]:
        answer = Client().post("/sign-in/", {"email": email, "password": password})
        token = answer.context["csrf_token"] if answer.context else ""
        return answer.status_code, answer.content.decode().replace(email, "").replace(str(token), "")

    def test_who_has_a_login_from_the_page(self, bat: Acting) -> None:
        known, unknown = self.refused(EMAIL), self.refused("nobody@acme.example.com")
        assert known[0] == unknown[0] == 422
        assert masked(known[1]) == masked(unknown[1])

    def test_from_the_hashes_it_costs(self, bat: Acting, monkeypatch: pytest.MonkeyPatch) -> None:
        counted: list[int] = []
        for name in ("encode", "verify"):
            real = getattr(hashers.Argon2PasswordHasher, name)

            def counting(self: Any, *args: Any, _real: Any = real) -> Any:
                counted[-1] += 1
                return _real(self, *args)

            monkeypatch.setattr(hashers.Argon2PasswordHasher, name, counting)
        for email in (EMAIL, "nobody@acme.example.com", "someone@else.example.com"):
            counted.append(0)
            self.refused(email)
        assert counted == [1, 1, 1]

    def test_from_passkeys_that_are_offered(self, bat: Acting) -> None:
        device = enrolled(bat)
        offered = Client().post("/sign-in/passkey/options/", {"email": EMAIL}).json()
        assert offered.get("allowCredentials", []) == []
        assert len(device.credentials) == 1


def masked(page: str) -> str:
    return re.sub(r'(nonce|value|hx-headers)=("[^"]*"|\'[^\']*\')', "", page)


def test_tries_are_counted_exactly_with_fifty_at_once(bat: Acting) -> None:
    most = settings.IVA_FAILED_SIGN_INS_PER_MINUTE

    def attempt(number: int) -> int:
        headers = {"REMOTE_ADDR": f"203.0.113.{number}"}
        return Client().post("/sign-in/", {"email": EMAIL, "password": "wrong"}, **headers).status_code

    outcomes = [
        outcome
        for at in range(0, 50, 10)
        for outcome in together([lambda n=n: attempt(n) for n in range(at, at + 10)])
    ]
    assert (outcomes.count(422), outcomes.count(429)) == (most, 50 - most)


def enrolled(member: Acting, **how: Any) -> Device:
    """A device with a passkey of the member's, made on their security page."""
    device, browser = Device(**how), Client()
    browser.post("/sign-in/", {"email": EMAIL, "password": PASSWORD})
    asked = browser.post("/me/security/passkeys/options/")
    answer = browser.post(
        "/me/security/passkeys/", {"credential": device.create(asked.json()), "name": "Утас"}
    )
    assert answer.status_code == 200, "with the first factor come recovery codes"
    return device


class TestAPasskey:
    def answered(self, browser: Client, device: Device, where: str = "/sign-in/passkey/", **more: str) -> Any:
        options = browser.post(f"{where}options/", more)
        return browser.post(where, {"credential": device.get(options.json()), **more})

    def test_alone_is_both_factors(self, bat: Acting) -> None:
        device, browser = enrolled(bat), Client()
        answer = self.answered(browser, device)
        assert (answer.status_code, answer["Location"]) == (303, HOME)
        assert is_in(browser)
        with household.at_home():
            assert sign_ins.of(bat.user_id)[0].proved_at is not None

    def test_after_the_password_is_the_second_one(self, bat: Acting) -> None:
        device, browser = enrolled(bat), password_given()
        page = browser.get("/sign-in/code/").content.decode()
        assert "by-passkey" in page
        answer = self.answered(browser, device, after="password")
        assert answer.status_code == 303
        assert is_in(browser)

    def test_of_somebody_else_does_not_follow_a_password(self, bat: Acting, acme: Party, hire: Hire) -> None:
        enrolled(bat)
        browser, thief = password_given(), Device()
        options = browser.post("/sign-in/passkey/options/", {"after": "password"}).json()
        thief.create({**_registration(), "challenge": options["challenge"]})
        answer = browser.post(
            "/sign-in/passkey/",
            {"credential": thief.get({"challenge": options["challenge"]}), "after": "password"},
        )
        assert answer.status_code == 422
        assert not is_in(browser)

    def test_answers_a_challenge_once(self, bat: Acting) -> None:
        device, browser = enrolled(bat, counts=False), Client()
        options = browser.post("/sign-in/passkey/options/").json()
        answer = {"credential": device.get(options)}
        doubles = [copied(browser) for _ in range(6)]
        together([lambda b=b: b.post("/sign-in/passkey/", answer).status_code for b in doubles])
        assert sum(is_in(double) for double in doubles) == 1
        assert Client().post("/sign-in/passkey/", answer).status_code == 422

    def test_answers_within_five_minutes_and_what_it_was_asked_for(self, bat: Acting) -> None:
        device, browser = enrolled(bat), Client()
        options = browser.post("/sign-in/passkey/options/").json()
        with documents.later(minutes=6):
            late = browser.post("/sign-in/passkey/", {"credential": device.get(options)})
        assert late.status_code == 422
        assert self.answered(browser, device).status_code == 303
        signed_in = browser
        options = signed_in.post("/me/security/passkeys/options/").json()
        answer = signed_in.post("/step-up/passkey/", {"credential": device.get(options)})
        assert answer.status_code == 422, "a challenge for registering steps nobody up"

    def test_steps_up_under_a_new_session_key(self, bat: Acting) -> None:
        device = enrolled(bat)
        browser = Client()
        self.answered(browser, device)
        with documents.later(minutes=6):
            browser.post("/me/security/recovery-codes/")["Location"].startswith("/step-up/")
            before = key_of(browser)
            answer = self.answered(browser, device, "/step-up/passkey/", next="/me/security/")
            assert (answer.status_code, answer["Location"]) == (303, "/me/security/")
            assert key_of(browser) != before
            assert browser.post("/me/security/recovery-codes/").status_code == 200

    RUBBISH = ("", "{}", "null", "x" * 30_000, '{"response": {}, "rawId": 7}', "[" * 990, "[" * 9_000)

    @pytest.mark.parametrize("rubbish", RUBBISH)
    def test_rubbish_is_refused_politely(self, bat: Acting, rubbish: str) -> None:
        enrolled(bat)
        browser = password_given()
        for more in ({}, {"after": "password"}):
            browser.post("/sign-in/passkey/options/", more)
            assert browser.post("/sign-in/passkey/", {"credential": rubbish, **more}).status_code == 422

    def test_is_asked_for_so_often_from_one_address_that_sessions_do_not_pile_up(self, first: Any) -> None:
        most = settings.IVA_FAILED_SIGN_INS_PER_MINUTE
        asked = [Client().post("/sign-in/passkey/options/").status_code for _ in range(most + 5)]
        assert asked == [200] * most + [429] * 5
        assert Session.objects.count() == most
        elsewhere = Client().post("/sign-in/passkey/options/", REMOTE_ADDR="203.0.113.77")
        assert elsewhere.status_code == 200


def _registration() -> dict[str, Any]:
    return {"excludeCredentials": [], "user": {"id": base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()}}


def test_a_new_device_is_told_of_and_a_known_one_is_not(bat: Acting, mail: Mailbox) -> None:
    def enter(agent: str, address: str) -> list[Any]:
        browser = Client(headers={"User-Agent": agent})
        browser.post("/sign-in/", {"email": EMAIL, "password": PASSWORD}, REMOTE_ADDR=address)
        return mail.deliver()

    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    assert enter(firefox, "203.0.113.7") == [], "the first one is nobody's news"
    assert enter(firefox, "203.0.113.99") == [], "the same network"
    (letter,) = enter("curl/8.0", "203.0.113.7")
    assert letter["To"] == EMAIL
    assert "203.0.113" not in text_of(letter)
    (letter,) = enter(firefox, "198.51.100.7")
    assert "Firefox" in text_of(letter)
    assert enter(firefox, "198.51.100.8") == []


def test_nothing_personal_lies_in_the_session(app: Shown) -> None:
    browser = password_given()
    browser.post("/sign-in/passkey/options/", {"after": "password"})
    kept = json.dumps(dict(browser.session.items())) + str(list(Session.objects.values_list("session_data")))
    assert EMAIL not in kept
    assert PASSWORD not in kept


def test_the_pages_of_who_is_not_signed_in_can_be_looked_at(bat: Acting, at_desk: AtDesk) -> None:
    for lang in ("mn", "en"):
        for page in ("/sign-in/", "/sign-up/", "/password-reset/", "/password-reset/written/"):
            answer = Client().get(f"{page}?lang={lang}")
            assert answer.status_code == 200
            assert f'<html lang="{lang}">' in answer.content.decode()
    assert people.memberships_of(bat.user_id)
