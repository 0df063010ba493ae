"""An organization that has not accepted what counts gets nothing from the API but what rights need (P7)."""

import uuid

import pytest

from accounts.scopes import RIGHTS
from iva import checks
from tests import cast
from tests.agreements import documents
from tests.architecture.test_doors import body_for, path_of
from tests.cast import Party

DOORS = [
    (route, view.scopes[method], method)
    for route, view in checks.api_views()
    for method in checks.answered_methods(view)
]


@pytest.fixture
def unbound(db: None) -> Party:
    """Acme, founded while there was nothing to accept."""
    return cast.found("Acme", is_bound=False)


def answers(party: Party) -> dict[str, str | None]:
    return {
        f"{method} {route} {scope}": party.call(method, path_of(route), body_for(method)).code
        for route, scope, method in DOORS
    }


def test_while_no_documents_count_nobody_can_have_accepted_them(unbound: Party) -> None:
    assert unbound.says("Сайн уу").code == "policy_acceptance_required"


def test_every_door_but_those_of_rights_is_closed(unbound: Party) -> None:
    documents.first()
    closed = {door for door, code in answers(unbound).items() if code == "policy_acceptance_required"}
    assert closed == {f"{method} {route} {scope}" for route, scope, method in DOORS if scope not in RIGHTS}


def test_one_members_acceptance_opens_them(unbound: Party) -> None:
    documents.first()
    documents.accepted(unbound.id, uuid.uuid4())
    assert unbound.says("Сайн уу").status == 201
    assert "policy_acceptance_required" not in answers(unbound).values()


def test_anothers_acceptance_does_not(unbound: Party, globex: Party) -> None:
    assert globex.says("Сайн уу").status == 201
    assert unbound.says("Сайн уу").code == "policy_acceptance_required"


def test_a_version_that_waits_for_its_date_closes_nothing_yet(acme: Party) -> None:
    documents.published("2.0.0", documents.SIGNIFICANT)
    assert acme.says("Сайн уу").status == 201
