"""Following an invitation by the pages: somebody new, somebody with a login, and everybody else."""

import io
import json
import logging
import uuid

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import agreements, invitations, people
from accounts.models import Acceptance, Invitation, LegalDocument, Membership
from accounts.people import Acting
from accounts.roles import Role
from tests.agreements import documents
from tests.cast import Party
from tests.conftest import AtDesk, Hire
from tests.faults.together import together

HOME = reverse("home")
EMAIL, PASSWORD = "bat@example.com", "correct horse battery staple"


def sent(party: Party, by: Acting, role: Role = Role.SUPPORT_AGENT, email: str = EMAIL) -> str:
    with party.tenant("account.manage"):
        return "/invitations/" + invitations.invite(email, role, by=by)[1] + "/"


def form(**changes: str) -> dict[str, str]:
    current = agreements.current()
    return {
        "name": "Бат",
        "position": "Оператор",
        "locale": "mn",
        "password": PASSWORD,
        "accepted": "on",
        "terms": current.terms.digest,
        "privacy_policy": current.privacy_policy.digest,
    } | changes


def memberships() -> int:
    return Membership.objects.filter(role=Role.SUPPORT_AGENT, ended_at=None).count()


def test_somebody_new_makes_a_login_accepts_and_is_inside(
    acme: Party, saraa: Acting, first: LegalDocument
) -> None:
    link, browser = sent(acme, saraa), Client()
    assert "Acme" in browser.get(link).content.decode()
    assert memberships() == 0, "looking accepts nothing"
    answer = browser.post(link, form())
    assert (answer.status_code, answer["Location"]) == (303, HOME)
    assert browser.get(HOME).status_code == 200
    with acme.tenant("account.manage"):
        bat = next(member for _, member in people.members() if member.name == "Бат")
        assert (bat.email, bat.position) == (EMAIL, "Оператор")
        assert Acceptance.objects.filter(user_id=bat.user_id).count() == 2
    assert Client().get(link).status_code == 410
    assert Client().post("/sign-in/", {"email": EMAIL, "password": PASSWORD}).status_code == 303


def test_an_invited_admin_enrolls_a_factor_before_anything_else(
    acme: Party, saraa: Acting, first: LegalDocument
) -> None:
    browser = Client()
    browser.post(sent(acme, saraa, Role.ADMIN), form())
    assert browser.get(HOME)["Location"].startswith("/enroll/")


def test_somebody_with_a_login_signs_in_and_joins(
    acme: Party, globex: Party, saraa: Acting, hire: Hire, first: LegalDocument
) -> None:
    bat = hire(globex, "Bat", Role.AUDITOR)
    link = sent(acme, saraa, email="bat@globex.example.com")
    browser = Client()
    asked = browser.get(link)
    assert asked["Location"].startswith("/sign-in/?next=%2Finvitations%2F")
    answer = browser.post(asked["Location"], {"email": "bat@globex.example.com", "password": PASSWORD})
    assert answer["Location"] == link
    assert memberships() == 0
    assert browser.get(link).status_code == 200
    answer = browser.post(link, {"name": "Бат"})
    assert (answer.status_code, answer["Location"]) == (303, HOME)
    assert people.enter(bat.user_id, acme.id).role is Role.SUPPORT_AGENT
    assert browser.get(HOME)["Location"].startswith("/agreements/")


def test_somebody_else_is_told_so_and_the_invitation_stays_good(
    acme: Party, saraa: Acting, dorj: Acting, at_desk: AtDesk
) -> None:
    link, desk = sent(acme, saraa), at_desk(dorj)
    for answer in (desk.get(link), desk.post(link, {"name": "Дорж"}), desk.post(link, form())):
        assert answer.status_code == 403
        assert EMAIL not in answer.content.decode(), "whom it was sent to is not said"
    assert memberships() == 0
    assert Client().get(link).status_code == 200


@pytest.mark.parametrize("ended", ["expires_at", "revoked_at", "accepted_at"])
def test_an_ended_one_opens_nothing(
    acme: Party, saraa: Acting, first: LegalDocument, at_desk: AtDesk, ended: str
) -> None:
    link = sent(acme, saraa)
    with acme.tenant("account.manage"):
        Invitation.objects.update(**{ended: timezone.now()})
    for browser in (Client(), at_desk(saraa)):
        assert browser.get(link).status_code == 410
        assert browser.post(link, form()).status_code == 410
    assert memberships() == 0


def test_an_unknown_one_opens_nothing(first: LegalDocument, db: None) -> None:
    for token in ("x", "ivi_" + "A" * 86, str(uuid.uuid4()), "ivi_" + "ө" * 43):
        assert Client().get(f"/invitations/{token}/").status_code == 410


def test_a_stale_document_gets_the_new_text_and_keeps_what_was_typed(
    acme: Party, saraa: Acting, first: LegalDocument
) -> None:
    link, stale = sent(acme, saraa), form()
    documents.published("1.0.1")
    answer = Client().post(link, stale)
    assert answer.status_code == 409
    for typed in ("Бат", "Оператор", PASSWORD, "/legal/terms/1.0.1/"):
        assert typed in answer.content.decode()
    assert memberships() == 0
    assert Client().post(link, form()).status_code == 303
    assert memberships() == 1


@pytest.mark.parametrize(("field", "value"), [("password", "qwerty123456"), ("name", ""), ("accepted", "")])
def test_what_is_wrong_is_said_at_the_field(
    acme: Party, saraa: Acting, first: LegalDocument, field: str, value: str
) -> None:
    link = sent(acme, saraa)
    answer = Client().post(link, form(**{field: value}))
    assert (answer.status_code, f'id="id_{field}_error"' in answer.content.decode()) == (422, True)
    assert Client().post(link, form()).status_code == 303


def test_of_eight_at_once_one_joins(acme: Party, saraa: Acting, first: LegalDocument) -> None:
    link, given = sent(acme, saraa), form()
    statuses = together([lambda: Client().post(link, given).status_code] * 8)
    assert statuses.count(303) >= 1
    assert memberships() == 1


def test_a_member_already_is_told_so(
    acme: Party, saraa: Acting, at_desk: AtDesk, first: LegalDocument, hire: Hire
) -> None:
    bat = hire(acme, "Bat", Role.AUDITOR)
    link = sent(acme, saraa, email="bat@acme.example.com")
    assert at_desk(bat).post(link, {"name": "Бат"}).status_code == 422
    assert people.enter(bat.user_id, acme.id).role is Role.AUDITOR


def test_its_secret_is_not_logged(
    acme: Party, saraa: Acting, first: LegalDocument, caplog: pytest.LogCaptureFixture
) -> None:
    link = sent(acme, saraa)
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    handler.setFormatter(logging.getLogger().handlers[0].formatter)
    logging.getLogger().addHandler(handler)
    try:
        Client().get(link)
        Client().post(link, form())
    finally:
        logging.getLogger().removeHandler(handler)
    assert "invitations/<str:token>/" in said.getvalue()
    assert link.split("/")[2][10:60] not in said.getvalue() + json.dumps(
        [r.getMessage() for r in caplog.records]
    )


def test_a_login_that_somebody_began_with_the_invited_address_becomes_theirs_who_follow_the_link(
    acme: Party, saraa: Acting, first: LegalDocument
) -> None:
    """Whoever holds the link reads the mailbox; what the beginner knows opens nothing, before and after."""
    link = sent(acme, saraa)
    people.meet(EMAIL, "a login that was begun before")
    assert Client().get(link).status_code == 200
    assert Client().post(link, form()).status_code == 303
    assert memberships() == 1
    for password, status in (("a login that was begun before", 422), (form()["password"], 303)):
        assert Client().post("/sign-in/", {"email": EMAIL, "password": password}).status_code == status
