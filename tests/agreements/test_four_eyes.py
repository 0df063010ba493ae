"""No legal document is one person's doing alone: drafting, approving, publishing (P91)."""

import pytest
from django.db import DatabaseError, connection, transaction

from accounts import agreements, household
from accounts.models import Kind, LegalDocument, Significance
from iva.audit.actors import SYSTEM, Actor
from iva.audit.models import AuditEvent
from tests.agreements.documents import EDITORIAL, LAWYER, PUBLISHER, SIGNIFICANT, published, written


def drafted(
    version: str, significance: Significance = SIGNIFICANT, actor: Actor = PUBLISHER
) -> LegalDocument:
    """Terms and their policy, both drafted by the same person."""
    policy = agreements.draft(Kind.PRIVACY_POLICY, version, significance, written(version), actor=actor)
    return agreements.draft(Kind.TERMS, version, significance, written(version), policy, actor=actor)


def approve(terms: LegalDocument, actor: Actor) -> None:
    assert terms.privacy_policy is not None
    agreements.approve(terms.privacy_policy, actor)
    agreements.approve(terms, actor)


def test_nobody_approves_what_they_drafted(db: None) -> None:
    terms = drafted("1.0.0", actor=LAWYER)
    with pytest.raises(agreements.OwnDraft):
        agreements.approve(terms, LAWYER)
    terms.refresh_from_db()
    assert terms.approved_at is None
    approve(terms, PUBLISHER)


def test_nobody_publishes_a_significant_version_they_approved(db: None) -> None:
    terms = drafted("1.0.0", SIGNIFICANT, SYSTEM)
    approve(terms, LAWYER)
    with pytest.raises(agreements.OwnApproval):
        agreements.publish(terms, LAWYER)
    terms.refresh_from_db()
    assert terms.published_at is None
    assert [document.kind for document in agreements.publish(terms, PUBLISHER)] == ["privacy_policy", "terms"]


def test_a_significant_policy_is_not_hidden_behind_terms_approved_by_another(db: None) -> None:
    policy = agreements.draft(Kind.PRIVACY_POLICY, "1.0.0", SIGNIFICANT, written("a"))
    terms = agreements.draft(Kind.TERMS, "1.0.0", SIGNIFICANT, written("a"), policy)
    agreements.approve(policy, PUBLISHER)
    agreements.approve(terms, LAWYER)
    with pytest.raises(agreements.OwnApproval):
        agreements.publish(terms, PUBLISHER)


def test_an_editorial_version_may_be_published_by_who_approved_it(db: None) -> None:
    terms = drafted("1.0.0", EDITORIAL)
    approve(terms, LAWYER)
    agreements.publish(terms, LAWYER)


def test_a_deployment_brings_what_was_reviewed_before_it(db: None) -> None:
    terms = drafted("1.0.0", SIGNIFICANT, SYSTEM)
    approve(terms, SYSTEM)
    agreements.publish(terms, SYSTEM)
    assert said() == []


@pytest.mark.parametrize(
    ("column", "changes"),
    [
        ("approved_by", "approved_by = drafted_by, approved_at = now()"),
        ("published_by", "published_by = approved_by, published_at = now(), effective_at = now()"),
        ("drafted_by", "drafted_by = 'operator:somebody-else'"),
    ],
)
def test_the_database_holds_even_who_goes_past_the_rooms(db: None, column: str, changes: str) -> None:
    terms = drafted("1.0.0")
    if column == "published_by":
        approve(terms, LAWYER)
    with pytest.raises(DatabaseError) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE accounts_legaldocument SET {changes} WHERE id = %s",
            [terms.privacy_policy_id],
        )
    said = str(refused.value)
    assert "legal_document_" in said or "permission denied" in said


def test_who_drafted_approved_and_discarded_is_in_the_households_trail(db: None) -> None:
    terms = drafted("1.0.0", actor=PUBLISHER)
    approve(terms, LAWYER)
    gone = agreements.draft(Kind.PRIVACY_POLICY, "1.0.1", EDITORIAL, written("b"), actor=LAWYER)
    agreements.discard(gone, actor=PUBLISHER)
    assert said() == [
        ("document.drafted", str(PUBLISHER)),
        ("document.drafted", str(PUBLISHER)),
        ("document.approved", str(LAWYER)),
        ("document.approved", str(LAWYER)),
        ("document.drafted", str(LAWYER)),
        ("document.discarded", str(PUBLISHER)),
    ]


def test_the_earliest_day_is_the_one_that_publication_keeps_to(db: None) -> None:
    published("1.0.0")
    terms = drafted("2.0.0", SIGNIFICANT, SYSTEM)
    approve(terms, LAWYER)
    promised = agreements.earliest(terms)
    agreements.publish(terms, PUBLISHER)
    terms.refresh_from_db()
    assert terms.effective_at is not None
    assert promised <= terms.effective_at


def said() -> list[tuple[str, str]]:
    with household.at_home("legal.requirement"):
        return [
            (e.event, e.actor)
            for e in AuditEvent.objects.filter(event__startswith="document.").order_by("sequence")
        ]
