"""The first page: figures for those who may see them, and something for everybody else."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone, translation

from accounts import factors, household
from accounts.models import LegalDocument, Person
from accounts.people import Acting
from accounts.roles import Permission, Role, grants
from channels_cfg import connecting
from conversations import counting, first_steps, handover, instructions
from conversations.first_steps import Step
from conversations.models import Conversation, Instruction, Processing
from iva.audit.actors import SYSTEM
from tests.cast import Party
from tests.conftest import AtDesk, Hire
from tests.reports.conftest import ULAANBAATAR, Begin


def said(browser: Client, address: str = "/overview/") -> str:
    answer = browser.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("role", Role)
def test_home_opens_to_every_role(acme: Party, hire: Hire, at_desk: AtDesk, role: Role) -> None:
    acme.says("Сайн байна уу")
    page = said(at_desk(hire(acme, "Saraa", role)))
    assert ('class="tiles"' in page) == grants(role, Permission.REPORTS_READ)
    assert ('id="waiting"' in page) == (
        grants(role, Permission.CONVERSATIONS_READ) and not grants(role, Permission.REPORTS_READ)
    )
    assert ('id="first-steps"' in page) == grants(role, Permission.ORGANIZATION_MANAGE)


def test_an_organization_nobody_has_written_to_sees_no_empty_charts(saraa: Acting, at_desk: AtDesk) -> None:
    page = said(at_desk(saraa))
    assert "<figure" not in page
    assert 'class="panel empty"' in page


@pytest.mark.parametrize("days", ["7", "30", "90", "", "8", "-1", "many", "9" * 5_000])
def test_whatever_period_is_asked_for_there_are_charts(
    saraa: Acting, acme: Party, at_desk: AtDesk, days: str
) -> None:
    acme.says("Сайн байна уу")
    page = said(at_desk(saraa), f"/overview/?days={days}")
    shown = int(days) if days in ("7", "30", "90") else 30
    assert page.count('<g class="column">') >= shown


@pytest.mark.parametrize("locale", ["mn", "en"])
def test_charts_carry_no_style_and_say_in_words_what_they_show(
    saraa: Acting, begin: Begin, at_desk: AtDesk, locale: str
) -> None:
    with household.at_home():
        Person.objects.filter(pk=saraa.user_id).update(locale=locale)
    for hours in range(30):
        begin(timezone.now() - timedelta(hours=hours), sentiment="negative" if hours % 3 else "positive")
    page = said(at_desk(saraa))
    assert " style=" not in page
    assert "<style" not in page
    for chart in re.findall(r"<svg[^>]*role=\"img\"[^>]*>.*?</svg>", page, re.S):
        assert "<title" in chart
    assert not re.search(r'(x|y|width|height)="[\d]*,', page), "numbers of an SVG know no language"
    assert page.count("<table") == 3


def test_globex_sees_none_of_it(begin: Begin, dorj: Acting, at_desk: AtDesk) -> None:
    begin(timezone.now())
    assert 'class="panel empty"' in said(at_desk(dorj))


def test_a_support_agent_sees_who_waits_the_longest_first(
    acme: Party, begin: Begin, hire: Hire, at_desk: AtDesk
) -> None:
    begin(timezone.now(), handed_over_at=timezone.now() - timedelta(minutes=9), sentiment="negative")
    begin(timezone.now(), handed_over_at=timezone.now() - timedelta(hours=5))
    begin(timezone.now(), handed_over_at=timezone.now(), waited_for_people=timedelta(minutes=1))
    page = said(at_desk(hire(acme, "Saraa", Role.SUPPORT_AGENT)))
    assert page.count('<span class="dot unknown') + page.count('<span class="dot negative') == 2
    assert page.index("dot unknown") < page.index("dot negative")


class TestFirstSteps:
    def done(self, saraa: Acting) -> set[Step]:
        progress = first_steps.progress(saraa)
        assert progress is not None
        return {step for step, is_done in progress.steps.items() if is_done}

    def test_are_read_from_what_is_there(
        self, acme: Party, saraa: Acting, at_desk: AtDesk, hire: Hire
    ) -> None:
        at_desk(saraa)
        assert self.done(saraa) == {Step.DOCUMENTS, Step.CHANNEL}
        entry = {"title": "Карт", "question": "Карт?", "alternatives": [], "answer": "Залга."}
        assert acme.call("POST", "knowledge/", entry).status == 201
        assert self.done(saraa) == {Step.DOCUMENTS, Step.CHANNEL, Step.KNOWLEDGE}
        hire(acme, "Bat", Role.BILLING)
        acme.says("Сайн байна уу")
        assert set(Step) - self.done(saraa) == {Step.SECOND_FACTOR, Step.SENTIMENT}
        with acme.tenant():
            connecting.disable(acme.channel, actor=SYSTEM)
        assert Step.CHANNEL not in self.done(saraa)

    def test_are_gone_when_all_is_done(
        self, acme: Party, saraa: Acting, at_desk: AtDesk, hire: Hire, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hire(acme, "Bat", Role.BILLING)
        acme.says("Сайн байна уу")
        entry = {"title": "Карт", "question": "Карт?", "alternatives": [], "answer": "Залга."}
        assert acme.call("POST", "knowledge/", entry).status == 201
        with acme.tenant():
            instructions.give(Processing.SENTIMENT, is_on=False, actor=saraa.actor)
        browser = at_desk(saraa)
        assert 'id="first-steps"' in said(browser)
        with household.at_home():
            begun = factors.enroll(saraa.user_id)
            type(begun).objects.update(confirmed_at=timezone.now())
        assert 'id="first-steps"' not in said(browser)

    def test_can_be_put_away_by_each_for_themselves(
        self, acme: Party, saraa: Acting, at_desk: AtDesk, hire: Hire
    ) -> None:
        browser = at_desk(saraa)
        assert browser.post("/overview/first-steps/").status_code == 303
        assert browser.post("/overview/first-steps/").status_code == 303
        assert 'id="first-steps"' not in said(browser)
        assert 'id="first-steps"' in said(at_desk(hire(acme, "Bat", Role.OWNER)))


class TestSentiment:
    def test_an_owner_instructs_and_revokes(self, acme: Party, saraa: Acting, at_desk: AtDesk) -> None:
        browser = at_desk(saraa)
        for wanted in ("on", "off"):
            assert browser.post("/settings/sentiment/", {"sentiment": wanted}).status_code == 303
            with acme.tenant():
                assert instructions.demands(Processing.SENTIMENT) == (wanted == "on")
        with acme.tenant():
            assert {row.given_by for row in Instruction.objects.all()} == {saraa.membership_id}

    @pytest.mark.parametrize("wanted", ["", "maybe", "ON"])
    def test_what_is_neither_yes_nor_no_is_asked_again(
        self, acme: Party, saraa: Acting, at_desk: AtDesk, wanted: str
    ) -> None:
        answer = at_desk(saraa).post("/settings/sentiment/", {"sentiment": wanted})
        assert answer.status_code == 422
        assert b'role="alert"' in answer.content
        with acme.tenant():
            assert not Instruction.objects.exists()

    def test_a_support_agent_reads_but_does_not_decide(
        self, acme: Party, hire: Hire, at_desk: AtDesk
    ) -> None:
        browser = at_desk(hire(acme, "Saraa", Role.SUPPORT_AGENT))
        assert 'name="sentiment"' not in said(browser, "/settings/sentiment/")
        assert browser.post("/settings/sentiment/", {"sentiment": "on"}).status_code == 403


class TestTheFrontPage:
    @pytest.mark.parametrize(("asked", "spoken"), [("mn", "Нэвтрэх"), ("en", "Sign in")])
    def test_speaks_both_languages(self, db: None, asked: str, spoken: str) -> None:
        with translation.override(asked):
            wanted = translation.gettext("Sign in")
        page = said(Client(), f"/?lang={asked}")
        assert f'<html lang="{asked}">' in page
        assert wanted in page

    def test_shows_whoever_is_inside_the_way_on(self, saraa: Acting, at_desk: AtDesk) -> None:
        assert 'href="/overview/"' in said(at_desk(saraa), "/")
        assert 'href="/overview/"' not in said(Client(), "/")

    def test_sets_no_cookie_but_the_one_that_guards_forms(self, db: None) -> None:
        assert set(Client().get("/").cookies) <= {settings.CSRF_COOKIE_NAME}


def test_a_page_of_figures_asks_no_more_for_more(
    acme: Party, saraa: Acting, begin: Begin, at_desk: AtDesk, django_assert_max_num_queries: Callable
) -> None:
    browser = at_desk(saraa)
    for hours in range(12):
        begin(timezone.now() - timedelta(hours=5 * hours))
    with acme.tenant():
        counting.count(ULAANBAATAR)
        handover.hand_over(Conversation.objects.all()[0], actor=SYSTEM)
    with django_assert_max_num_queries(60):
        said(browser)


def test_the_documents_count_only_while_they_are_accepted(saraa: Acting, first: LegalDocument) -> None:
    progress = first_steps.progress(saraa)
    assert progress is not None
    assert not progress.steps[Step.DOCUMENTS]
