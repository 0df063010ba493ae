"""Signing up by the pages: an organization comes in, and a stranger learns nothing about anybody."""

import re
import uuid
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import agreements, household, people
from accounts.models import Acceptance, LegalDocument, Organization, Person
from accounts.people import Acting
from accounts.roles import Role
from iva import tenancy
from tests.agreements import documents
from tests.conftest import AtDesk, Hire
from tests.people.mailbox import Mailbox, link_in, text_of

HOME = reverse("home")
PASSWORD = "correct horse battery staple"


def form(**changes: str) -> dict[str, str]:
    current = agreements.current()
    return {
        "organization": "Хаан Банк",
        "name": "Сараа",
        "position": "Захирал",
        "email": "saraa@example.com",
        "phone": "9911 2233",
        "password": PASSWORD,
        "locale": "en",
        "accepted": "on",
        "terms": current.terms.digest,
        "privacy_policy": current.privacy_policy.digest,
    } | changes


def founded() -> list[str]:
    return [name for name in Organization.objects.values_list("name", flat=True) if name != "IVA"]


def test_from_the_form_to_the_dashboard(first: LegalDocument, mail: Mailbox) -> None:
    """Whoever has not confirmed their address gets in and sees only that it is asked for."""
    browser = Client(headers={"Accept": "text/html"})
    assert browser.get("/sign-up/").status_code == 200
    answer = browser.post("/sign-up/", form())
    assert (answer.status_code, answer["Location"]) == (303, "/sign-up/written/")
    assert browser.get("/sign-up/written/").status_code == 200
    assert founded() == ["Хаан Банк"]
    organization = Organization.objects.get(name="Хаан Банк")
    assert organization.slug.startswith("khaan-bank-")
    with tenancy.tenant(organization.pk, "account.manage"):
        ((_, member),) = people.members()
        assert (member.name, member.position, member.phone) == ("Сараа", "Захирал", "+97699112233")
        assert member.is_responsible
        assert {row.method for row in Acceptance.objects.all()} == {"registration"}

    signed_in = browser.post("/sign-in/", {"email": "saraa@example.com", "password": PASSWORD})
    assert signed_in["Location"] == HOME
    for page in (HOME, "/organizations/", "/enroll/", "/step-up/"):
        assert browser.get(page)["Location"] == "/confirm/again/", page
    assert "saraa@example.com" in browser.get("/confirm/again/").content.decode()

    link = mail.link()
    asked = Client().get(link)
    assert (asked.status_code, b"<form" in asked.content) == (200, True)
    assert browser.get(HOME)["Location"] == "/confirm/again/", "a look is not a press"
    token = {"token": link.partition("token=")[2]}
    assert browser.post("/confirm/", token)["Location"] == HOME
    assert browser.get(HOME)["Location"].startswith("/enroll/")
    assert Client().post("/confirm/", token).status_code == 410
    assert Client().get(link).status_code == 410


def test_the_link_is_sent_again_so_often_and_the_newer_one_replaces_the_older(
    first: LegalDocument, mail: Mailbox
) -> None:
    browser = Client()
    browser.post("/sign-up/", form())
    links = [mail.link()]
    browser.post("/sign-in/", {"email": "saraa@example.com", "password": PASSWORD})
    statuses = [browser.post("/confirm/again/").status_code for _ in range(6)]
    assert statuses == [303] * 6
    links += [link_in(letter) for letter in mail.deliver()]
    assert len(set(links)) == 5
    assert Client().post(links[-1]).status_code == 303
    assert [Client().get(link).status_code for link in links] == [410] * 5


def test_a_stale_document_gets_the_new_text_and_keeps_what_was_typed(first: LegalDocument) -> None:
    stale = form()
    documents.published("1.0.1")
    answer = Client().post("/sign-up/", stale)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert founded() == []
    for typed in ("Хаан Банк", "Сараа", "Захирал", "saraa@example.com", "9911 2233", PASSWORD):
        assert typed in page
    assert "/legal/terms/1.0.1/" in page
    assert agreements.current().terms.digest in page
    assert stale["terms"] not in page
    assert Client().post("/sign-up/", form()).status_code == 303


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("email", "no address"), ("email", ""), ("email", "a@b@c.mn"), ("phone", "12"), ("phone", "")),
        *(("password", "qwerty123456"), ("password", "short"), ("password", "saraa@example.com")),
        *(("accepted", ""), ("organization", ""), ("organization", "x" * 201), ("name", " ")),
        *(("locale", "xx"), ("position", "")),
    ],
)
def test_what_is_wrong_is_said_at_the_field_and_founds_nothing(
    first: LegalDocument, field: str, value: str
) -> None:
    answer = Client().post("/sign-up/", form(**{field: value}))
    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert founded() == []


class TestAnAddressThatHasALogin:
    @pytest.fixture
    def known(self, hire: Hire, acme: Any) -> Acting:
        return hire(acme, "Saraa", Role.SUPPORT_AGENT)

    def test_gets_the_same_answer_and_a_letter_that_says_so(
        self, first: LegalDocument, known: Acting, mail: Mailbox
    ) -> None:
        new = Client().post("/sign-up/", form(email="bat@example.com"))
        old = Client().post("/sign-up/", form(email="saraa@acme.example.com", password="a thief's own words"))
        assert (old.status_code, old["Location"]) == (new.status_code, new["Location"])
        assert old.content == new.content
        assert sorted(set(old.headers) ^ set(new.headers)) == []
        to_new, to_old = sorted(mail.deliver(), key=lambda letter: str(letter["To"]))
        assert "/confirm/?token=" in text_of(to_new)
        assert "/password-reset/" in text_of(to_old)
        assert len(founded()) == 2, "Acme, and the one that Bat founded"
        still = Client().post("/sign-in/", {"email": "saraa@acme.example.com", "password": PASSWORD})
        assert still.status_code == 303

    def test_costs_the_same_hashes_and_founds_in_vain(
        self, first: LegalDocument, known: Acting, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hashed: list[str] = []
        encode = hashers.Argon2PasswordHasher.encode

        def encoding(self: Any, password: str, salt: str) -> str:
            hashed.append(password)
            return encode(self, password, salt)

        monkeypatch.setattr(hashers.Argon2PasswordHasher, "encode", encoding)
        said = []
        for email in ("saraa@acme.example.com", "bat@example.com"):
            with CaptureQueriesContext(connection) as queries:
                Client().post("/sign-up/", form(email=email))
            said.append(set(re.findall(r'INSERT INTO "(accounts_\w+)"', str(queries.captured_queries))))
        assert len(hashed) == 2
        assert said[1] - said[0] == {"accounts_person", "accounts_user"}

    def test_wrong_answers_are_the_same_too(self, first: LegalDocument, known: Acting) -> None:
        for wrong in ({"password": "qwerty123456"}, {"phone": "12"}, {"terms": "stale"}):
            pages = []
            for email in ("saraa@acme.example.com", "bat@example.com"):
                answer = Client().post("/sign-up/", form(email=email, **wrong))
                pages.append((answer.status_code, len(answer.content) - len(email)))
            assert pages[0] == pages[1]

    def test_is_written_to_five_times_an_hour_and_so_is_every_other(
        self, first: LegalDocument, known: Acting, mail: Mailbox
    ) -> None:
        for email in ("saraa@acme.example.com", "bat@example.com"):
            statuses = [Client().post("/sign-up/", form(email=email)).status_code for _ in range(7)]
            assert statuses == [303] * 7, "nobody is told that there were enough letters"
        assert len(mail.deliver()) == 10


def test_two_organizations_may_have_one_name(first: LegalDocument) -> None:
    for email in ("saraa@example.com", "bat@example.com"):
        Client().post("/sign-up/", form(email=email))
    slugs = Organization.objects.filter(name="Хаан Банк").values_list("slug", flat=True)
    assert len(set(slugs)) == 2


def test_resending_is_for_who_needs_it(saraa: Acting, at_desk: AtDesk, mail: Mailbox) -> None:
    assert at_desk(saraa).get("/confirm/again/")["Location"] == HOME
    assert mail.deliver() == []


def test_who_confirms_is_verified_once(first: LegalDocument, mail: Mailbox) -> None:
    Client().post("/sign-up/", form())
    link = mail.link()
    Client().post(link)
    with household.at_home():
        person = Person.objects.get()
        assert person.verified_at is not None
        assert isinstance(person.pk, uuid.UUID)


def test_the_other_language_keeps_the_link(first: LegalDocument, mail: Mailbox) -> None:
    Client().post("/sign-up/", form())
    link = mail.link()
    other = re.findall(r'href="(\?lang=[^"]+)"', Client().get(link).content.decode())[0]
    page = Client().get("/confirm/" + other.replace("&amp;", "&"))
    assert page.status_code == 200
    assert link.partition("token=")[2] in page.content.decode()
