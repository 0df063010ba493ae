"""What members see and correct of themselves."""

import json
import re
from pathlib import Path

import psycopg
import pytest

from accounts import household, people, profile
from accounts.models import Member, Membership
from accounts.people import Acting
from accounts.roles import Role
from iva.audit.models import AuditEvent
from iva.local.folder import CHECKOUT
from tests.cast import Party
from tests.conftest import AtDesk


def corrections(party: Party) -> list[dict[str, str]]:
    with party.tenant():
        events = AuditEvent.objects.filter(event="member.corrected").order_by("sequence")
        return [json.loads(event.ids) | {"actor": event.actor} for event in events]


def given(acting: Acting, **changes: str) -> dict[str, str]:
    usual = {"name": "Saraa", "position": "Менежер", "phone": "99112233"}
    return {"organization": str(acting.organization_id)} | usual | changes


class TestCorrecting:
    def test_a_member_corrects_what_their_organization_knows(
        self, acme: Party, saraa: Acting, at_desk: AtDesk
    ) -> None:
        browser = at_desk(saraa)
        answer = browser.post("/me/", given(saraa, name=" Сараа Бат-Эрдэнэ ", phone="8811 2233"))
        assert (answer.status_code, answer["Location"]) == (303, "/me/")
        with acme.tenant("account.manage"):
            member = Member.objects.get(pk=saraa.membership_id)
            assert (member.name, member.phone) == ("Сараа Бат-Эрдэнэ", "+97688112233")  # type: ignore[attr-defined]
        page = browser.get("/me/").content.decode()
        assert "Сараа Бат-Эрдэнэ" in page
        assert "+97688112233" in page

    def test_the_trail_says_which_fields_and_never_what(
        self, acme: Party, saraa: Acting, superuser: psycopg.Connection
    ) -> None:
        before = superuser.execute("SELECT name_encrypted FROM accounts_member").fetchall()
        changed = profile.correct(saraa.user_id, acme.id, name="Сараа", position="Захирал", phone="99112233")
        assert changed == ["name", "position"]
        (event,) = corrections(acme)
        assert event == {
            "actor": f"member:{saraa.membership_id}",
            "fields": "name.position",
            "member": str(saraa.membership_id),
        }
        after = superuser.execute("SELECT name_encrypted FROM accounts_member").fetchall()
        assert after != before

    def test_what_is_right_already_leaves_no_event(self, acme: Party, saraa: Acting) -> None:
        assert (
            profile.correct(saraa.user_id, acme.id, name="Saraa", position="Менежер", phone="+976 9911-2233")
            == []
        )
        assert corrections(acme) == []

    @pytest.mark.parametrize(
        ("wrong", "field"), [({"phone": "911"}, "phone"), ({"name": "   "}, "name"), ({"name": ""}, "name")]
    )
    def test_what_cannot_be_comes_back_as_it_was_typed(
        self, acme: Party, saraa: Acting, at_desk: AtDesk, wrong: dict[str, str], field: str
    ) -> None:
        answer = at_desk(saraa).post("/me/", given(saraa, position="Захирал", **wrong))
        page = answer.content.decode()
        assert answer.status_code == 422
        assert f'id="acme-{field}_error"' in page
        assert 'value="Захирал"' in page
        assert corrections(acme) == []

    def test_a_phone_may_be_taken_away(self, acme: Party, saraa: Acting) -> None:
        profile.correct(saraa.user_id, acme.id, name="Saraa", position="", phone="")
        (card,) = profile.cards(saraa.user_id)
        assert (card.position, card.phone) == ("", "")

    def test_nobody_corrects_in_an_organization_that_is_not_theirs(
        self, saraa: Acting, globex: Party, at_desk: AtDesk, dorj: Acting
    ) -> None:
        for organization in (str(globex.id), "somewhere", ""):
            answer = at_desk(saraa).post("/me/", given(saraa, organization=organization, name="Мэлхий"))
            assert answer.status_code == 404
        (card,) = profile.cards(dorj.user_id)
        assert card.name == "Dorj"

    def test_each_organization_has_a_card_of_its_own(
        self, acme: Party, globex: Party, saraa: Acting, at_desk: AtDesk
    ) -> None:
        with globex.tenant("account.manage"):
            known = people.Profile("Сараа", "saraa@acme.example.com", "Зөвлөх")
            people.join(saraa.user_id, Role.AUDITOR, known, actor=household.oneself(saraa.user_id))
        profile.correct(saraa.user_id, globex.id, name="Сараа Г.", position="Зөвлөх", phone="")
        page = at_desk(saraa).get("/me/").content.decode()
        assert page.index('value="Saraa"') < page.index('value="Сараа Г."')
        assert corrections(acme) == []
        assert len(corrections(globex)) == 1

    def test_whoever_has_left_sees_no_card(self, acme: Party, saraa: Acting) -> None:
        Membership.objects.filter(pk=saraa.membership_id).update(ended_at="2026-01-01T00:00:00Z")
        assert profile.cards(saraa.user_id) == []


class TestLanguageAndAppearance:
    def test_the_switch_in_the_frame_speaks_another_language_at_once(
        self, acme: Party, saraa: Acting, at_desk: AtDesk
    ) -> None:
        browser = at_desk(saraa)
        assert 'lang="mn"' in browser.get("/me/").content.decode()
        answer = browser.post("/me/language/", {"locale": "en", "next": "/me/data/"})
        assert answer["Location"] == "/me/data/"
        assert '<html lang="en"' in browser.get("/me/").content.decode()
        with acme.tenant("account.manage"):
            assert Member.objects.get(pk=saraa.membership_id).locale == "en"

    @pytest.mark.parametrize("locale", ["de", "", "mn\n", "../en"])
    def test_a_language_that_iva_does_not_speak_changes_nothing(
        self, saraa: Acting, at_desk: AtDesk, locale: str
    ) -> None:
        assert at_desk(saraa).post("/me/language/", {"locale": locale}).status_code == 404
        assert profile.login(saraa.user_id).locale == "mn"

    @pytest.mark.parametrize(
        ("theme", "said"), [("dark", ' data-theme="dark"'), ("light", ' data-theme="light"'), ("auto", "")]
    )
    def test_the_page_says_which_theme_was_chosen(
        self, saraa: Acting, at_desk: AtDesk, theme: str, said: str
    ) -> None:
        browser = at_desk(saraa)
        browser.post("/me/appearance/", {"locale": "mn", "theme": theme})
        for address in ("/me/", "/overview/"):
            assert f'<html lang="mn"{said}>' in browser.get(address).content.decode()

    def test_an_unknown_theme_comes_back_with_an_error(self, saraa: Acting, at_desk: AtDesk) -> None:
        assert at_desk(saraa).post("/me/appearance/", {"locale": "mn", "theme": "pink"}).status_code == 422

    def test_dark_by_the_system_and_by_choice_are_the_same_dark(self) -> None:
        css = Path(CHECKOUT / "iva/static/iva/app.css").read_text(encoding="utf-8")
        chosen = re.search(r"^:root\[data-theme=dark\] \{(.*?)\}", css, re.S | re.M)
        system = re.search(r":root:not\(\[data-theme=light\]\) \{(.*?)\}", css, re.S)
        assert chosen is not None
        assert system is not None
        assert chosen[1].split() == system[1].split()
        assert len(re.findall(r"--[\w-]+:", chosen[1])) > 20
