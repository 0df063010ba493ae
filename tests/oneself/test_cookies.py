"""No cookie but those of the registry, none that is optional without a choice, and Global Privacy Control."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from accounts import cookie_guard, cookies, household
from accounts.cookie_guard import CookieGuard
from accounts.cookies import Category, Choice, Cookie
from accounts.models import CookieChoice, LegalDocument
from accounts.people import Acting
from accounts.roles import Role
from iva import checks
from tests.architecture.test_pages import path_of
from tests.cast import Party
from tests.conftest import AtDesk, Hire

OPTIONAL = Cookie("taste", "Remembers a taste.", Category.PREFERENCES, "a year")
DECLARED = {cookie.name for cookie in cookies.REGISTRY}


@pytest.fixture
def with_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry as it might be one day."""
    monkeypatch.setattr(cookies, "REGISTRY", (*cookies.REGISTRY, OPTIONAL))


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the guard had to drop."""
    found: list[str] = []
    monkeypatch.setattr(cookie_guard, "report", found.append)
    return found


def rows() -> list[tuple[list[str], bool, bool]]:
    household.found()
    with household.at_home("legal.requirement"):
        choices = CookieChoice.objects.order_by("id")
        return [(choice.accepted, choice.gpc, choice.revoked_at is not None) for choice in choices]


class TestEveryPage:
    def test_sets_declared_cookies_only_and_the_guard_has_nothing_to_do(
        self, acme: Party, first: LegalDocument, refused: list[str]
    ) -> None:
        for route, _ in checks.routes():
            visitor = Client(raise_request_exception=False, headers={"Accept": "text/html"})
            answer = visitor.get(path_of(route))
            assert answer.cookies.keys() <= DECLARED - {cookies.CHOICE_COOKIE}, route
        assert refused == []

    @pytest.mark.parametrize("role", [Role.OWNER, Role.SUPPORT_AGENT, Role.AUDITOR])
    def test_for_members_too_and_they_are_closed_to_scripts_and_other_sites(
        self, acme: Party, hire: Hire, at_desk: AtDesk, refused: list[str], role: Role
    ) -> None:
        member = hire(acme, "Saraa", role)
        for route, opening in checks.pages():
            for method in sorted(opening.methods):
                answer = at_desk(member).generic(method, path_of(route))
                assert answer.cookies.keys() <= DECLARED, route
                for morsel in answer.cookies.values():
                    if str(morsel["max-age"]) == "0":
                        continue
                    assert morsel["httponly"], route
                    assert morsel["samesite"] == "Lax", route
                    assert (morsel["path"], morsel["domain"]) == ("/", ""), route
        assert refused == []


class TestTheGuard:
    def answer(self, setting: Any, **headers: str) -> HttpResponse:
        request = RequestFactory().get("/", headers=headers)

        def view(_request: HttpRequest) -> HttpResponse:
            response = HttpResponse()
            setting(response)
            return response

        return CookieGuard(view)(request)

    def test_drops_what_is_not_declared_and_says_so(self, refused: list[str]) -> None:
        answer = self.answer(lambda response: response.set_cookie("_ga", "GA1.2.3"))
        assert (answer.cookies, refused) == ({}, ["_ga"])

    def test_drops_what_is_written_past_django(self, refused: list[str]) -> None:
        answer = self.answer(lambda response: response.headers.__setitem__("Set-Cookie", "_ga=1"))
        assert not answer.has_header("Set-Cookie")
        assert refused == ["Set-Cookie"]

    def test_lets_declared_ones_through(self, refused: list[str]) -> None:
        for name in DECLARED:
            answer = self.answer(lambda response, name=name: response.set_cookie(name, "x"))
            assert list(answer.cookies) == [name]
        assert refused == []

    @pytest.mark.parametrize(
        ("accepted", "gpc", "registry", "passes"),
        [
            (["preferences"], None, None, True),
            ([], None, None, False),
            (["preferences"], "1", None, False),
            (["preferences"], "0", None, True),
            (["preferences"], None, "0123456789ab", False),
        ],
    )
    def test_an_optional_one_passes_after_a_choice_only(
        self,
        with_optional: None,
        refused: list[str],
        accepted: list[str],
        gpc: str | None,
        registry: str | None,
        passes: bool,
    ) -> None:
        chosen = Choice(uuid.uuid4(), registry or cookies.version(), frozenset(map(Category, accepted)))
        headers = {"Cookie": f"{cookies.CHOICE_COOKIE}={cookies.written(chosen)}"}
        headers |= {"Sec-GPC": gpc} if gpc else {}
        answer = self.answer(lambda response: response.set_cookie("taste", "sweet"), **headers)
        assert ("taste" in answer.cookies) is passes

    def test_without_any_choice_it_does_not_pass(self, with_optional: None, refused: list[str]) -> None:
        self.answer(lambda response: response.set_cookie("taste", "sweet"))
        assert refused == ["taste"]

    def test_deleting_an_optional_one_is_always_allowed(
        self, with_optional: None, refused: list[str]
    ) -> None:
        answer = self.answer(lambda response: response.set_cookie("taste", "", max_age=0))
        assert ("taste" in answer.cookies, refused) == (True, [])


class TestTheChoice:
    def test_nothing_is_remembered_before_it_is_made(self, db: None) -> None:
        visitor = Client()
        page = visitor.get("/cookies/?lang=en").content.decode()
        assert "There are no others" in page
        assert all(name in page for name in DECLARED)
        assert cookies.CHOICE_COOKIE not in visitor.cookies
        assert rows() == []

    def test_a_refusal_is_recorded_remembered_and_taken_back(self, db: None) -> None:
        visitor = Client()
        assert visitor.post("/cookies/").status_code == 303
        assert rows() == [([], False, False)]
        morsel = visitor.cookies[cookies.CHOICE_COOKIE]
        assert int(morsel["max-age"]) == timedelta(days=180).total_seconds()
        assert morsel["httponly"]
        assert visitor.cookies.keys() <= {cookies.CHOICE_COOKIE, settings.CSRF_COOKIE_NAME}
        assert "You have refused everything optional" in visitor.get("/cookies/?lang=en").content.decode()

        visitor.post("/cookies/", {"revoke": "1"})
        assert rows() == [([], False, True)]
        assert visitor.cookies[cookies.CHOICE_COOKIE].value == ""

    def test_optional_kinds_are_off_until_they_are_ticked(self, db: None, with_optional: None) -> None:
        visitor = Client()
        assert "checked" not in visitor.get("/cookies/").content.decode()
        visitor.post("/cookies/", {"accept": "preferences"})
        assert "checked" in visitor.get("/cookies/").content.decode()
        visitor.cookies["taste"] = "sweet"
        visitor.post("/cookies/")
        assert visitor.cookies["taste"].value == ""
        assert rows() == [(["preferences"], False, True), ([], False, False)]

    def test_under_global_privacy_control_everything_optional_is_refused(
        self, db: None, with_optional: None
    ) -> None:
        visitor = Client(headers={"Sec-GPC": "1"})
        visitor.post("/cookies/", {"accept": "preferences"})
        assert rows() == [([], True, False)]
        page = visitor.get("/cookies/?lang=en").content.decode()
        assert "Global Privacy Control" in page
        assert "checked" not in page

    def test_a_registry_that_changed_asks_again(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        visitor = Client()
        visitor.post("/cookies/")
        monkeypatch.setattr(cookies, "REGISTRY", (*cookies.REGISTRY, OPTIONAL))
        assert "The list has changed" in visitor.get("/cookies/?lang=en").content.decode()

    def test_a_kind_that_does_not_exist_is_refused(self, db: None) -> None:
        for kind in ("statistics", "necessary", "everything"):
            assert Client().post("/cookies/", {"accept": kind}).status_code == 422
        assert rows() == []

    def test_whoever_chooses_all_day_is_slowed_down(self, db: None) -> None:
        """More than two minutes' worth, so that a minute that ends meanwhile changes nothing."""
        tries = 2 * settings.IVA_FAILED_SIGN_INS_PER_MINUTE + 1
        assert {Client().post("/cookies/").status_code for _ in range(tries)} == {303, 429}

    @given(
        st.builds(
            Choice,
            st.uuids(),
            st.text("0123456789abcdef", min_size=12, max_size=12),
            st.frozensets(st.sampled_from(Category)),
        )
    )
    def test_what_is_written_is_read(self, choice: Choice) -> None:
        assert cookies.read(cookies.written(choice)) == choice

    @given(st.text() | st.from_regex(r"[0-9a-f]{12}\.[0-9a-f]{32}\.[a-z+]*", fullmatch=True))
    def test_anything_else_is_nothing_or_exactly_what_it_says(self, text: str) -> None:
        choice = cookies.read(text)
        assert choice is None or cookies.written(choice) == text

    def test_both_languages_show_the_whole_registry(self, db: None) -> None:
        for locale in ("mn", "en"):
            page = Client().get(f"/cookies/?lang={locale}").content.decode()
            assert f'<html lang="{locale}"' in page
            assert all(f"<code>{name}</code>" in page for name in DECLARED)


def test_gpc_is_announced_where_browsers_look(db: None) -> None:
    answer = Client().get("/.well-known/gpc.json")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    said = answer.json()
    assert said["gpc"] is True
    assert said.keys() == {"gpc", "lastUpdate"}
    assert not answer.cookies


def test_a_member_is_asked_by_nobody(saraa: Acting, at_desk: AtDesk) -> None:
    """There is nothing to choose, so nothing stands in the way of work."""
    assert "/cookies/" not in at_desk(saraa).get("/overview/").content.decode()
