"""What operators may change: after a fresh second factor, audited, and documents only by two of them."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import household
from accounts.models import LegalDocument, Organization, SignIn, User
from accounts.people import Acting
from tests.admin.conftest import at_desk, trail
from tests.admin.pages import read
from tests.agreements.documents import written
from tests.cast import Party
from tests.conftest import AtDesk

DOCUMENTS = "/admin/accounts/legaldocument/"


def suspend(client: Client, party: Party, to: str = "suspended", **more: str) -> Any:
    given = {"to": to, "confirmed": "yes"} | more
    return client.post(f"/admin/accounts/organization/{party.id}/suspension/", given)


def grows_stale(user: User) -> None:
    with household.at_home():
        long_ago = timezone.now() - timedelta(minutes=5, seconds=1)
        SignIn.objects.filter(person_id=user.pk).update(proved_at=long_ago)


def draft(client: Client, version: str, kind: str = "terms", policy: object = "", **changes: str) -> Any:
    given = {
        "kind": kind,
        "version": version,
        "significance": "significant",
        "privacy_policy": str(policy or ""),
        "text_mn": written(version)["mn"],
        "text_en": written(version)["en"],
    }
    return client.post(f"{DOCUMENTS}draft/", given | changes)


def document(kind: str, version: str) -> LegalDocument:
    return LegalDocument.objects.get(kind=kind, version=version)


def act(client: Client, verb: str, on: LegalDocument, **given: str) -> Any:
    return client.post(f"{DOCUMENTS}{on.pk}/{verb}/", given)


@pytest.fixture
def drafts(operator: User, signed_in: Client) -> LegalDocument:
    """Significant terms with a policy of their own, drafted by the operator."""
    assert draft(signed_in, "2.0.0", "privacy_policy").status_code == 303
    assert draft(signed_in, "2.0.0", policy=document("privacy_policy", "2.0.0").pk).status_code == 303
    return document("terms", "2.0.0")


def test_suspending_closes_the_doors_and_is_audited_like_reinstating(
    acme: Party, globex: Party, saraa: Acting, at_desk: AtDesk, operator: User, signed_in: Client
) -> None:
    inside = at_desk(saraa)
    assert inside.get(reverse("home")).status_code == 200
    for unmeant in ({"confirmed": ""}, {"to": "nothing"}):
        suspend(signed_in, acme, **unmeant)
        acme.organization.refresh_from_db()
        assert acme.organization.is_active, "nobody has said that Acme is meant"
    suspend(signed_in, acme)
    suspend(signed_in, acme)
    assert acme.call("GET", "organization/").status == 401
    assert inside.get(reverse("home"))["Location"] == "/organizations/"
    assert globex.call("GET", "organization/").status == 200
    suspend(signed_in, acme, "active")
    assert acme.call("GET", "organization/").status == 200
    by = f"operator:{operator.pk}"
    events = trail(acme, "organization.suspended", "organization.reinstated")
    assert events == [("organization.suspended", by), ("organization.reinstated", by)]


def test_the_household_is_never_suspended(signed_in: Client) -> None:
    address = f"/admin/accounts/organization/{household.HOUSEHOLD}/"
    given = {"to": "suspended", "confirmed": "yes"}
    assert signed_in.post(f"{address}suspension/", given).status_code == 403
    assert Organization.objects.get(pk=household.HOUSEHOLD).is_active
    assert "suspension" not in read(signed_in, address).text


def test_every_change_needs_a_fresh_second_factor(
    acme: Party, operator: User, signed_in: Client, drafts: LegalDocument
) -> None:
    grows_stale(operator)
    attempts = [
        suspend(signed_in, acme),
        draft(signed_in, "3.0.0", "privacy_policy"),
        signed_in.get(f"{DOCUMENTS}draft/"),
        *(act(signed_in, verb, drafts) for verb in ("approval", "publication", "discarding")),
    ]
    for answer in attempts:
        assert (answer.status_code, answer["Location"].split("?")[0]) == (303, "/step-up/")
    acme.organization.refresh_from_db()
    drafts.refresh_from_db()
    assert acme.organization.is_active and drafts.approved_at is None
    assert not LegalDocument.objects.filter(version="3.0.0").exists()


def test_a_step_up_leads_back_to_the_page_with_the_form(
    acme: Party, operator: User, signed_in: Client
) -> None:
    grows_stale(operator)
    page = f"http://testserver/admin/accounts/organization/{acme.id}/"
    address = f"/admin/accounts/organization/{acme.id}/suspension/"
    answer = signed_in.post(address, {"to": "suspended", "confirmed": "yes"}, headers={"Referer": page})
    assert answer["Location"] == f"/step-up/?next=%2Fadmin%2Faccounts%2Forganization%2F{acme.id}%2F"


def test_from_a_draft_to_a_published_version_by_two(
    operator: User, lawyer: User, signed_in: Client, drafts: LegalDocument
) -> None:
    reading = at_desk_of(lawyer)
    policy = drafts.privacy_policy
    assert policy is not None
    for one in (policy, drafts):
        assert act(signed_in, "approval", one).status_code == 409
        assert act(reading, "approval", one).status_code == 303
    assert "You approved this version" in act(reading, "publication", drafts).content.decode()
    assert act(signed_in, "publication", policy).status_code == 409
    assert act(signed_in, "publication", drafts).status_code == 303
    drafts.refresh_from_db()
    assert (drafts.drafted_by, drafts.published_by) == (f"operator:{operator.pk}",) * 2
    assert drafts.approved_by == f"operator:{lawyer.pk}"
    assert drafts.effective_at is not None and drafts.effective_at > timezone.now() + timedelta(days=13)
    page = read(signed_in, f"{DOCUMENTS}{drafts.pk}/").text
    assert "Announcement" in page and "Approve</button>" not in page


def test_a_day_too_soon_is_refused_and_named(lawyer: User, signed_in: Client, drafts: LegalDocument) -> None:
    reading = at_desk_of(lawyer)
    assert drafts.privacy_policy is not None
    for one in (drafts.privacy_policy, drafts):
        act(reading, "approval", one)
    tomorrow = (timezone.now() + timedelta(days=1)).date().isoformat()
    answer = act(signed_in, "publication", drafts, effective_on=tomorrow)
    assert answer.status_code == 409 and "Not before" in answer.content.decode()
    assert act(signed_in, "publication", drafts, effective_on="soon").status_code == 422
    drafts.refresh_from_db()
    assert drafts.published_at is None


def test_what_is_approved_is_neither_approved_nor_thrown_away_again(
    lawyer: User, signed_in: Client, drafts: LegalDocument
) -> None:
    reading = at_desk_of(lawyer)
    assert act(reading, "approval", drafts).status_code == 303
    assert act(reading, "approval", drafts).status_code == 409
    assert act(signed_in, "discarding", drafts).status_code == 409
    assert LegalDocument.objects.filter(pk=drafts.pk).exists()


def test_a_draft_is_thrown_away(signed_in: Client, drafts: LegalDocument) -> None:
    assert act(signed_in, "discarding", drafts)["Location"] == DOCUMENTS
    assert not LegalDocument.objects.filter(pk=drafts.pk).exists()
    assert signed_in.get(f"{DOCUMENTS}{drafts.pk}/").status_code == 404


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"version": "1.2"}, "A version is three numbers"),
        ({"version": "1.0.0"}, "such a version already"),
        ({"text_en": "# No date\n"}, "where their date is filled in"),
        ({"text_mn": ""}, "This field is required"),
        ({"kind": "terms"}, "Terms name a privacy policy"),
        ({"significance": "huge"}, "Select a valid choice"),
    ],
)
def test_a_draft_that_does_not_fit_keeps_what_was_typed(
    signed_in: Client, changes: dict[str, str], sentence: str
) -> None:
    answer = draft(signed_in, **({"version": "2.0.0", "kind": "privacy_policy"} | changes))  # type: ignore[arg-type]
    text = answer.content.decode()
    assert answer.status_code == 422
    assert (sentence in text and "It says 2.0.0." in text) or "text_en" in changes or "version" in changes
    assert not LegalDocument.objects.filter(version="2.0.0").exists()


def test_a_new_version_begins_with_the_newest_texts(signed_in: Client, first: LegalDocument) -> None:
    for kind in ("terms", "privacy_policy"):
        text = read(signed_in, f"{DOCUMENTS}draft/", kind=kind).text
        assert document(kind, "1.0.0").text_en.splitlines()[-1] in text


def test_a_version_is_read_and_compared_before_it_is_approved(
    signed_in: Client, drafts: LegalDocument
) -> None:
    read_ = read(signed_in, f"{DOCUMENTS}{drafts.pk}/text/", locale="en").text
    assert "It says 2.0.0." in read_ and "Not published" in read_
    changes = read(signed_in, f"{DOCUMENTS}{drafts.pk}/changes/", locale="en").text
    assert "It says 2.0.0." in changes and "It says terms 1.0.0." in changes
    assert "<ins>" in changes and "<del>" in changes


def at_desk_of(user: User) -> Client:
    return at_desk(user.pk)
