"""The public pages: for everybody, in both languages, in three forms, with dates and without script."""

import hashlib
import re
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from accounts import agreements, provider
from accounts.agreements import rendering, texts
from accounts.models import Kind, LegalDocument
from iva.headers import POLICY
from tests.agreements import documents
from tests.agreements.documents import EDITORIAL, SIGNIFICANT, later, written
from tests.cast import Party

PAGES = [
    "/legal/",
    "/legal/terms/",
    "/legal/privacy_policy/",
    "/legal/terms/1.0.0/",
    "/legal/terms/1.0.0/changes/",
]


def get(address: str, **headers: str) -> Any:
    return Client(raise_request_exception=False).get(address, headers=headers)


class Tags(HTMLParser):
    """What a page is made of; every element that was opened is closed."""

    EMPTY = {"meta", "link", "br", "hr", "img", "input"}

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.usefixtures("first")
class TestEveryPage:
    @pytest.mark.parametrize("address", PAGES)
    @pytest.mark.parametrize("locale", ["mn", "en"])
    def test_is_whole_and_brings_neither_script_nor_style_of_its_own(self, address: str, locale: str) -> None:
        answer = get(f"{address}?lang={locale}")
        tags = Tags(answer.content.decode())
        assert answer.status_code == 200
        assert answer["Content-Security-Policy"] == POLICY
        assert ("html", "lang", locale) in tags.attributes
        assert not any(
            tag in ("script", "style") or name.startswith(("style", "on")) for tag, name, _ in tags.attributes
        )
        assert b"<script" not in answer.content
        assert answer.cookies == {}

    @pytest.mark.parametrize("address", PAGES)
    def test_names_the_provider_as_the_machine_readable_answer_does(self, address: str) -> None:
        for locale in ("mn", "en"):
            assert provider.provider(locale).name in get(f"{address}?lang={locale}").content.decode()
        told = get("/legal/", Accept="application/json").json()["provider"]
        assert told == provider.identity()
        assert told["name"] == {locale: provider.provider(locale).name for locale in ("mn", "en")}
        assert told["role"] == "processor"

    @pytest.mark.parametrize("address", PAGES)
    def test_links_to_what_is_in_effect_in_its_headers(self, address: str) -> None:
        answer = get(address)
        assert '</legal/privacy_policy/>; rel="privacy-policy"' in answer["Link"]
        assert '</legal/terms/>; rel="terms-of-service"' in answer["Link"]
        assert {"Accept", "Accept-Language"} <= set(re.split(", *", answer["Vary"]))

    @pytest.mark.parametrize("address", PAGES)
    @pytest.mark.parametrize(
        ("query", "header", "locale"),
        [
            ("", "", "mn"),
            ("", "en-GB,en;q=0.9", "en"),
            ("", "fr", "mn"),
            ("?lang=en", "mn", "en"),
            ("?lang=mn", "en", "mn"),
            ("?lang=fr", "en", "mn"),
            ("?lang=%00", "en", "mn"),
            ("?lang=en&lang=xx", "", "mn"),
        ],
    )
    def test_speaks_the_language_that_was_asked_for(
        self, address: str, query: str, header: str, locale: str
    ) -> None:
        answer = get(address + query, **({"Accept-Language": header} if header else {}))
        assert answer["Content-Language"] == locale
        assert ("Бүх хувилбар" in answer.content.decode()) == (locale == "mn")

    @pytest.mark.parametrize("address", PAGES)
    def test_is_the_same_for_nobody_and_for_a_strangers_key(self, address: str, acme: Party) -> None:
        nobody = get(address).content
        assert get(address, Authorization=f"Bearer {acme.token}").content == nobody
        assert get(address, Authorization="Bearer iva_rubbish", Cookie="session=rubbish").content == nobody

    @pytest.mark.parametrize("address", PAGES)
    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE"])
    def test_is_for_reading_only(self, address: str, method: str) -> None:
        assert Client().generic(method, address).status_code == 405

    @pytest.mark.parametrize("address", PAGES)
    @pytest.mark.parametrize("accept", ["", "*/*", "image/png", "text/html;q=x", ";;;", "\ud83d", "text/*"])
    def test_shows_people_a_page_whatever_they_accept(self, address: str, accept: str) -> None:
        answer = get(address, Accept=accept.encode("utf-8", "replace").decode())
        assert answer.status_code == 200
        assert answer["Content-Type"].startswith("text/")


@pytest.mark.usefixtures("first")
class TestRubbish:
    @pytest.mark.parametrize(
        "address",
        [
            "/legal/nothing/",
            "/legal/TERMS/",
            "/legal/terms/9.9.9/",
            "/legal/terms/1.0.0.html",
            "/legal/terms/1.0/",
            "/legal/terms/1.0.0/changes",
            "/legal/terms/9999999999.0.0/",
            "/legal/terms/9.9.9/changes/",
            "/legal/terms/%00/",
            "/legal/privacy_policy/1.0.0'--/",
            "/legal/../admin/",
            "/legal/terms/١.0.0/",
        ],
    )
    def test_is_nothing_and_says_so_in_a_page_or_a_problem(self, address: str) -> None:
        answer = get(address)
        assert answer.status_code == 404
        assert answer["Content-Type"].startswith("text/html")

    def test_gets_a_problem_document_where_one_was_asked_for(self) -> None:
        for answer in (
            get("/legal/terms/9.9.9/", Accept="application/json"),
            get("/legal/terms/9.9.9.json"),
        ):
            assert answer.status_code == 404
            assert answer["Content-Type"] == "application/problem+json"
            assert answer.json()["code"] == "not_found"

    def test_does_not_show_drafts(self) -> None:
        documents.approved("1.1.0")
        assert get("/legal/terms/1.1.0/").status_code == 404
        assert "1.1.0" not in get("/legal/").content.decode()


def test_nothing_published_is_an_empty_list_and_no_page(db: None) -> None:
    assert "Nothing has been published yet." in get("/legal/?lang=en").content.decode()
    assert get("/legal/terms/").status_code == 404


class TestADocument:
    def test_can_be_downloaded_and_hashed(self, first: LegalDocument) -> None:
        for locale in ("mn", "en"):
            for answer in (
                get(f"/legal/terms/1.0.0.json?lang={locale}"),
                get(f"/legal/terms/1.0.0/?lang={locale}", Accept="application/json"),
                get(f"/legal/terms/?lang={locale}", Accept="application/json"),
            ):
                told = answer.json()
                assert (
                    hashlib.sha256(told["text"].encode()).hexdigest()
                    == told["sha256"]
                    == first.sha256(locale)
                )
                assert told["digest"] == first.digest
                assert first.privacy_policy is not None
                assert told["privacy_policy"]["digest"] == first.privacy_policy.digest
                assert told["state"] == "effective"

    def test_shows_its_effective_date_in_every_form_and_in_the_headers(self, first: LegalDocument) -> None:
        assert first.effective_at is not None
        for locale in ("mn", "en"):
            shown = rendering.day(first.effective_at, locale)
            for address in ("/legal/terms/", "/legal/terms/1.0.0/", "/legal/terms/1.0.0.txt", "/legal/"):
                answer = get(f"{address}?lang={locale}")
                assert shown in answer.content.decode()
                assert texts.EFFECTIVE_DATE not in answer.content.decode()
        for address in ("/legal/terms/", "/legal/terms/1.0.0.txt", "/legal/terms/1.0.0.json"):
            answer = get(address)
            moment = first.effective_at.replace(microsecond=0)
            assert parsedate_to_datetime(answer["Last-Modified"]) == moment
            assert answer["Effective-Date"] == moment.isoformat()

    def test_that_waits_says_since_when_it_is_out_and_when_it_is_due(self, first: LegalDocument) -> None:
        second = documents.published("2.0.0", SIGNIFICANT)
        answer = get("/legal/terms/2.0.0/?lang=en")
        assert "Not in effect yet." in answer.content.decode()
        assert second.published_at is not None
        assert second.effective_at is not None
        assert parsedate_to_datetime(answer["Last-Modified"]) == second.published_at.replace(microsecond=0)
        assert answer["Effective-Date"] == second.effective_at.replace(microsecond=0).isoformat()
        assert b"1.0.0" in get("/legal/terms/").content

    def test_keeps_its_address_and_its_words_when_it_is_superseded(self, first: LegalDocument) -> None:
        before = get("/legal/terms/1.0.0.txt").content
        documents.published("1.0.1")
        assert get("/legal/terms/1.0.0.txt").content == before
        assert "This version has been superseded." in get("/legal/terms/1.0.0/?lang=en").content.decode()
        assert get("/legal/terms/", Accept="application/json").json()["version"] == "1.0.1"
        listed = get("/legal/", Accept="application/json").json()["documents"]
        assert [(entry["kind"], entry["version"], entry["state"]) for entry in listed] == [
            ("terms", "1.0.1", "effective"),
            ("terms", "1.0.0", "superseded"),
            ("privacy_policy", "1.0.1", "effective"),
            ("privacy_policy", "1.0.0", "superseded"),
        ]

    def test_that_was_held_back_shows_the_day_it_really_took_effect(self, first: LegalDocument) -> None:
        documents.published("2.0.0", SIGNIFICANT)
        with later(days=32):
            assert "waits until everybody" in get("/legal/terms/2.0.0/?lang=en").content.decode()
        with later(days=40) as then:
            agreements.take_effect(lambda document: True)
            assert rendering.day(then, "en") in get("/legal/terms/2.0.0.txt?lang=en").content.decode()

    def test_can_say_nothing_but_text(self, db: None) -> None:
        nasty = "# T {{ effective_date }}\n\n<script>alert(1)</script> <b onclick=x>b</b>\n\n"
        nasty += "[a](javascript:alert(1)) ![i](data:text/html,x)\n"
        policy = agreements.draft(Kind.PRIVACY_POLICY, "1.0.0", EDITORIAL, {"mn": nasty, "en": nasty})
        documents.published("1.0.0", policy=policy)
        for address in ("/legal/privacy_policy/", "/legal/privacy_policy/1.0.0/changes/"):
            page = get(address).content.decode()
            Tags(page)
            assert "<script" not in page
            assert "<b " not in page
            assert 'href="javascript' not in page


class TestChanges:
    def test_are_what_was_removed_and_added_and_nothing_else(self, first: LegalDocument) -> None:
        policy = agreements.draft(Kind.PRIVACY_POLICY, "1.0.1", EDITORIAL, written("policy 1.0.1"))
        documents.published("1.0.1", policy=policy)
        told = get("/legal/privacy_policy/1.0.1/changes/?lang=en", Accept="application/json").json()
        assert (told["since"], told["version"], told["language"]) == ("1.0.0", "1.0.1", "en")
        assert told["paragraphs"] == [
            {"change": "equal", "text": "# Terms"},
            {"change": "equal", "text": "Effective: {{ effective_date }}"},
            {"change": "removed", "text": "It says policy 1.0.0."},
            {"change": "added", "text": "It says policy 1.0.1."},
        ]
        page = get("/legal/privacy_policy/1.0.1/changes/?lang=en").content.decode()
        assert re.findall(r"<(ins|del)>", page) == ["del", "ins"]

    def test_of_the_first_version_are_none(self, first: LegalDocument) -> None:
        told = get("/legal/terms/1.0.0/changes/", Accept="application/json").json()
        assert (told["since"], told["paragraphs"]) == (None, [])
        assert "The first version" in get("/legal/terms/1.0.0/changes/?lang=en").content.decode()
