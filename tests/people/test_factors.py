"""A second factor opens once, and only for whom it was enrolled."""

import base64
import time
import uuid
from collections.abc import Callable, Iterator

import psycopg
import pytest
from django_otp.oath import hotp

from accounts import factors, household, people
from accounts.factors import CodeRefused, NothingEnrolled
from accounts.models import Authenticator, RecoveryCode
from iva.audit.models import AuditEvent
from tests.faults.together import together

Shown = Callable[[int], str]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The time, as long as the test lets it stand."""
    now = [float(int(time.time()) // 30 * 30)]
    monkeypatch.setattr(factors.time, "time", lambda: now[0])
    yield now


@pytest.fixture
def bat(db: None) -> uuid.UUID:
    return people.meet("bat@example.com", "correct horse battery staple")


@pytest.fixture
def app(bat: uuid.UUID, clock: list[float]) -> Shown:
    """Bat's app, confirmed a step ago: the code it shows so many steps from now."""
    with household.at_home():
        secret = base64.b32decode(factors.enroll(bat).secret)
    code = f"{hotp(secret, int(clock[0]) // 30, 6):06}"
    with household.at_home():
        factors.confirm(bat, code)
    clock[0] += 30
    return lambda steps: f"{hotp(secret, int(clock[0]) // 30 + steps, 6):06}"


def opens(person: uuid.UUID, code: str) -> bool:
    try:
        with household.at_home():
            factors.prove(person, code)
    except CodeRefused:
        return False
    return True


@pytest.mark.parametrize(
    ("at", "code"),
    [(59, "94287082"), (1111111109, "07081804"), (1234567890, "89005924"), (20000000000, "65353130")],
)
def test_the_codes_are_those_of_the_standard(at: int, code: str) -> None:
    """RFC 6238, appendix B, SHA-1; ours are the last six digits of the same number."""
    assert f"{hotp(b'12345678901234567890', at // 30, 8):08}" == code
    assert f"{hotp(b'12345678901234567890', at // 30, 6):06}" == code[2:]


def test_an_app_counts_once_it_has_shown_a_code(bat: uuid.UUID, clock: list[float]) -> None:
    with household.at_home():
        begun = factors.enroll(bat)
        assert not factors.is_enrolled(bat)
        with pytest.raises(NothingEnrolled):
            factors.prove(bat, "000000")
        address = factors.address_of(begun, "bat@example.com")
    assert address.startswith("otpauth://totp/IVA%3Abat%40example.com?secret=")
    with household.at_home(), pytest.raises(CodeRefused):
        factors.confirm(bat, "000000")
    code = f"{hotp(base64.b32decode(address.split('secret=')[1].split('&')[0]), int(clock[0]) // 30, 6):06}"
    with household.at_home():
        assert len(factors.confirm(bat, code)) == 10
        assert factors.is_enrolled(bat)


def test_a_code_opens_once_also_thirty_one_seconds_later(
    bat: uuid.UUID, app: Shown, clock: list[float]
) -> None:
    code = app(0)
    assert opens(bat, code)
    assert not opens(bat, code)
    clock[0] += 31
    assert not opens(bat, code)


def test_no_code_from_before_the_last_one_opens(bat: uuid.UUID, app: Shown) -> None:
    earlier, later = app(0), app(1)
    assert opens(bat, later)
    assert not opens(bat, earlier)


@pytest.mark.parametrize(("steps", "expected"), [(-2, False), (-1, False), (0, True), (1, True), (2, False)])
def test_clocks_may_differ_by_one_step(bat: uuid.UUID, app: Shown, steps: int, expected: bool) -> None:
    """One step back is the one Bat has confirmed with: it has been used."""
    assert opens(bat, app(steps)) is expected


def test_a_clock_one_step_behind_is_good_enough(bat: uuid.UUID, app: Shown, clock: list[float]) -> None:
    clock[0] += 300
    assert opens(bat, app(-1))


def test_of_fifty_at_once_with_the_same_code_one_gets_in(bat: uuid.UUID, app: Shown) -> None:
    code = app(0)
    assert sum(together([lambda: opens(bat, code)] * 25)) == 1


def test_somebody_elses_code_opens_nothing(bat: uuid.UUID, app: Shown) -> None:
    saraa = people.meet("saraa@example.com", "correct horse battery staple")
    with household.at_home():
        factors.enroll(saraa)
        Authenticator.objects.filter(person_id=saraa).update(confirmed_at="2026-01-01T00:00:00Z")
    assert not opens(saraa, app(0))
    assert opens(bat, app(0))


@pytest.mark.parametrize(
    "rubbish", ["", "abc", "12345", "1234567", "٠١٢٣٤٥", "０００００１", "\x00" * 6, "x" * 9000]
)
def test_rubbish_opens_nothing(bat: uuid.UUID, app: Shown, rubbish: str) -> None:
    assert not opens(bat, rubbish)


def test_a_recovery_code_opens_once_in_any_spelling(bat: uuid.UUID, app: Shown) -> None:
    with household.at_home():
        codes = factors.renew_recovery_codes(bat)
    assert len(set(codes)) == 10
    assert opens(bat, codes[0].upper().replace("-", " "))
    assert not opens(bat, codes[0])
    assert sum(together([lambda: opens(bat, codes[1])] * 16)) == 1
    with household.at_home():
        assert factors.recovery_codes_left(bat) == 8
        factors.renew_recovery_codes(bat)
    assert not opens(bat, codes[2])


def test_secrets_and_codes_stand_nowhere_in_the_clear(
    bat: uuid.UUID, app: Shown, superuser: psycopg.Connection
) -> None:
    with household.at_home():
        secret = Authenticator.objects.get(person_id=bat).secret
        codes = factors.renew_recovery_codes(bat)
    tables = ("accounts_authenticator", "accounts_recoverycode", "iva_audit_auditevent")
    for table in tables:
        rows = str(superuser.execute(f"SELECT row_to_json(t)::text FROM {table} t").fetchall())
        for word in (
            secret,
            base64.b32decode(secret).hex(),
            *codes,
            *(code.replace("-", "") for code in codes),
        ):
            assert word not in rows


def test_a_new_app_replaces_the_old_one(bat: uuid.UUID, app: Shown, clock: list[float]) -> None:
    with household.at_home():
        secret = base64.b32decode(factors.enroll(bat).secret)
    assert opens(bat, app(0)), "the old one counts until the new one has shown a code"
    clock[0] += 30
    code = f"{hotp(secret, int(clock[0]) // 30, 6):06}"
    with household.at_home():
        factors.confirm(bat, code)
        assert Authenticator.objects.filter(person_id=bat).count() == 1
    clock[0] += 30
    assert not opens(bat, app(0))


def test_what_happens_to_factors_is_written_down(bat: uuid.UUID, app: Shown) -> None:
    with household.at_home():
        factors.remove_app(bat)
        factors.forget_recovery_codes(bat)
        assert not factors.is_enrolled(bat)
        assert not RecoveryCode.objects.exists()
    with household.at_home():
        events = [event.event for event in AuditEvent.objects.order_by("sequence")]
    assert events[-3:] == ["factor.enrolled", "recovery_codes.made", "factor.removed"]
