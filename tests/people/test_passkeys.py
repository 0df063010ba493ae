"""A passkey opens once for each challenge, for whom it was made, from our site, its owner verified."""

import itertools
import json
import time
import uuid
from typing import Any
from unittest import mock

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import factors, household, passkeys, people, signing_in
from accounts.models import Passkey, User
from accounts.passkeys import PasskeyRefused, Site
from iva.audit.models import AuditEvent
from tests.faults.together import together
from tests.people.device import ORIGIN, SITE, Device

HERE = Site(SITE, ORIGIN)
NETWORKS = itertools.count()


@pytest.fixture
def bat(db: None) -> uuid.UUID:
    user_id = people.meet("bat@example.com", "correct horse battery staple")
    people.verify(user_id)
    return user_id


def registered(person: uuid.UUID, device: Device, name: str = "Утас") -> Passkey:
    with household.at_home():
        asked = passkeys.ask_to_register(person, HERE)
        answer = device.create(json.loads(asked.options))
        return passkeys.register(person, answer, asked.challenge, HERE, name)


def given_by(device: Device, person: uuid.UUID | None = None) -> tuple[str, bytes]:
    with household.at_home():
        asked = passkeys.ask(HERE, person)
    return device.get(json.loads(asked.options)), asked.challenge


def opens(answer: str, challenge: bytes, person: uuid.UUID | None = None, site: Site = HERE) -> Any:
    try:
        return signing_in.give_passkey(answer, challenge, site, f"2001:db8:{next(NETWORKS):x}::1", person)
    except PasskeyRefused as refused:
        return refused.reason


@pytest.mark.parametrize("counts", [True, False])
def test_from_the_device_and_back(bat: uuid.UUID, counts: bool) -> None:
    device = Device(counts=counts)
    passkey = registered(bat, device)
    assert (passkey.name, passkey.transports) == ("Утас", "internal,hybrid")
    with household.at_home():
        assert factors.is_enrolled(bat)
        assert not factors.has_app(bat)
    for person in (None, bat):
        assert opens(*given_by(device, person), person) == bat
    with household.at_home():
        kept = Passkey.objects.get()
        assert kept.last_used_at is not None
        assert kept.sign_count == (3 if counts else 0)
        last = AuditEvent.objects.order_by("-sequence")[0]
    assert (last.event, "passkey" in last.ids) == ("person.signed_in", True)


def test_with_a_passkey_the_password_alone_is_not_enough(bat: uuid.UUID) -> None:
    registered(bat, Device())
    first = signing_in.check_password("bat@example.com", "correct horse battery staple", "203.0.113.7")
    assert first.needs_code


def test_a_passkey_is_as_good_a_mark_in_a_list_as_an_app(bat: uuid.UUID) -> None:
    saraa = people.meet("saraa@example.com", "correct horse battery staple")
    dorj = people.meet("dorj@example.com", "correct horse battery staple")
    registered(bat, Device())
    with household.at_home():
        begun = factors.enroll(saraa)
        factors.confirm(saraa, factors.shown_by(begun.secret, int(time.time()) // factors.STEP_SECONDS))
        factors.enroll(dorj)
        everybody = [bat, saraa, dorj]
        assert factors.enrolled_among(everybody) == {each for each in everybody if factors.is_enrolled(each)}
        assert factors.enrolled_among([bat, saraa, dorj]) == {bat, saraa}
        assert factors.enrolled_among([dorj]) == set()


@pytest.mark.parametrize("counts", [True, False])
def test_an_answer_opens_once_also_for_eight_at_a_time(bat: uuid.UUID, counts: bool) -> None:
    device = Device(counts=counts)
    registered(bat, device)
    answer, challenge = given_by(device)
    outcomes = together([lambda: opens(answer, challenge)] * 8)
    assert sorted(map(str, outcomes)) == sorted([str(bat)] + ["counter"] * 7)


def test_a_counter_that_goes_back_is_refused_and_written_down(bat: uuid.UUID) -> None:
    device = Device()
    passkey = registered(bat, device)
    device.count = 40
    assert opens(*given_by(device)) == bat
    device.count = 20
    assert opens(*given_by(device)) == "counter"
    with household.at_home():
        last = AuditEvent.objects.order_by("-sequence")[0]
    assert last.event == "passkey.refused"
    assert str(passkey.pk) in last.ids
    assert "counter" in last.ids


def test_somebody_elses_passkey_does_not_do(bat: uuid.UUID) -> None:
    saraa = people.meet("saraa@example.com", "correct horse battery staple")
    device = Device()
    registered(saraa, device)
    answer, challenge = given_by(device)
    assert opens(answer, challenge, bat) == "unknown"
    assert opens(answer, challenge) == saraa


def test_what_is_not_for_us_or_not_verified_is_refused(bat: uuid.UUID) -> None:
    device = Device()
    registered(bat, device)
    answer, _ = given_by(device)
    assert opens(answer, b"another challenge") == "signature"
    assert opens(*given_by(device), site=Site("evil.example.com", ORIGIN)) == "signature"
    device.origin = "https://iva.example.com.evil.example"
    assert opens(*given_by(device)) == "signature"
    device.origin, device.verifies = ORIGIN, False
    assert opens(*given_by(device)) == "signature"
    device.verifies, device.credentials[0].user_handle = True, uuid.uuid4().bytes
    assert opens(*given_by(device)) == "handle"


def test_a_closed_login_opens_nothing(bat: uuid.UUID) -> None:
    device = Device()
    registered(bat, device)
    User.objects.filter(pk=bat).update(is_active=False)
    assert opens(*given_by(device)) == "closed"


@pytest.mark.parametrize(
    "device", [Device(verifies=False), Device(origin="https://evil.example")], ids=["unverified", "elsewhere"]
)
def test_only_what_is_made_here_by_its_verified_owner_is_kept(bat: uuid.UUID, device: Device) -> None:
    with pytest.raises(PasskeyRefused):
        registered(bat, device)
    with household.at_home():
        assert not Passkey.objects.exists()


def test_a_device_holds_one_for_each_login_and_a_credential_belongs_to_one_person(bat: uuid.UUID) -> None:
    device = Device()
    registered(bat, device)
    with pytest.raises(LookupError, match="InvalidStateError"):
        registered(bat, device)
    saraa = people.meet("saraa@example.com", "correct horse battery staple")
    with household.at_home():
        asked = passkeys.ask_to_register(saraa, HERE)
        thief = Device()
        thief.create(json.loads(asked.options))
    stolen = thief.credentials[0]
    stolen.id = device.credentials[0].id
    thief.credentials.clear()
    answer = _recreate(thief, stolen, json.loads(asked.options))
    with household.at_home(), pytest.raises(PasskeyRefused):
        passkeys.register(saraa, answer, asked.challenge, HERE, "x")
    assert opens(*given_by(device)) == bat


def _recreate(device: Device, credential: Any, options: dict[str, Any]) -> str:
    """Register a credential under an id that is another's already."""
    with mock.patch("tests.people.device.secrets.token_bytes", return_value=credential.id):
        return device.create(options)


def test_twenty_are_enough(bat: uuid.UUID) -> None:
    for _ in range(passkeys.MOST):
        registered(bat, Device())
    with pytest.raises(passkeys.TooManyPasskeys):
        registered(bat, Device())


RUBBISH = [
    "",
    "{}",
    "[]",
    "null",
    "x" * 30_000,
    '{"response": {}}',
    '{"rawId": "AA", "response": []}',
    "\x00",
    "[" * 990,
    "[" * 9_000 + "]" * 9_000,
]


@pytest.mark.parametrize("rubbish", RUBBISH)
def test_rubbish_opens_and_registers_nothing(bat: uuid.UUID, rubbish: str) -> None:
    assert opens(rubbish, b"challenge") == "unknown"
    with household.at_home(), pytest.raises(PasskeyRefused):
        passkeys.register(bat, rubbish, b"challenge", HERE, "x")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_nothing_that_was_altered_opens_or_breaks_anything(bat: uuid.UUID, data: Any) -> None:
    """Any field of an answer or a registration exchanged for anything."""
    device = Device()
    with household.at_home():
        Passkey.objects.all().delete()
        asked = passkeys.ask_to_register(bat, HERE)
    made = device.create(json.loads(asked.options))
    anything = st.one_of(st.none(), st.text(max_size=40), st.integers(), st.lists(st.integers(), max_size=2))
    path = st.sampled_from(["id", "rawId", "type", "clientDataJSON", "attestationObject"])
    with household.at_home(), pytest.raises(PasskeyRefused):
        passkeys.register(
            bat, altered(made, data.draw(path), data.draw(anything)), asked.challenge, HERE, "x"
        )
    registered(bat, device := Device())
    answer, challenge = given_by(device)
    path = st.sampled_from(["id", "rawId", "type", "clientDataJSON", "authenticatorData", "signature"])
    assert opens(altered(answer, data.draw(path), data.draw(anything)), challenge) in ("unknown", "signature")


def altered(answer: str, path: str, value: Any) -> str:
    said = json.loads(answer)
    (said["response"] if path in said["response"] else said)[path] = value
    return json.dumps(said)


def test_keys_and_names_stand_nowhere_in_the_clear(bat: uuid.UUID, superuser: psycopg.Connection) -> None:
    device = Device()
    registered(bat, device, "Батын утас")
    row = str(superuser.execute("SELECT row_to_json(t)::text FROM accounts_passkey t").fetchall())
    for word in ("Батын", device.credentials[0].id.hex()):
        assert word not in row
