"""The demo's members get in with what the file says, and the file is nobody else's."""

import io
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from accounts import people
from accounts.models import Membership, Organization
from accounts.roles import Role
from iva import demo, demo_content, demo_credentials, demo_members
from iva.demo_credentials import Credentials, MemberCredential


@pytest.fixture
def file(tmp_path: Path, settings: Any) -> Path:
    path = tmp_path / "credentials"
    settings.IVA_DEMO_CREDENTIALS_PATH = str(path)
    return path


@pytest.fixture
def made(db: None, file: Path) -> Credentials:
    return demo.make(conversations=2)


def entered(member: MemberCredential, code: str | None, target: str = "/overview/") -> int:
    """Sign in by the pages; the status of the first page inside."""
    browser = Client()
    given = {"email": member.email, "password": member.password, "next": target}
    answer = browser.post("/sign-in/", given)
    if code is not None:
        assert answer["Location"].startswith("/sign-in/code/")
        answer = browser.post(answer["Location"], {"code": code})
    assert answer.status_code == 303
    return browser.get(answer["Location"]).status_code


def test_every_organization_has_somebody_for_every_role_who_gets_in(made: Credentials) -> None:
    shown = {member.email: code for member, code in demo_members.codes(made)}
    for wanted in demo_content.ORGANIZATIONS:
        members = list(made.of(wanted.slug))
        assert [member.role for member in members] == list(Role)
    for member in made.of("acme"):
        assert entered(member, shown.get(member.email)) == 200, member.role
    assert {email.split("@")[0] for email in shown} == {"owner", "admin", "operator", "second-operator"}


def test_the_operators_get_into_their_own_pages(made: Credentials) -> None:
    shown = {member.email: code for member, code in demo_members.codes(made)}
    for operator in made.operators:
        assert entered(operator, shown[operator.email], "/admin/") == 200


def test_made_again_it_is_the_same_and_what_is_missing_is_made(made: Credentials, file: Path) -> None:
    kept = file.read_text()
    assert demo.make() == made
    assert file.read_text() == kept
    organization = Organization.objects.get(slug="acme")
    assert Membership.objects.filter(organization=organization).count() == len(Role)
    assert all(people.memberships_of(each.user_id) for each in Membership.objects.all())


def test_the_file_is_ours_alone(made: Credentials, file: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert demo_credentials.load() == made


def test_what_the_first_demos_kept_is_still_read(file: Path) -> None:
    file.write_text(json.dumps({"acme": "iva_x", "operator@example.com": "secret"}))
    assert demo_credentials.load() == Credentials({"acme": "iva_x"})


def test_it_tells_how_to_sign_in_and_which_digits(made: Credentials) -> None:
    shown, codes = io.StringIO(), io.StringIO()
    call_command("demo", "--show", stdout=shown)
    call_command("demo_codes", stdout=codes)
    for member in made.members:
        assert f"{member.email} " in shown.getvalue()
        assert member.password in shown.getvalue()
    lines = codes.getvalue().splitlines()
    assert [line.split()[0] for line in lines[:-1]] == [
        member.email for member in [*made.members, *made.operators] if member.authenticator
    ]
    assert all(line.split()[1].isdigit() for line in lines[:-1])
