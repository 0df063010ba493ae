"""A forgotten password: the same answer for everybody, a link that opens once, and never past a factor."""

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from limits import RateLimitItemPerHour

from accounts import factors, household, people, signing_in, throttling
from accounts.models import Authenticator, LegalDocument, Person
from accounts.signing_in import SignInRefused
from tests.agreements.documents import later
from tests.conftest import AtDesk
from tests.faults.together import together
from tests.people.mailbox import Mailbox, link_in, text_of

HOME = reverse("home")
OLD, NEW = "correct horse battery staple", "Хар морь уул давав"
EMAIL = "bat@example.com"


@pytest.fixture
def bat(first: LegalDocument) -> uuid.UUID:
    user_id = people.meet(EMAIL, OLD)
    people.verify(user_id)
    return user_id


def asked(mail: Mailbox, email: str = EMAIL) -> str:
    assert Client().post("/password-reset/", {"email": email}).status_code == 303
    return mail.link()


def opens(password: str) -> bool:
    try:
        signing_in.check_password(EMAIL, password, "203.0.113.8")
    except SignInRefused:
        return False
    return True


def test_a_new_password_by_the_link_once(bat: uuid.UUID, mail: Mailbox) -> None:
    link = asked(mail)
    browser = Client()
    page = browser.get(link)
    assert (page.status_code, b'autocomplete="new-password"' in page.content) == (200, True)
    answer = browser.post(link, {"password": NEW})
    assert (answer.status_code, answer["Location"]) == (303, "/sign-in/")
    assert (opens(OLD), opens(NEW)) == (False, True)
    assert browser.get(link).status_code == 410
    assert browser.post(link, {"password": "another good password"}).status_code == 410
    assert opens(NEW)
    (told,) = mail.deliver()
    assert told["To"] == EMAIL
    assert "/password-reset/" in text_of(told)


def test_every_sign_in_ends_and_nobody_is_signed_in_by_it(
    saraa: Any, at_desk: AtDesk, mail: Mailbox, first: LegalDocument
) -> None:
    desk = at_desk(saraa)
    assert desk.get(HOME).status_code == 200
    browser = Client()
    link = asked(mail, "saraa@acme.example.com")
    browser.post(link, {"password": NEW})
    for each in (desk, browser):
        assert each.get(HOME)["Location"].startswith("/sign-in/")


def test_it_never_skips_the_second_factor(bat: uuid.UUID, mail: Mailbox) -> None:
    with household.at_home():
        factors.enroll(bat)
        Authenticator.objects.update(confirmed_at="2026-01-01T00:00:00Z")
    link = asked(mail)
    browser = Client()
    browser.post(link, {"password": NEW})
    answer = browser.post("/sign-in/", {"email": EMAIL, "password": NEW})
    assert answer["Location"].startswith("/sign-in/code/")
    assert browser.get("/organizations/")["Location"].startswith("/sign-in/")


def test_unknown_invalid_and_closed_get_the_same_answer_with_the_same_statements(
    bat: uuid.UUID, mail: Mailbox
) -> None:
    answers, statements = [], []
    for email in (EMAIL, "nobody@example.com"):
        with CaptureQueriesContext(connection) as queries:
            answer = Client().post("/password-reset/", {"email": email})
        answers.append((answer.status_code, answer["Location"], answer.content))
        statements.append([query["sql"].split("VALUES")[0][:50] for query in queries])
    assert answers[0] == answers[1]
    assert [s for s in statements[0] if "accounts_user" not in s] == statements[1]
    assert [letter["To"] for letter in mail.deliver()] == [EMAIL]


def test_a_link_is_good_for_an_hour(bat: uuid.UUID, mail: Mailbox) -> None:
    link = asked(mail)
    with later(minutes=59):
        assert Client().get(link).status_code == 200
    with later(minutes=61):
        assert Client().get(link).status_code == 410
        assert Client().post(link, {"password": NEW}).status_code == 410
    assert opens(OLD)


def test_a_weak_password_is_refused_and_does_not_use_up_the_link(bat: uuid.UUID, mail: Mailbox) -> None:
    link = asked(mail)
    answer = Client().post(link, {"password": "qwerty123456"})
    assert (answer.status_code, b'id="id_password_error"' in answer.content) == (422, True)
    assert Client().post(link, {"password": NEW}).status_code == 303


def test_of_eight_at_once_one_sets_the_password(bat: uuid.UUID, mail: Mailbox) -> None:
    link = asked(mail)
    passwords = [f"{NEW} {number}" for number in range(8)]
    statuses = together([lambda p=p: Client().post(link, {"password": p}).status_code for p in passwords])
    assert sorted(statuses) == [303] + [410] * 7
    assert sum(opens(password) for password in passwords) == 1


def test_a_changed_password_takes_older_links_back(bat: uuid.UUID, mail: Mailbox) -> None:
    first, second = asked(mail), asked(mail)
    Client().post(second, {"password": NEW})
    assert Client().get(first).status_code == 410


def test_a_link_still_on_its_way_is_taken_back_too(bat: uuid.UUID, mail: Mailbox) -> None:
    Client().post("/password-reset/", {"email": EMAIL})
    signing_in.change_password(bat, NEW)
    (only,) = mail.deliver()
    assert "token=" not in text_of(only)


def test_asking_is_limited_for_everybody_alike(bat: uuid.UUID, mail: Mailbox) -> None:
    for email in (EMAIL, "nobody@example.com"):
        statuses = together(
            [lambda e=email: Client().post("/password-reset/", {"email": e}).status_code for _ in range(10)]
        )
        assert statuses == [303] * 10, "nobody is told that there were enough letters"
    assert len([link_in(letter) for letter in mail.deliver()]) == 5


def test_who_asks_elsewhere_uses_up_nobodys_letters(
    bat: uuid.UUID, mail: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(8):
        Client(REMOTE_ADDR=f"198.51.100.{number}").post("/password-reset/", {"email": EMAIL})
    assert len(mail.deliver()) == 5
    Client(REMOTE_ADDR="203.0.113.77").post("/password-reset/", {"email": EMAIL})
    assert Client().get(mail.link()).status_code == 200
    monkeypatch.setattr(throttling, "LETTERS_TO_ONE", RateLimitItemPerHour(3, namespace="test"))
    for number in range(8):
        Client(REMOTE_ADDR=f"10.0.{number}.1").post("/password-reset/", {"email": EMAIL})
    assert len(mail.deliver()) == 3, "a mailbox bears so many, whoever asks"


def test_an_address_that_nobody_confirmed_gets_the_letter_that_names_what_waits(
    first: LegalDocument, mail: Mailbox
) -> None:
    """A new password alone makes nobody the owner of what a stranger signed up."""
    user_id = people.meet(EMAIL, None)
    assert asked(mail).startswith("/confirm/?token=")
    with household.at_home():
        people.verify(user_id)
    link = asked(mail)
    with household.at_home():
        Person.objects.filter(pk=user_id).update(verified_at=None)
    assert Client().get(link).status_code == 410
    assert Client().post(link, {"password": NEW}).status_code == 410
    with household.at_home():
        assert people.person(user_id).verified_at is None
