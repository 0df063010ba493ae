"""Every door, found in the URL configuration itself, meets nobody, a stranger, a narrow key and rubbish."""

import re
import uuid

import pytest

from accounts.scopes import Scope
from iva import checks
from tests.cast import Party, parsed

DOORS = [
    (route, view, method) for route, view in checks.api_views() for method in checks.answered_methods(view)
]
NAMES = [f"{method} {route}" for route, _, method in DOORS]


def path_of(route: str) -> str:
    """A route with ids that nobody has; relative to /api/v1/."""
    return re.sub(r"<uuid:\w+>", lambda _: str(uuid.uuid4()), route).removeprefix("/api/v1/")


def body_for(method: str) -> dict[str, str] | None:
    return {} if method in ("POST", "PUT", "PATCH") else None


def test_there_are_doors() -> None:
    assert len(DOORS) >= 20


def test_every_route_is_an_api_view_a_page_public_on_purpose_or_the_admins() -> None:
    assert checks.every_page_says_whom_it_opens_to(None) == []


@pytest.mark.parametrize(("route", "view", "method"), DOORS, ids=NAMES)
def test_nobody_is_let_in(acme: Party, route: str, view: type, method: str) -> None:
    path = "/api/v1/" + path_of(route)
    nobody = parsed(acme.client.generic(method, path, data="{}", content_type="application/json"))
    assert (nobody.status, nobody.code) == (401, "not_authenticated")
    assert nobody.headers["Content-Type"] == "application/problem+json"
    assert nobody.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("route", "view", "method"), DOORS, ids=NAMES)
def test_a_key_without_the_scope_is_not_let_in(acme: Party, route: str, view: type, method: str) -> None:
    others = [scope for scope in Scope if scope != view.scopes[method]]
    answer = acme.call(method, path_of(route), body_for(method), token=acme.key_with(*others))
    assert (answer.status, answer.code) == (403, "scope_missing")


@pytest.mark.parametrize(("route", "view", "method"), DOORS, ids=NAMES)
def test_the_scope_alone_opens_the_door(acme: Party, route: str, view: type, method: str) -> None:
    answer = acme.call(method, path_of(route), body_for(method), token=acme.key_with(view.scopes[method]))
    assert answer.status in (200, 404, 422)


@pytest.mark.parametrize(("route", "view", "method"), DOORS, ids=NAMES)
@pytest.mark.parametrize("token", ["", "iva_", "iva_" + "A" * 86, "Bearer", "😀", "iva_" + "-" * 86])
def test_rubbish_is_not_a_key(acme: Party, route: str, view: type, method: str, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    path = "/api/v1/" + path_of(route)
    answer = parsed(
        acme.client.generic(method, path, data="{}", content_type="application/json", headers=headers)
    )
    assert (answer.status, answer.code) == (401, "invalid_api_key")


@pytest.mark.parametrize("route", sorted({route for route, _, _ in DOORS}))
def test_other_methods_are_refused_with_a_problem(acme: Party, route: str) -> None:
    allowed = {method for other, _, method in DOORS if other == route}
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - allowed:
        answer = acme.call(method, path_of(route))
        assert (answer.status, answer.code) == (405, "method_not_allowed")
        assert answer.headers["Content-Type"] == "application/problem+json"
