"""Who is let into the operators' pages: everybody through one door, and only operators any further."""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth import SESSION_KEY
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import factors, household, operators, sign_ins
from accounts.models import Authenticator, SignIn, User
from accounts.people import Acting
from iva import checks
from iva.audit.models import AuditEvent
from iva.operators.lists import BehindTheWall
from tests.admin.conftest import PASSWORD, Life, at_desk, pick
from tests.admin.pages import read
from tests.cast import Party
from tests.conftest import AtDesk

ROUTES = sorted(route for route, _ in checks.routes() if route.startswith("/admin/"))
POSTED = ("/leave/", "/pick/", "/suspension/", "/approval/", "/publication/", "/discarding/")


def path_of(route: str, known: str = "") -> str:
    """A route with an id that nobody has, unless one is given."""
    return re.sub(r"<[^>]*>", known or str(uuid.uuid4()), route)


def asked(client: Client, route: str, method: str = "get") -> Any:
    return getattr(client, method)(path_of(route))


def test_there_are_pages_and_none_that_django_adds_by_itself() -> None:
    assert len(ROUTES) > 30
    free = r"login|logout|password|autocomplete|jsi18n|history|delete|/add/|/r/|/auth/"
    assert [route for route in ROUTES if re.search(free, route)] == []


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_nobody_is_sent_to_the_one_sign_in_page(db: None, method: str) -> None:
    for route in ROUTES:
        answer = asked(Client(), route, method)
        assert (answer.status_code, answer["Location"].split("?")[0]) == (303, "/sign-in/"), route


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_member_gets_no_further_than_a_stranger(saraa: Acting, at_desk: AtDesk, method: str) -> None:
    """Acme's owner, who may do everything at home."""
    browser = at_desk(saraa)
    for route in ROUTES:
        assert asked(browser, route, method).status_code == 403, route
    assert browser.get(f"/admin/accounts/organization/{saraa.organization_id}/").status_code == 403


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_operator_without_a_second_factor_is_sent_to_enroll_one(operator: User, method: str) -> None:
    browser = at_desk(operator.pk, proved=False)
    for route in ROUTES:
        answer = asked(browser, route, method)
        assert (answer.status_code, answer["Location"].split("?")[0]) == (303, "/enroll/"), route


def test_an_operator_who_has_picked_nobody_opens_the_platforms_pages_only(
    signed_in: Client, acmes: Life
) -> None:
    behind = tuple(
        f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        for model, shown in admin.site._registry.items()
        if isinstance(shown, BehindTheWall)
    )
    for route in ROUTES:
        answer = asked(signed_in, route)
        if route.startswith(behind):
            assert answer["Location"] == "/admin/accounts/organization/", route
        else:
            assert answer.status_code in (200, 404, 405), route


def test_an_operator_opens_every_page(looking_at_acme: Client, acmes: Life) -> None:
    for route in ROUTES:
        expected = {405} if route.endswith(POSTED) else {404} if "<" in route else {200}
        assert asked(looking_at_acme, route).status_code in expected, route


def test_lists_and_rows_answer_no_other_method(looking_at_acme: Client, acmes: Life) -> None:
    pages = ("", "accounts/organization/", "conversations/message/", f"privacy/enduser/{acmes.end_user}/")
    for method in ("post", "put", "patch", "delete"):
        for page in pages:
            assert getattr(looking_at_acme, method)(f"/admin/{page}").status_code == 405, page


def test_the_whole_way_in_password_then_enrolling_then_the_pages(operator: User) -> None:
    browser = Client(headers={"Accept": "text/html"})
    to = browser.get("/admin/accounts/organization/")
    assert to["Location"] == "/sign-in/?next=%2Fadmin%2Faccounts%2Forganization%2F"
    given = {"email": "operator@iva.example", "password": PASSWORD, "next": "/admin/accounts/organization/"}
    assert browser.post("/sign-in/", given)["Location"] == "/admin/accounts/organization/"
    assert browser.get("/admin/")["Location"].startswith("/enroll/")
    assert browser.get("/enroll/").status_code == 200
    assert browser.post("/enroll/", {"code": shown_to(operator), "next": "/admin/"}).status_code == 200
    assert browser.get("/admin/").status_code == 200


def test_who_belongs_to_no_organization_lands_among_the_operators_pages(signed_in: Client) -> None:
    assert signed_in.get(reverse("home"))["Location"] == "/organizations/"
    assert signed_in.get("/organizations/")["Location"] == "/admin/"


def test_a_user_id_in_a_session_is_not_a_sign_in(operator: User) -> None:
    """What Django's own login writes, and what the admin used to believe."""
    browser = Client(raise_request_exception=False)
    browser.force_login(operator)
    assert SESSION_KEY in browser.session
    assert browser.get("/admin/")["Location"].startswith("/sign-in/")


def test_the_old_password_form_is_gone(operator: User) -> None:
    browser = Client(raise_request_exception=False)
    answer = browser.post("/admin/login/", {"username": "operator@iva.example", "password": PASSWORD})
    assert answer.status_code == 404
    assert browser.get("/admin/").status_code == 303


@pytest.mark.parametrize(
    "ages",
    [
        {"last_seen_at": timedelta(minutes=31)},
        {"began_at": timedelta(hours=13), "last_seen_at": timedelta(minutes=1)},
    ],
    ids=["idle", "old"],
)
def test_a_sign_in_that_is_idle_or_old_opens_nothing(
    looking_at_acme: Client, operator: User, ages: dict[str, timedelta]
) -> None:
    with household.at_home():
        times = {field: timezone.now() - age for field, age in ages.items()}
        SignIn.objects.filter(person_id=operator.pk).update(**times)
    assert looking_at_acme.get("/admin/")["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_staff": False}])
def test_an_operator_who_left_is_outside_at_once(
    looking_at_acme: Client, operator: User, change: dict[str, bool]
) -> None:
    User.objects.filter(pk=operator.pk).update(**change)
    for page in ("", "conversations/message/"):
        assert looking_at_acme.get(f"/admin/{page}").status_code in (303, 403)


def test_dismissing_ends_the_sign_ins_too(looking_at_acme: Client, operator: User) -> None:
    call_command("dismiss_operator", "operator@iva.example")
    assert looking_at_acme.get("/admin/")["Location"].startswith("/sign-in/")
    with household.at_home():
        assert sign_ins.of(operator.pk) == []
        events = AuditEvent.objects.filter(event__startswith="operator.").order_by("sequence")
        assert {"operator.appointed", "operator.dismissed"} <= {event.event for event in events}
    with pytest.raises(CommandError):
        call_command("dismiss_operator", "operator@iva.example")
    with pytest.raises(operators.NoSuchOperator):
        operators.dismiss(operator.pk)


def test_signing_out_ends_the_session_and_the_picking(looking_at_acme: Client) -> None:
    kept = looking_at_acme.cookies["session"].value
    looking_at_acme.post("/sign-out/")
    thief = Client(raise_request_exception=False)
    thief.cookies["session"] = kept
    assert thief.get("/admin/").status_code == 303


def test_an_operator_without_permissions_sees_no_rows_and_suspends_nobody(
    acme: Party, acmes: Life, operator: User, signed_in: Client
) -> None:
    User.objects.filter(pk=operator.pk).update(is_superuser=False)
    pick(signed_in, acme)
    for page in ("conversations/message", "accounts/organization", "accounts/user", "iva_outbox/promise"):
        assert signed_in.get(f"/admin/{page}/").status_code == 403
    suspending = {"to": "suspended", "confirmed": "yes"}
    address = f"/admin/accounts/organization/{acme.id}/suspension/"
    assert signed_in.post(address, suspending).status_code == 403
    assert signed_in.get("/admin/accounts/legaldocument/draft/").status_code == 403
    acme.organization.refresh_from_db()
    assert acme.organization.is_active


def test_every_form_needs_our_own_token(signed_in: Client, acme: Party) -> None:
    signed_in.handler.enforce_csrf_checks = True
    for route in ROUTES:
        if route.endswith((*POSTED, "/draft/")):
            assert signed_in.post(path_of(route, str(acme.id))).status_code == 403, route


def test_the_commands_say_what_is_wrong(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def piped(password: str) -> Any:
        return type("Pipe", (), {"isatty": lambda self: False, "readline": lambda self: f"{password}\n"})()

    for email, password in (("nobody", PASSWORD), ("operator@iva.example", "short")):
        monkeypatch.setattr("sys.stdin", piped(password))
        with pytest.raises(CommandError):
            call_command("create_operator", email)
    monkeypatch.setattr("sys.stdin", piped(PASSWORD))
    call_command("create_operator", "operator@iva.example")
    assert User.objects.get(pk=operators.find("operator@iva.example")).is_staff
    with pytest.raises(CommandError, match="has a login"):
        call_command("create_operator", "operator@iva.example")
    with pytest.raises(CommandError, match="create_operator"):
        call_command("createsuperuser", "--noinput", "--id", str(uuid.uuid4()))


def shown_to(user: User) -> str:
    """What the app shows that has just scanned the code."""
    with household.at_home():
        begun = Authenticator.objects.get(person_id=user.pk, confirmed_at=None)
        return factors.shown_by(begun.secret, int(timezone.now().timestamp()) // factors.STEP_SECONDS)


def test_pages_name_the_language_of_the_operator(operator: User, signed_in: Client) -> None:
    assert 'lang="en"' in read(signed_in, "/admin/").text
