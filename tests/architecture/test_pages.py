"""Every page of the dashboard, found in the URL configuration itself, meets nobody, each role, a stranger,
somebody without a second factor, somebody who has accepted nothing, and a forged form."""

import re
import uuid
from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from accounts.people import Acting
from accounts.roles import SECOND_FACTOR_ALWAYS, Role, grants
from iva import checks
from tests import furnishing
from tests.cast import Party
from tests.conftest import AtDesk, Hire

PAGES = list(checks.pages())
MEMBERS_ONLY = [(route, opening) for route, opening in PAGES if opening.to == "member"]
NOT_ANYBODYS = [(route, opening) for route, opening in PAGES if opening.to != "anybody"]
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PLACE = re.compile(r"<(?:(\w+):)?(\w+)>")


def path_of(route: str, known: Callable[[str], str] = lambda name: str(uuid.uuid4())) -> str:
    return PLACE.sub(lambda found: known(found[2]), route)


def calls(pages: list[tuple[str, checks.Opening]]) -> Iterator[tuple[str, str, checks.Opening]]:
    for route, opening in pages:
        for method in sorted(opening.methods):
            yield method, route, opening


def test_there_are_pages() -> None:
    assert len(MEMBERS_ONLY) >= 1


POLLED = {"live/changes/", "inbox/news/", "inbox/<uuid:conversation_id>/news/"}


def test_what_pages_ask_by_themselves_is_one_of_these_and_only_reads() -> None:
    """Whatever is added hides from the record of what its reader used, and accepts nothing (P28, P96)."""
    polled = [(route, opening) for route, opening in PAGES if opening.is_polled]
    assert {route.lstrip("/") for route, _ in polled} == POLLED
    assert all(opening.methods == {"GET"} for _, opening in polled)


def test_nobody_is_sent_to_sign_in(acme: Party) -> None:
    for method, route, _ in calls(NOT_ANYBODYS):
        answer = Client().generic(method, path_of(route))
        assert (answer.status_code, answer["Location"].split("?")[0]) == (303, "/sign-in/"), route


@pytest.mark.parametrize("role", Role)
def test_a_role_opens_what_the_table_grants_and_nothing_else(
    acme: Party, hire: Hire, at_desk: AtDesk, role: Role
) -> None:
    member = hire(acme, "Saraa", role)
    for method, route, opening in calls(MEMBERS_ONLY):
        answer = at_desk(member).generic(method, path_of(route))
        if grants(role, opening.permissions[method]):
            assert answer.status_code in (200, 204, 302, 303, 400, 404, 409, 410, 422), f"{method} {route}"
        else:
            assert answer.status_code == 403, f"{method} {route}"


def test_what_needs_a_fresh_factor_asks_for_it(saraa: Acting, at_desk: AtDesk, hire: Hire) -> None:
    """Without one at all, an owner gets nowhere but to where factors are enrolled."""
    for method, route, _ in calls(MEMBERS_ONLY):
        answer = at_desk(saraa, proved=False).generic(method, path_of(route))
        assert (answer.status_code, answer["Location"].split("?")[0]) == (303, "/enroll/"), route


def test_nothing_opens_before_what_counts_is_accepted(saraa: Acting, at_desk: AtDesk) -> None:
    for method, route, _ in calls(MEMBERS_ONLY):
        answer = at_desk(saraa, accepted=False).generic(method, path_of(route))
        assert (answer.status_code, answer["Location"].split("?")[0]) == (303, "/agreements/"), route


def test_a_stranger_finds_none_of_acmes_rows(
    acme: Party, saraa: Acting, dorj: Acting, at_desk: AtDesk
) -> None:
    """Globex's owner, who may do everything at home, with the ids of what Acme really has."""
    ids = furnishing.of(acme, saraa)
    for method, route, _ in calls(MEMBERS_ONLY):
        if PLACE.search(route):
            answer = at_desk(dorj).generic(method, path_of(route, lambda name: str(ids[name])))
            assert answer.status_code == 404, f"{method} {route}"


def test_a_form_from_elsewhere_is_refused(saraa: Acting, at_desk: AtDesk) -> None:
    for method, route, _ in calls(PAGES):
        if method == "GET":
            continue
        browser = at_desk(saraa)
        browser.handler.enforce_csrf_checks = True
        assert browser.generic(method, path_of(route)).status_code == 403, f"{method} {route}"


def test_other_methods_are_refused(saraa: Acting, at_desk: AtDesk) -> None:
    browser = at_desk(saraa)
    for route, opening in PAGES:
        for method in set(METHODS) - opening.methods:
            assert browser.generic(method, path_of(route)).status_code == 405, f"{method} {route}"


def test_a_sign_in_that_was_ended_opens_nothing(saraa: Acting, at_desk: AtDesk) -> None:
    browser = at_desk(saraa)
    browser.post("/sign-out/")
    for method, route, _ in calls(NOT_ANYBODYS):
        assert browser.generic(method, path_of(route))["Location"].startswith("/sign-in/"), route


def test_roles_that_always_need_a_factor_are_the_ones_we_think() -> None:
    assert {Role.OWNER, Role.ADMIN} == SECOND_FACTOR_ALWAYS
