"""Who is let into the operators' pages, and what picking an organization leaves behind."""

import re
import uuid
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from conversations.models import Conversation
from iva import checks
from iva.audit.models import AuditEvent
from tests.admin.conftest import PASSWORD, Life, pick
from tests.admin.pages import read
from tests.cast import Party

ROUTES = sorted(route for route, _ in checks.routes() if route.startswith("/admin/"))
OPEN = {"/admin/login/", "/admin/logout/"}


def path_of(route: str) -> str:
    """A route with ids that nobody has, and without the regular expressions of Django's own."""
    plain = re.sub(r"<[^>]*>", str(uuid.uuid4()), route)
    return re.sub(r"\(\?P[^)]*\)|[\^$]|\.\*", "nothing", plain).removesuffix("nothing")


def picks(party: Party) -> list[str]:
    """Who has picked the organization, as its own trail says."""
    with party.tenant("legal.requirement"):
        return [event.actor for event in AuditEvent.objects.filter(event="organization.picked")]


def test_there_are_pages() -> None:
    assert len(ROUTES) > 50


@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_sees_anything_but_the_sign_in_page(db: None, method: str) -> None:
    client = Client(raise_request_exception=False)
    for route in ROUTES:
        if route not in OPEN:
            response = getattr(client, method)(path_of(route))
            assert response.status_code in (302, 404), route
            if response.status_code == 302:
                assert response.headers["Location"].startswith("/admin/login/"), route


def test_an_operator_signs_in_and_gets_a_session_that_nobody_knew_before(operator: User) -> None:
    client = Client()
    client.get("/admin/login/")
    before = {name: cookie.value for name, cookie in client.cookies.items()}
    form = {"username": operator.email, "password": PASSWORD, "next": "/admin/"}
    assert client.post("/admin/login/", form).headers["Location"] == "/admin/"
    session = client.cookies["session"]
    assert session["httponly"] and session["samesite"] == "Lax"
    assert session.value not in before.values()
    assert client.cookies["csrf"]["httponly"]
    assert read(client, "/admin/").status == 200


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("operator@iva.example", "wrong"),
        ("operator@iva.example", ""),
        ("nobody@iva.example", PASSWORD),
        ("operator@iva.example\x00", PASSWORD),
        ("' OR 1=1 --", "' OR 1=1 --"),
        ("a" * 10_000, "b" * 10_000),
    ],
)
def test_who_is_not_an_operator_stays_outside(operator: User, email: str, password: str) -> None:
    client = Client(raise_request_exception=False)
    response = client.post("/admin/login/", {"username": email, "password": password})
    assert response.status_code == 200
    assert client.get("/admin/").status_code == 302


def test_a_login_that_is_no_operators_opens_nothing(db: None) -> None:
    somebody = User.objects.create_operator("somebody@iva.example", PASSWORD)
    User.objects.filter(pk=somebody.pk).update(is_staff=False)
    client = Client(raise_request_exception=False)
    client.post("/admin/login/", {"username": somebody.email, "password": PASSWORD})
    assert client.get("/admin/").status_code == 302
    client.force_login(somebody)
    assert client.get("/admin/").status_code == 302


def test_an_operator_who_left_is_outside_at_once(looking_at_acme: Client, operator: User) -> None:
    User.objects.filter(pk=operator.pk).update(is_active=False)
    assert looking_at_acme.get("/admin/").status_code == 302
    assert looking_at_acme.get("/admin/conversations/message/").status_code == 302


def test_signing_out_ends_the_session_and_the_picking(looking_at_acme: Client, operator: User) -> None:
    kept = looking_at_acme.cookies["session"].value
    looking_at_acme.post("/admin/logout/")
    thief = Client(raise_request_exception=False)
    thief.cookies["session"] = kept
    assert thief.get("/admin/").status_code == 302


def test_an_operator_without_permissions_sees_no_rows_and_suspends_nobody(
    acme: Party, acmes: Life, operator: User, signed_in: Client
) -> None:
    User.objects.filter(pk=operator.pk).update(is_superuser=False)
    pick(signed_in, acme)
    for page in ("conversations/message", "accounts/organization", "accounts/user", "iva_outbox/promise"):
        assert signed_in.get(f"/admin/{page}/").status_code == 403
    assert signed_in.post(f"/admin/accounts/organization/{acme.id}/suspension/").status_code == 403
    acme.organization.refresh_from_db()
    assert acme.organization.is_active


def test_picking_is_a_post_and_audited_in_the_trail_of_whom_it_concerns(
    acme: Party, globex: Party, operator: User, signed_in: Client
) -> None:
    for method in ("get", "head", "put", "delete"):
        assert getattr(signed_in, method)(f"/admin/pick/{acme.id}/").status_code == 405
    assert picks(acme) == []
    assert signed_in.get("/admin/conversations/message/").status_code in (302, 403)

    assert pick(signed_in, acme).status_code == 302
    assert picks(acme) == [f"operator:{operator.pk}"]
    assert picks(globex) == []
    assert "Acme" in read(signed_in, "/admin/").text


def test_picking_needs_the_token_of_our_own_form(acme: Party, operator: User) -> None:
    forged = Client(enforce_csrf_checks=True, raise_request_exception=False)
    forged.force_login(operator)
    assert pick(forged, acme).status_code == 403
    assert forged.post(f"/admin/accounts/organization/{acme.id}/suspension/").status_code == 403
    assert picks(acme) == []


@pytest.mark.parametrize("id_", [str(uuid.uuid4()), "not-an-id", "%00"])
def test_an_organization_that_does_not_exist_cannot_be_picked(signed_in: Client, id_: str) -> None:
    assert signed_in.post(f"/admin/pick/{id_}/").status_code == 404
    assert "picked_organization" not in signed_in.session


def test_suspending_closes_the_doors_and_is_audited_like_reinstating(
    acme: Party, globex: Party, operator: User, signed_in: Client
) -> None:
    address = f"/admin/accounts/organization/{acme.id}/suspension/"
    assert signed_in.get(address).status_code in (403, 405)
    signed_in.post(address)
    acme.organization.refresh_from_db()
    assert acme.organization.is_active, "nobody has said that Acme is meant"
    signed_in.post(address, {"confirmed": "yes"})
    assert acme.call("GET", "organization/").status == 401
    assert globex.call("GET", "organization/").status == 200
    signed_in.post(address, {"confirmed": "yes"})
    assert acme.call("GET", "organization/").status == 200
    with acme.tenant("legal.requirement"):
        events = AuditEvent.objects.filter(event__in=["organization.suspended", "organization.reinstated"])
        trail = [(event.event, event.actor) for event in events.order_by("sequence")]
    actor = f"operator:{operator.pk}"
    assert trail == [("organization.suspended", actor), ("organization.reinstated", actor)]


def test_without_an_organization_there_are_no_rows(acmes: Life, signed_in: Client) -> None:
    for address in (
        "/admin/conversations/message/",
        "/admin/conversations/conversation/",
        f"/admin/conversations/conversation/{acmes.conversation}/change/",
        f"/admin/conversations/conversation/{acmes.conversation}/history/",
        f"/admin/privacy/enduser/{acmes.end_user}/change/",
    ):
        page = read(signed_in, address)
        assert page.status in (302, 403), address
        assert str(acmes.end_user) not in page.text


def test_a_forged_choice_of_organization_is_not_a_choice(acmes: Life, acme: Party, signed_in: Client) -> None:
    """The choice lies in the session on our side; nothing a browser sends beside it counts."""
    address = "/admin/conversations/conversation/"
    for attempt in (
        signed_in.get(address, {"picked_organization": str(acme.id)}),
        signed_in.get(address, headers={"X-Organization": str(acme.id)}),
        signed_in.get(address, {"organization_id": str(acme.id)}),
    ):
        assert attempt.status_code in (302, 403)
    signed_in.cookies["picked_organization"] = str(acme.id)
    assert signed_in.get(address).status_code in (302, 403)
    with acme.tenant():
        assert Conversation.objects.exists()


def test_the_sign_in_page_slows_down_who_guesses(operator: User, settings: Any) -> None:
    client = Client(raise_request_exception=False)
    statuses = [
        client.post("/admin/login/", {"username": "x@iva.example", "password": ""}).status_code
        for _ in range(settings.IVA_FAILED_SIGN_INS_PER_MINUTE + 1)
    ]
    assert statuses[-1] == 429
    assert set(statuses[:-1]) == {200}
