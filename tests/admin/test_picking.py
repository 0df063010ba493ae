"""Operators look at one organization at a time, for a reason and an hour, and leave a trace of it all."""

import json
import uuid
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts import household
from accounts.models import Organization, User
from conversations.models import Conversation
from iva import tenancy
from iva.audit.models import AuditEvent
from iva.operators import picking
from tests.admin.conftest import Life, at_desk, pick, trail
from tests.admin.pages import read
from tests.cast import Party

MESSAGES = "/admin/conversations/message/"


def told(party_id: uuid.UUID, event: str) -> list[dict[str, object]]:
    """What the events of one kind were about."""
    with tenancy.tenant(party_id, "legal.requirement"):
        return [json.loads(e.ids) for e in AuditEvent.objects.filter(event=event).order_by("sequence")]


def test_picking_is_a_post_and_audited_in_the_trail_of_whom_it_concerns(
    acme: Party, globex: Party, operator: User, signed_in: Client
) -> None:
    address = f"/admin/accounts/organization/{acme.id}/pick/"
    for method in ("get", "head", "put", "delete"):
        assert getattr(signed_in, method)(address).status_code == 405
    assert trail(acme, "organization.picked") == []
    assert signed_in.get(MESSAGES).status_code == 302

    assert pick(signed_in, acme).status_code == 303
    assert trail(acme, "organization.picked") == [("organization.picked", f"operator:{operator.pk}")]
    assert told(acme.id, "organization.picked") == [{"reference": "sup-1042"}]
    assert trail(globex, "organization.picked") == []
    page = read(signed_in, "/admin/").text
    assert "Acme" in page and "SUP-1042" in page


@pytest.mark.parametrize(
    "reference", ["", "12", "because", "Bat asked, 99112233", "бат-1", "a" * 41 + "1", "\x00-1-2"]
)
def test_a_reason_is_the_number_of_a_ticket_and_nothing_else(
    acme: Party, signed_in: Client, reference: str
) -> None:
    answer = pick(signed_in, acme, reference)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.content.decode()
    assert picking.PICKED not in signed_in.session
    assert trail(acme, "organization.picked") == []


@pytest.mark.parametrize("id_", [str(uuid.uuid4()), "not-an-id", "%00"])
def test_an_organization_that_does_not_exist_cannot_be_picked(signed_in: Client, id_: str) -> None:
    address = f"/admin/accounts/organization/{id_}/pick/"
    assert signed_in.post(address, {"reference": "SUP-1"}).status_code == 404
    assert picking.PICKED not in signed_in.session


def test_after_an_hour_it_is_over(looking_at_acme: Client) -> None:
    assert looking_at_acme.get(MESSAGES).status_code == 200
    session = looking_at_acme.session
    assert datetime.fromisoformat(session[picking.PICKED]["until"]) <= timezone.now() + timedelta(hours=1)
    session[picking.PICKED] |= {"until": timezone.now().isoformat()}
    session.save()
    answer = looking_at_acme.get(MESSAGES)
    assert (answer.status_code, answer["Location"]) == (302, "/admin/accounts/organization/")
    assert looking_at_acme.get(MESSAGES).status_code == 302


def test_leaving_is_a_post_and_audited(looking_at_acme: Client, acme: Party) -> None:
    assert looking_at_acme.get("/admin/leave/").status_code == 405
    assert looking_at_acme.get(MESSAGES).status_code == 200
    assert looking_at_acme.post("/admin/leave/").status_code == 303
    assert looking_at_acme.get(MESSAGES).status_code == 302
    assert told(acme.id, "organization.left") == [{"reference": "sup-1042"}]
    looking_at_acme.post("/admin/leave/")
    assert len(told(acme.id, "organization.left")) == 1


def test_a_forged_choice_of_organization_is_not_a_choice(acmes: Life, acme: Party, signed_in: Client) -> None:
    """The choice lies in the session on our side; nothing a browser sends beside it counts."""
    for attempt in (
        signed_in.get(MESSAGES, {"picked_organization": str(acme.id)}),
        signed_in.get(MESSAGES, headers={"X-Organization": str(acme.id)}),
        signed_in.get(MESSAGES, {"organization_id": str(acme.id)}),
    ):
        assert attempt.status_code == 302
    signed_in.cookies["picked_organization"] = str(acme.id)
    assert signed_in.get(MESSAGES).status_code == 302
    with acme.tenant():
        assert Conversation.objects.exists()


def test_every_look_is_in_acmes_own_trail(
    acmes: Life, acme: Party, globex: Party, looking_at_acme: Client
) -> None:
    looking_at_acme.get("/admin/conversations/conversation/")
    looking_at_acme.get(f"/admin/conversations/conversation/{acmes.conversation}/")
    assert told(acme.id, "operator.looked") == [
        {"page": "conversations.conversation"},
        {"page": "conversations.conversation", "row": str(acmes.conversation)},
    ]
    assert told(globex.id, "operator.looked") == []


def test_every_search_is_too_without_the_words_that_were_typed(
    acmes: Life, acme: Party, looking_at_acme: Client
) -> None:
    looking_at_acme.get("/admin/channels_cfg/channel/", {"q": "Бат 99112233"})
    looking_at_acme.get("/admin/conversations/message/", {"q": str(acmes.message), "author": "end_user"})
    assert told(acme.id, "operator.searched") == [
        {"by": "q", "found": 0, "page": "channels_cfg.channel"},
        {"by": "q.author", "found": 1, "page": "conversations.message", "sought": str(acmes.message)},
    ]


def test_pages_of_the_platform_are_in_the_households_trail(
    acme: Party, operator: User, signed_in: Client
) -> None:
    signed_in.get("/admin/")
    signed_in.get("/admin/iva_outbox/promise/")
    signed_in.get("/admin/accounts/organization/", {"q": "acme"})
    signed_in.get(f"/admin/accounts/organization/{acme.id}/")
    assert told(household.HOUSEHOLD, "operator.looked") == [
        {"page": "overview"},
        {"page": "iva_outbox.promise"},
        {"page": "accounts.organization", "row": str(acme.id)},
    ]
    assert told(household.HOUSEHOLD, "operator.searched") == [
        {"by": "q", "found": 1, "page": "accounts.organization"}
    ]


def test_the_households_own_trail_is_picked_like_any_other(signed_in: Client, operator: User) -> None:
    platform = Organization.objects.get(pk=household.HOUSEHOLD)
    address = f"/admin/accounts/organization/{platform.pk}/pick/"
    assert signed_in.post(address, {"reference": "AUD-1"}).status_code == 303
    page = read(signed_in, "/admin/iva_audit/auditevent/", event="operator.appointed")
    assert page.status == 200
    assert "Operator appointed" in page.text and str(operator.pk) in page.text


def test_picking_the_other_one_changes_what_is_seen(
    looking_at_acme: Client, acme: Party, globex: Party, acmes: Life, globexes: Life
) -> None:
    address = "/admin/conversations/conversation/"
    assert str(acmes.conversation) in read(looking_at_acme, address).text
    pick(looking_at_acme, globex)
    text = read(looking_at_acme, address).text
    assert str(globexes.conversation) in text
    assert str(acmes.conversation) not in text


def test_two_browsers_of_one_operator_pick_each_for_itself(
    operator: User, acme: Party, globex: Party, acmes: Life, globexes: Life
) -> None:
    here, there = at_desk(operator.pk), at_desk(operator.pk)
    pick(here, acme)
    assert there.get(MESSAGES).status_code == 302
    pick(there, globex)
    assert str(acmes.message) in read(here, MESSAGES).text
    assert str(acmes.message) not in read(there, MESSAGES).text
