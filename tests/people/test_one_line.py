"""Names stand in one line, whatever form they are typed into."""

import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
from django import forms
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import get_resolver
from hypothesis import given
from hypothesis import strategies as st

from accounts import household, one_line, organizations, passkeys, people, profile
from accounts.forms import EmailAddress, OneLine, PhoneNumber
from accounts.models import ApiKey, Member, Organization, Passkey
from accounts.one_line import NotOneLine
from accounts.people import Acting, Profile
from accounts.roles import Role
from channels_cfg.models import Channel
from conversations.models import Label
from iva.audit.actors import SYSTEM
from tests.cast import Party
from tests.conftest import AtDesk
from tests.people.test_sign_up_pages import form as sign_up_form

BREAKS = ["\n", "\r", "\r\n", "\t", "\x00", "\x0b", "\x1b", "\x85", "\u2028", "\u2029"]
BCC = "Acme{}Bcc: everybody@example.com"


def kinds(of: type[forms.Form] = forms.Form) -> Iterator[type[forms.Form]]:
    for kind in of.__subclasses__():
        yield kind
        yield from kinds(kind)


def ours() -> list[type[forms.Form]]:
    """Every form of ours: the URL configuration has imported them all."""
    assert get_resolver().url_patterns
    apps = ("accounts", "agent", "billing", "channels_cfg", "conversations", "iva", "privacy", "retention")
    return [kind for kind in kinds() if kind.__module__.split(".")[0] in apps]


def is_one_line_of_text(field: forms.Field) -> bool:
    is_text = isinstance(field, forms.CharField) and field.strip and type(field.widget) is forms.TextInput
    return is_text and not isinstance(field, EmailAddress | PhoneNumber | forms.UUIDField)


def test_every_field_of_one_line_is_such_a_field() -> None:
    found = [
        (kind.__name__, name, isinstance(field, OneLine))
        for kind in ours()
        for name, field in kind.base_fields.items()
        if is_one_line_of_text(field)
    ]
    assert ("OrganizationForm", "name", True) in found
    assert [(kind, name) for kind, name, is_such in found if not is_such] == []


@given(st.text())
def test_a_flat_name_has_no_breaks_and_loses_no_letter(name: str) -> None:
    flat = one_line.flat(name)
    one_line.refuse_breaks(flat)
    kept = [letter for letter in name if unicodedata.category(letter) not in one_line.BREAKING]
    assert "".join(flat.split()) == "".join("".join(kept).split())
    assert one_line.flat(flat) == flat


@pytest.mark.parametrize("name", ["Акме ХХК", "O'Neill & Sons — «Гоби»", "Ө", "a\u200db", "日本語", "🐎"])
def test_whatever_else_people_are_called_is_welcome(name: str) -> None:
    one_line.refuse_breaks(name)
    assert one_line.flat(name) == name


@pytest.mark.parametrize("break_", BREAKS)
def test_an_organization_is_not_named_over_two_lines(
    acme: Party, saraa: Acting, at_desk: AtDesk, break_: str
) -> None:
    name = BCC.format(break_)
    sent = {"name": name, "time_zone": "Asia/Hovd"}
    answer = at_desk(saraa).post("/settings/organization/", sent)
    assert answer.status_code == 422
    assert answer.context["form"].errors["name"]
    with pytest.raises(NotOneLine):
        organizations.describe(acme.organization, name, "Asia/Hovd", SYSTEM)
    with pytest.raises(NotOneLine):
        organizations.found(name, "another")
    assert Organization.objects.get(pk=acme.id).name == "Acme"


def test_nor_is_anything_else(acme: Party, saraa: Acting, at_desk: AtDesk) -> None:
    browser, name = at_desk(saraa), BCC.format("\n")
    key = {
        "key_id": "019aa000-0000-7000-8000-00000000abcd",
        "scopes": ["audit:read"],
        "lifetime": "never",
        "name": name,
    }
    mine = {"organization": str(acme.id), "name": "Saraa", "position": name, "phone": ""}
    tries: list[tuple[str, dict[str, Any]]] = [
        ("/settings/api-keys/new/", key),
        ("/settings/channels/", {"name": name}),
        ("/inbox/labels/", {"name": name, "colour": "grey"}),
        ("/me/", mine),
        ("/me/", mine | {"name": name, "position": ""}),
    ]
    assert [browser.post(address, sent).status_code for address, sent in tries] == [422] * len(tries)
    with acme.tenant("account.manage"):
        assert not Label.objects.exists()
        assert not Channel.objects.filter(name=name).exists()
        assert not ApiKey.objects.filter(name=name).exists()
        assert Member.objects.get(pk=saraa.membership_id).position == "Менежер"


@pytest.mark.parametrize("field", ["organization", "name", "position"])
def test_nor_does_anybody_sign_up_so(first: object, field: str) -> None:
    sent = sign_up_form(**{field: BCC.format("\r\n")})
    assert Client().post("/sign-up/", sent).status_code == 422
    assert not Organization.objects.exclude(pk=household.HOUSEHOLD).exists()


def test_rooms_that_are_given_a_persons_name_flatten_it(acme: Party, saraa: Acting) -> None:
    user_id = people.meet("bat@example.com", "correct horse battery staple")
    with acme.tenant("account.manage"):
        known = Profile(" Bat\nBold ", "bat@example.com", "Lead\u2028Agent")
        people.join(user_id, Role.AUDITOR, known, actor=SYSTEM)
        member = Member.objects.get(user_id=user_id)
        assert (member.name, member.position) == ("Bat Bold", "Lead Agent")
    profile.correct(user_id, acme.id, name="Bat\tB.", position="\n", phone="")
    with acme.tenant("account.manage"):
        member = Member.objects.get(user_id=user_id)
        assert (member.name, member.position) == ("Bat B.", None)


def test_a_passkey_is_called_by_one_line(acme: Party, saraa: Acting) -> None:
    with household.at_home():
        passkey = Passkey.objects.create(
            person_id=saraa.user_id, credential_hash=b"1" * 32, credential="c", public_key="k", name="Phone"
        )
        passkeys.rename(saraa.user_id, passkey.pk, "My\nphone")
        assert Passkey.objects.get().name == "My phone"


def test_the_command_says_what_is_wrong(first: object) -> None:
    with pytest.raises(CommandError, match="line break"):
        call_command("found_organization", BCC.format("\n"), "acme", owner="saraa@acme.example.com")
