"""Signing up by the pages: an organization comes in, and a stranger learns nothing about anybody."""

import re
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import agreements, household, people, sign_ins, signing_up
from accounts.links import LinkInvalid
from accounts.models import Acceptance, LegalDocument, Member, Organization
from accounts.people import Acting
from accounts.roles import Role
from iva import tenancy
from tests.agreements import documents
from tests.conftest import Hire
from tests.faults.together import together
from tests.people.mailbox import Mailbox, link_in, text_of, token_in

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
        "locale": "en",
        "accepted": "on",
        "terms": current.terms.digest,
        "privacy_policy": current.privacy_policy.digest,
    } | changes


def founded() -> list[str]:
    return [name for name in Organization.objects.values_list("name", flat=True) if name != "IVA"]


def confirmed(link: str, password: str = PASSWORD) -> Any:
    """Follow the link of the letter with a password, in a browser of its own."""
    return Client().post("/confirm/", answered(Client().get(link).content.decode(), link, password))


def answered(page: str, link: str, password: str = PASSWORD) -> dict[str, Any]:
    """What the browser sends that was shown this page."""
    given = {"token": token_in(link), "password": password, "accepted": "on"}
    fields = re.findall(r'name="(shown|terms|privacy_policy)" value="([^"]+)"', page)
    return given | dict(fields)


def signed_in(email: str, password: str = PASSWORD, browser: Client | None = None) -> int:
    return (browser or Client()).post("/sign-in/", {"email": email, "password": password}).status_code


def test_from_the_form_to_the_dashboard(first: LegalDocument, mail: Mailbox) -> None:
    """Whoever signs up has no password before the letter is read, and nobody is signed in by reading it."""
    browser = Client(headers={"Accept": "text/html"})
    page = browser.get("/sign-up/")
    assert (page.status_code, b'name="password"' in page.content) == (200, False)
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

    link = mail.link()
    asked = browser.get(link)
    page = asked.content.decode()
    assert asked.status_code == 200
    for typed in ("Хаан Банк", "Сараа", "Захирал", "•••• 2233", "/legal/terms/1.0.0/"):
        assert typed in page
    assert "99112233" not in page
    assert is_confirmed() is False, "a look is not a press"
    answer = browser.post("/confirm/", answered(page, link))
    assert answer["Location"] == "/sign-in/"
    assert is_confirmed()
    assert browser.get(HOME)["Location"].startswith("/sign-in/"), "nobody is signed in by a link"
    assert browser.post("/sign-in/", {"email": "saraa@example.com", "password": PASSWORD})["Location"] == HOME
    assert browser.get(HOME)["Location"].startswith("/enroll/")
    assert confirmed(link).status_code == 410
    assert Client().get(link).status_code == 410


def is_confirmed(email: str = "saraa@example.com") -> bool:
    with household.at_home():
        person = people.find(email)
        return person is not None and person.verified_at is not None


def test_the_link_is_sent_again_so_often_and_the_newer_one_replaces_the_older(
    first: LegalDocument, mail: Mailbox
) -> None:
    Client().post("/sign-up/", form())
    links = [mail.link()]
    again = [Client().post("/confirm/again/", {"email": "saraa@example.com"}) for _ in range(6)]
    assert [(answer.status_code, answer["Location"]) for answer in again] == [(303, "/sign-up/written/")] * 6
    links += [link_in(letter) for letter in mail.deliver()]
    assert len(set(links)) == 5
    assert confirmed(links[-1]).status_code == 303
    assert [Client().get(link).status_code for link in links] == [410] * 5


def test_who_signs_up_again_before_confirming_gets_the_newer_organization(
    first: LegalDocument, mail: Mailbox
) -> None:
    """A stranger who came first has no part in it: neither their organization nor what they typed."""
    Client().post("/sign-up/", form(organization="Stranger's", name="Evil", phone="8800 0000"))
    older = mail.link()
    Client(REMOTE_ADDR="203.0.113.5").post("/sign-up/", form())
    newer = mail.link()
    assert confirmed(older).status_code == 410
    assert "Stranger" not in Client().get(newer).content.decode()
    assert confirmed(newer).status_code == 303
    strangers = Organization.objects.get(name="Stranger's")
    assert (strangers.is_active, strangers.destroy_from is not None) == (False, True)
    with household.at_home():
        person = people.find("saraa@example.com")
        assert person is not None
    assert [each.organization.name for each in people.memberships_of(person.pk)] == ["Хаан Банк"]
    with tenancy.tenant(strangers.pk, "account.manage"):
        assert Member.objects.count() == 0


def test_a_letter_on_its_way_leads_to_no_newer_sign_up(first: LegalDocument, mail: Mailbox) -> None:
    Client().post("/sign-up/", form())
    Client().post("/sign-up/", form(organization="Another"))
    assert "Another" in Client().get(mail.link()).content.decode()


def test_what_was_signed_up_while_the_page_was_open_is_not_confirmed_by_it(
    first: LegalDocument, mail: Mailbox
) -> None:
    Client().post("/sign-up/", form())
    mail.deliver()
    Client().post("/confirm/again/", {"email": "saraa@example.com"})
    link = mail.link()
    shown = Client().get(link).content.decode()
    Client(REMOTE_ADDR="198.51.100.66").post("/sign-up/", form(organization="Stranger's"))
    newest = mail.link()
    for each in (link, newest):
        assert Client().post("/confirm/", answered(shown, each)).status_code == 410
    assert not is_confirmed()
    user_id = signing_up.look_at(token_in(newest))
    with pytest.raises(LinkInvalid):
        signing_up.confirm(token_in(newest), PASSWORD)
    assert [each.organization for each in signing_up.waiting(user_id)] == ["Stranger's"]


def test_who_confirms_accepts_the_documents_that_count_then(first: LegalDocument, mail: Mailbox) -> None:
    Client().post("/sign-up/", form())
    link = mail.link()
    shown = answered(Client().get(link).content.decode(), link)
    refused = Client().post("/confirm/", {**shown, "accepted": ""})
    assert (refused.status_code, b'id="id_accepted_error"' in refused.content) == (422, True)
    documents.published("1.0.1")
    changed = Client().post("/confirm/", shown)
    assert (changed.status_code, "/legal/terms/1.0.1/" in changed.content.decode()) == (409, True)
    assert not is_confirmed()
    assert confirmed(link).status_code == 303
    organization = Organization.objects.get(name="Хаан Банк")
    with tenancy.tenant(organization.pk, "account.manage"):
        rows = Acceptance.objects.filter(document_id=agreements.current().terms.pk)
        assert [row.method for row in rows] == ["registration"]


@pytest.mark.parametrize("password", ["qwerty123456", "short", "saraa@example.com", ""])
def test_a_weak_password_is_refused_and_does_not_use_up_the_link(
    first: LegalDocument, mail: Mailbox, password: str
) -> None:
    Client().post("/sign-up/", form())
    link = mail.link()
    answer = confirmed(link, password)
    assert (answer.status_code, b'id="id_password_error"' in answer.content) == (422, True)
    assert not is_confirmed()
    assert confirmed(link).status_code == 303


def test_of_eight_at_once_one_confirms(first: LegalDocument, mail: Mailbox) -> None:
    Client().post("/sign-up/", form())
    link = mail.link()
    passwords = [f"{PASSWORD} {number}" for number in range(8)]
    statuses = together([lambda p=p: confirmed(link, p).status_code for p in passwords])  # type: ignore[misc]
    assert sorted(statuses) == [303] + [410] * 7
    opened = [signed_in("saraa@example.com", each) for each in passwords]
    assert sorted(opened) == [303] + [422] * 7


class TestSomebodyElsesAddress:
    """Signing it up opens nothing, and tells nothing."""

    def test_signing_in_answers_alike_whether_it_had_a_login_or_not(
        self, first: LegalDocument, mail: Mailbox, saraa: Acting
    ) -> None:
        for email in ("saraa@acme.example.com", "unknown@example.com"):
            browser = Client()
            browser.post("/sign-up/", form(email=email, password="a thief's own words"))
            answer = browser.post("/sign-in/", {"email": email, "password": "a thief's own words"})
            assert (answer.status_code, "Location" in answer) == (422, False)

    def test_whoever_began_it_is_not_let_in_by_who_confirms_it(
        self, first: LegalDocument, mail: Mailbox
    ) -> None:
        thief = Client(headers={"Accept": "text/html"})
        thief.post("/sign-up/", form(email="bat@example.com", password="a thief's own words"))
        assert signed_in("bat@example.com", "a thief's own words", thief) == 422
        assert confirmed(mail.link()).status_code == 303
        assert signed_in("bat@example.com", "a thief's own words", thief) == 422
        assert thief.get(HOME)["Location"].startswith("/sign-in/")
        assert signed_in("bat@example.com") == 303

    def test_a_password_and_a_sign_in_from_before_open_nothing(
        self, first: LegalDocument, mail: Mailbox
    ) -> None:
        user_id = people.meet("bat@example.com", "a thief's own words")
        assert signed_in("bat@example.com", "a thief's own words") == 422, "not before it is confirmed"
        begun = sign_ins.begin(user_id, browser="F", from_address="198.51.100.7", proved_at=None)
        assert Client().post("/confirm/again/", {"email": "bat@example.com"}).status_code == 303
        confirmed(mail.link())
        assert sign_ins.living([begun.pk]) == {}
        assert signed_in("bat@example.com", "a thief's own words") == 422
        assert signed_in("bat@example.com") == 303

    def test_asking_for_the_letter_again_answers_alike_and_writes_to_who_waits_for_it(
        self, first: LegalDocument, mail: Mailbox, saraa: Acting
    ) -> None:
        people.meet("bat@example.com", None)
        answers, statements = [], []
        for email in ("bat@example.com", "saraa@acme.example.com", "nobody@example.com"):
            with CaptureQueriesContext(connection) as queries:
                answer = Client().post("/confirm/again/", {"email": email})
            answers.append((answer.status_code, answer["Location"], answer.content))
            statements.append([query["sql"].split("VALUES")[0][:50] for query in queries])
        assert answers[0] == answers[1] == answers[2]
        assert statements[0] == statements[1] == statements[2]
        assert [letter["To"] for letter in mail.deliver()] == ["bat@example.com"]

    def test_a_link_from_before_opens_nothing_once_it_was_confirmed_another_way(
        self, first: LegalDocument, mail: Mailbox
    ) -> None:
        Client().post("/sign-up/", form())
        link = mail.link()
        Client().post("/password-reset/", {"email": "saraa@example.com"})
        assert confirmed(mail.link()).status_code == 303
        assert confirmed(link, "another good password").status_code == 410
        assert signed_in("saraa@example.com") == 303


def test_a_stale_document_gets_the_new_text_and_keeps_what_was_typed(first: LegalDocument) -> None:
    stale = form()
    documents.published("1.0.1")
    answer = Client().post("/sign-up/", stale)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert founded() == []
    for typed in ("Хаан Банк", "Сараа", "Захирал", "saraa@example.com", "9911 2233"):
        assert typed in page
    assert "/legal/terms/1.0.1/" in page
    assert agreements.current().terms.digest in page
    assert stale["terms"] not in page
    assert Client().post("/sign-up/", form()).status_code == 303


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("email", "no address"), ("email", ""), ("email", "a@b@c.mn"), ("phone", "12"), ("phone", "")),
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
        old = Client().post("/sign-up/", form(email="saraa@acme.example.com"))
        assert (old.status_code, old["Location"]) == (new.status_code, new["Location"])
        assert old.content == new.content
        assert sorted(set(old.headers) ^ set(new.headers)) == []
        to_new, to_old = sorted(mail.deliver(), key=lambda letter: str(letter["To"]))
        assert "/confirm/?token=" in text_of(to_new)
        assert "/password-reset/" in text_of(to_old)
        assert len(founded()) == 2, "Acme, and the one that Bat founded"
        still = Client().post("/sign-in/", {"email": "saraa@acme.example.com", "password": PASSWORD})
        assert still.status_code == 303

    def test_costs_no_hash_like_every_other_and_founds_in_vain(
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
        assert hashed == []
        assert said[1] - said[0] == {"accounts_person", "accounts_user"}

    def test_wrong_answers_are_the_same_too(self, first: LegalDocument, known: Acting) -> None:
        for wrong in ({"position": ""}, {"phone": "12"}, {"terms": "stale"}):
            pages = []
            for email in ("saraa@acme.example.com", "bat@example.com"):
                answer = Client().post("/sign-up/", form(email=email, **wrong))
                pages.append((answer.status_code, len(answer.content) - len(email)))
            assert pages[0] == pages[1]

    def test_is_written_to_five_times_an_hour_and_so_is_every_other(
        self, first: LegalDocument, known: Acting, mail: Mailbox
    ) -> None:
        for email in ("saraa@acme.example.com", "bat@example.com"):
            letters = []
            for _ in range(7):
                answer = Client().post("/sign-up/", form(email=email))
                assert answer.status_code == 303, "nobody is told that there were enough letters"
                letters += mail.deliver()
            assert len(letters) == 5


def test_two_organizations_may_have_one_name(first: LegalDocument) -> None:
    for email in ("saraa@example.com", "bat@example.com"):
        Client().post("/sign-up/", form(email=email))
    slugs = Organization.objects.filter(name="Хаан Банк").values_list("slug", flat=True)
    assert len(set(slugs)) == 2


def test_the_other_language_keeps_the_link(first: LegalDocument, mail: Mailbox) -> None:
    Client().post("/sign-up/", form())
    link = mail.link()
    other = re.findall(r'href="(\?lang=[^"]+)"', Client().get(link).content.decode())[0]
    page = Client().get("/confirm/" + other.replace("&amp;", "&"))
    assert page.status_code == 200
    assert link.partition("token=")[2] in page.content.decode()
