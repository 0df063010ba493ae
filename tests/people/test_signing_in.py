"""Signing in: the right password and the right code, and nothing that tells a stranger who has a login."""

import uuid
from typing import Any

import pytest
from django.contrib.auth import hashers
from limits import RateLimitItemPerMinute
from rest_framework.exceptions import Throttled

from accounts import factors, household, passwords, people, signing_in, throttling
from accounts.models import Authenticator, Organization, User
from accounts.passwords import PasswordRefused
from accounts.people import Acting
from accounts.roles import Role
from accounts.signing_in import SignInRefused
from iva.audit.models import AuditEvent
from tests.cast import Party
from tests.conftest import Hire
from tests.faults.together import together

PASSWORD = "correct horse battery staple"
HERE = "203.0.113.7"


@pytest.fixture
def bat(db: None) -> uuid.UUID:
    user_id = people.meet("bat@example.com", PASSWORD)
    people.verify(user_id)
    return user_id


def test_the_right_password_is_recognized_in_every_spelling_of_the_address(bat: uuid.UUID) -> None:
    for email in ("bat@example.com", "BAT@Example.com "):
        assert signing_in.check_password(email, PASSWORD, HERE).user_id == bat


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("bat@example.com", "wrong"),
        ("bat@example.com", PASSWORD + " "),
        ("bat@example.com", ""),
        ("bat@example.com", "x" * 100_000),
        ("bat@example.com", "\x00"),
        ("nobody@example.com", PASSWORD),
        ("", PASSWORD),
        ("no address", PASSWORD),
    ],
)
def test_every_refusal_is_the_same_refusal_and_costs_the_same_hash(
    bat: uuid.UUID, monkeypatch: pytest.MonkeyPatch, email: str, password: str
) -> None:
    hashed: list[str] = []
    argon = hashers.get_hasher()
    encode, verify = type(argon).encode, type(argon).verify

    def encoding(self: Any, password: str, salt: str) -> str:
        hashed.append("hashed")
        return encode(self, password, salt)

    def verifying(self: Any, password: str, encoded: str) -> bool:
        hashed.append("hashed")
        return verify(self, password, encoded)

    monkeypatch.setattr(type(argon), "encode", encoding)
    monkeypatch.setattr(type(argon), "verify", verifying)
    with pytest.raises(SignInRefused) as refused:
        signing_in.check_password(email, password, HERE)
    assert refused.value.args == ()
    assert hashed == ["hashed"]
    with household.at_home():
        assert AuditEvent.objects.filter(event="person.sign_in_refused").count() == 1


def test_an_unconfirmed_login_is_refused_like_a_wrong_password(db: None) -> None:
    user_id = people.meet("bat@example.com", PASSWORD)
    with pytest.raises(SignInRefused):
        signing_in.check_password("bat@example.com", PASSWORD, HERE)
    people.verify(user_id)
    assert signing_in.check_password("bat@example.com", PASSWORD, HERE).user_id == user_id


def test_a_closed_login_is_refused_like_a_wrong_password(bat: uuid.UUID) -> None:
    User.objects.filter(pk=bat).update(is_active=False)
    with pytest.raises(SignInRefused):
        signing_in.check_password("bat@example.com", PASSWORD, HERE)


def test_tries_are_counted_by_connection_and_by_person_exactly(bat: uuid.UUID, settings: Any) -> None:
    most = settings.IVA_FAILED_SIGN_INS_PER_MINUTE

    def attempt(email: str, address: str) -> str:
        try:
            signing_in.check_password(email, "wrong password", address)
        except SignInRefused:
            return "refused"
        except Throttled:
            return "throttled"
        raise AssertionError("let in")

    from_everywhere = [lambda n=n: attempt("bat@example.com", f"203.0.113.{n}") for n in range(most + 5)]
    outcomes = [
        outcome for part in range(0, most + 5, 7) for outcome in together(from_everywhere[part : part + 7])
    ]
    assert (outcomes.count("refused"), outcomes.count("throttled")) == (most, 5)
    outcomes = [attempt(f"nobody{n}@example.com", "198.51.100.7") for n in range(most + 5)]
    assert (outcomes.count("refused"), outcomes.count("throttled")) == (most, 5)


def test_one_network_locks_out_nobody_elsewhere_and_all_together_are_held(
    bat: uuid.UUID, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = settings.IVA_FAILED_SIGN_INS_PER_MINUTE
    monkeypatch.setattr(throttling, "SIGN_INS_OF_ONE", RateLimitItemPerMinute(most + 4, namespace="test"))
    for number in range(most + 20):
        with pytest.raises((SignInRefused, Throttled)):
            signing_in.check_password("bat@example.com", "wrong password", f"198.51.100.{number}")
    assert signing_in.check_password("bat@example.com", PASSWORD, HERE).user_id == bat

    def attempt(network: int) -> str:
        try:
            signing_in.check_password("bat@example.com", "wrong password", f"10.0.{network}.1")
        except (SignInRefused, Throttled) as error:
            return type(error).__name__
        raise AssertionError("let in")

    outcomes = together([lambda n=n: attempt(n) for n in range(8)])  # type: ignore[misc]
    assert (outcomes.count("SignInRefused"), outcomes.count("Throttled")) == (3, 5)


def test_owners_and_admins_cannot_do_without_a_second_factor(acme: Party, saraa: Acting, hire: Hire) -> None:
    expected = {Role.OWNER: True, Role.ADMIN: True, Role.SUPPORT_AGENT: False, Role.AUDITOR: False}
    for role, demanded in expected.items():
        hire(acme, f"Someone{role.value.replace('_', '')}", role)
        email = f"someone{role.value.replace('_', '')}@acme.example.com"
        first = signing_in.check_password(email, PASSWORD, HERE)
        assert (first.needs_code, first.must_enroll) == (False, demanded), role
    Organization.objects.filter(pk=acme.id).update(demands_second_factor=True)
    assert signing_in.check_password("someoneauditor@acme.example.com", PASSWORD, HERE).must_enroll


def test_with_a_factor_enrolled_the_password_is_not_enough(
    bat: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    with household.at_home():
        factors.enroll(bat)
        Authenticator.objects.update(confirmed_at="2026-01-01T00:00:00Z")
        codes = factors.renew_recovery_codes(bat)
    assert signing_in.check_password("bat@example.com", PASSWORD, HERE).needs_code
    with pytest.raises(factors.CodeRefused):
        signing_in.give_code(bat, "000000", HERE)
    assert signing_in.give_code(bat, codes[0], HERE)
    with household.at_home():
        events = [(e.event, e.ids) for e in AuditEvent.objects.order_by("sequence")][-3:]
    assert [event for event, _ in events] == [
        "person.sign_in_refused",
        "recovery_code.used",
        "person.signed_in",
    ]


def test_guessing_codes_is_slow_from_everywhere_together(bat: uuid.UUID, settings: Any) -> None:
    with household.at_home():
        factors.enroll(bat)
        Authenticator.objects.update(confirmed_at="2026-01-01T00:00:00Z")
    outcomes = []
    for number in range(settings.IVA_FAILED_SIGN_INS_PER_MINUTE + 3):
        try:
            signing_in.give_code(bat, "000000", f"203.0.113.{number}")
        except (factors.CodeRefused, Throttled) as error:
            outcomes.append(type(error).__name__)
    assert outcomes.count("Throttled") == 3


WEAK = {
    "short": ["", "elevenchars", "Xk9$mQ2!"],
    "long": ["Xk9$mQ2!" * 17],
    "repetitive": ["aaaaaaaaaaaaaaaa", "abababababab", "111222111222"],
    "stolen": ["qwerty123456", "1qaz2wsx3edc", "passwordpassword", "football12345!", "Iloveyou2024!!"],
    "row": ["qwertyuiopasdfghjkl", "zyxwvutsrqponm", "йцукенгшщзхъ1", "mnbvcxzlkjhgfdsa"],
    "personal": ["bat@example.com", "bat.example.com1"],
}


@pytest.mark.parametrize(("code", "password"), [(code, each) for code, all_ in WEAK.items() for each in all_])
def test_what_thieves_try_first_is_no_password(code: str, password: str) -> None:
    with pytest.raises(PasswordRefused) as refused:
        passwords.refuse_weak(password, about=["bat@example.com"])
    assert refused.value.code == code


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        "Хар морь уул давав",
        "xk9mq2vw7ylp",
        "Xk9$mQ2!Xk9$mQ2?",
        "улаанбаатар дахь гэр",
        "🐎🏔️🌊🔥🌞🌙⭐🌈🐪🦅🐺🦊",
    ],
)
def test_long_and_one_s_own_is_enough(password: str) -> None:
    passwords.refuse_weak(password, about=["bat@example.com"])


def test_a_weak_password_meets_nobody_and_changes_nothing(bat: uuid.UUID) -> None:
    with pytest.raises(PasswordRefused):
        people.meet("saraa@example.com", "qwerty123456")
    assert User.objects.count() == 1
    with pytest.raises(PasswordRefused):
        signing_in.change_password(bat, "qwerty123456")
    signing_in.change_password(bat, "another good password")
    with pytest.raises(SignInRefused):
        signing_in.check_password("bat@example.com", PASSWORD, HERE)
    assert signing_in.check_password("bat@example.com", "another good password", HERE).user_id == bat


def test_passwords_are_kept_as_argon2id_with_parameters_above_the_floor(bat: uuid.UUID) -> None:
    algorithm, _, _, parameters, *_ = User.objects.get(pk=bat).password.split("$")
    costs = dict(part.split("=") for part in parameters.split(","))
    assert algorithm == "argon2"
    assert "argon2id" in User.objects.get(pk=bat).password
    assert int(costs["m"]) >= 19 * 1024
    assert int(costs["t"]) >= 2
