"""What an operator does at a terminal: keys revoked, holds placed, and nothing done to the wrong one."""

import uuid

import pytest
from django.core.management import CommandError, call_command

from accounts import operators
from accounts.models import User
from iva.audit.models import AuditEvent
from tests.cast import Party

OPERATOR = "operator@example.com"


@pytest.fixture
def operator(db: None) -> User:
    return User.objects.get(pk=operators.appoint(OPERATOR, "correct horse battery staple"))


@pytest.fixture(autouse=True)
def nothing_is_remembered(settings: object) -> None:
    settings.IVA_API_KEY_CACHE_SECONDS = 0  # type: ignore[attr-defined]


def test_a_leaked_key_is_found_and_revoked(acme: Party, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("issue_api_key", "acme", "website", "conversations:read")
    key_id, _, token = capsys.readouterr().out.split()
    assert acme.call("GET", "conversations/", token=token).status == 200
    call_command("revoke_api_key", "acme")
    listed = capsys.readouterr().out
    assert f"{key_id}  website  used" in listed
    assert str(acme.key.pk) in listed
    call_command("revoke_api_key", "acme", key_id)
    assert acme.call("GET", "conversations/", token=token).status == 401
    assert acme.call("GET", "conversations/").status == 200


def test_a_key_of_another_organization_is_not_revoked(acme: Party, globex: Party) -> None:
    with pytest.raises(CommandError):
        call_command("revoke_api_key", "acme", str(globex.key.pk))
    assert globex.call("GET", "conversations/").status == 200


def test_a_hold_is_placed_in_an_operators_name_and_released(
    acme: Party, operator: User, capsys: pytest.CaptureFixture[str]
) -> None:
    end_user = acme.says("Үлдээгээрэй").body["end_user_id"]
    erasure = (f"end-users/{end_user}/erasure/", {"ground": "subject_request"})
    call_command("place_legal_hold", "acme", "2026/17", "--operator", OPERATOR, "--end-user", end_user)
    hold = capsys.readouterr().out.strip()
    assert acme.call("POST", *erasure).code == "legal_hold_in_force"
    call_command("release_legal_hold", "acme", "--operator", OPERATOR)
    assert capsys.readouterr().out == f"{hold}  2026/17  End User {end_user}\n"
    call_command("release_legal_hold", "acme", hold, "--operator", OPERATOR)
    assert acme.call("POST", *erasure).status == 200
    with acme.tenant():
        events = AuditEvent.objects.filter(event__startswith="legal_hold.")
        assert {event.actor for event in events} == {f"operator:{operator.pk}"}


def test_a_hold_never_protects_nobody(acme: Party, globex: Party, operator: User) -> None:
    erased = acme.says("Мартаарай").body["end_user_id"]
    theirs = globex.says("Танайх").body["end_user_id"]
    acme.call("POST", f"end-users/{erased}/erasure/", {"ground": "subject_request"})
    for nobody in (erased, theirs, str(uuid.uuid4())):
        with pytest.raises(CommandError):
            call_command("place_legal_hold", "acme", "2026/17", "--operator", OPERATOR, "--end-user", nobody)


@pytest.mark.parametrize(
    "command",
    [
        ("place_legal_hold", "acme", "2026/17", "--operator", "stranger@example.com"),
        ("place_legal_hold", "nobody", "2026/17", "--operator", OPERATOR),
        ("place_legal_hold", "acme", "нууц үг", "--operator", OPERATOR),
        ("release_legal_hold", "acme", str(uuid.uuid4()), "--operator", OPERATOR),
        ("revoke_api_key", "acme", str(uuid.uuid4())),
        ("revoke_api_key", "nobody"),
    ],
)
def test_rubbish_is_refused_with_a_sentence(acme: Party, operator: User, command: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match=r"no |reference number"):
        call_command(*command)


def test_who_was_erased_before_a_hold_came_stays_on_record_as_erased(acme: Party, operator: User) -> None:
    end_user = acme.says("Мартаарай").body["end_user_id"]
    first = acme.call("POST", f"end-users/{end_user}/erasure/", {"ground": "subject_request"})
    call_command("place_legal_hold", "acme", "2026/17", "--operator", OPERATOR)
    again = acme.call("POST", f"end-users/{end_user}/erasure/", {"ground": "subject_request"})
    assert (again.status, again.body["id"]) == (200, first.body["id"])
