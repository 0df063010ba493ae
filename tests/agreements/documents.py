"""Versions to test with: short texts, and a calendar that can be turned."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from unittest import mock

from django.utils import timezone

from accounts import agreements
from accounts.models import Kind, LegalDocument, Notice, Significance
from iva import tenancy
from iva.audit.actors import Actor, ActorKind

if TYPE_CHECKING:
    from tests.cast import Party

LAWYER, PUBLISHER = (Actor(ActorKind.OPERATOR, uuid.UUID(int=number)) for number in (7, 8))
NOBODY = uuid.UUID(int=100)
"""Accepted for an organization of the cast, and is none of its people."""
BAT, SARAA, DORJ = (uuid.UUID(int=number) for number in (101, 102, 103))
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
EDITORIAL, SIGNIFICANT = Significance.EDITORIAL, Significance.SIGNIFICANT


class Employee(NamedTuple):
    user_id: uuid.UUID
    email: str
    locale: str = "mn"


def written(said: str) -> dict[str, str]:
    return {
        "mn": f"# Нөхцөл\n\nХүчинтэй: {{{{ effective_date }}}}\n\n{said} гэж заав.\n",
        "en": f"# Terms\n\nEffective: {{{{ effective_date }}}}\n\nIt says {said}.\n",
    }


def drafted(
    version: str, significance: Significance = EDITORIAL, policy: LegalDocument | None = None
) -> LegalDocument:
    """A draft of the terms, with the privacy policy given or a new one of the same version."""
    policy = policy or agreements.draft(
        Kind.PRIVACY_POLICY, version, significance, written(f"policy {version}")
    )
    return agreements.draft(Kind.TERMS, version, significance, written(f"terms {version}"), policy)


def approved(
    version: str, significance: Significance = EDITORIAL, policy: LegalDocument | None = None
) -> LegalDocument:
    terms = drafted(version, significance, policy)
    for document in (terms, terms.privacy_policy):
        assert document is not None
        if document.approved_at is None:
            agreements.approve(document, LAWYER)
    return terms


def published(
    version: str,
    significance: Significance = EDITORIAL,
    policy: LegalDocument | None = None,
    effective_at: datetime | None = None,
) -> LegalDocument:
    terms = approved(version, significance, policy)
    agreements.publish(terms, PUBLISHER, effective_at)
    terms.refresh_from_db()
    return terms


def first() -> LegalDocument:
    """The first version of the terms, published and in effect unless it is already."""
    known = LegalDocument.objects.filter(kind=Kind.TERMS, version="1.0.0").first()
    return known or published("1.0.0")


def accept(party: "Party", user_id: uuid.UUID, **changes: object) -> agreements.InEffect:
    """Accept what is in effect, as a page that has just shown it would."""
    current = agreements.current()
    said = {
        "terms": current.terms.digest,
        "privacy_policy": current.privacy_policy.digest,
        "locale": "mn",
        "where": agreements.Where("203.0.113.7", BROWSER),
    }
    with party.tenant():
        return agreements.accept(user_id, **(said | changes))  # type: ignore[arg-type]


def accepted(organization_id: uuid.UUID, user_id: uuid.UUID) -> None:
    """Accept what is in effect, for the organization of that id."""
    current = agreements.current()
    with tenancy.tenant(organization_id):
        agreements.accept(
            user_id, terms=current.terms.digest, privacy_policy=current.privacy_policy.digest, locale="mn"
        )


def told(party: "Party", document: LegalDocument, *user_ids: uuid.UUID) -> None:
    """A notice of a change reached these people."""
    with party.tenant():
        for user_id in user_ids:
            Notice.objects.create(  # type: ignore[misc]
                document_id=document.pk,
                user_id=user_id,
                locale="mn",
                email="somebody@example.com",
                message_id="<1@example.com>",
                sent_at=timezone.now(),
                reply="250 2.0.0 ok",
            )


@contextmanager
def later(**passed: float) -> Iterator[datetime]:
    """The same day, so much later."""
    moved, now = timedelta(**passed), timezone.now
    with mock.patch.object(timezone, "now", lambda: now() + moved):
        yield timezone.now()
