"""Whatever is tried, in whatever order: versions take effect in order, in time, and never unannounced."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from unittest import mock

import psycopg
import pytest
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from accounts import agreements
from accounts.agreements import drafting, in_effect
from accounts.models import Kind, LegalDocument, Significance
from tests.agreements import documents
from tests.agreements.documents import LAWYER, PUBLISHER

NOTICE = timedelta(days=30)
REFUSALS = (
    agreements.NotApproved,
    agreements.NotNewer,
    agreements.PolicyNotInOrder,
    agreements.SignificanceHidden,
    agreements.TooSoon,
)


class Versions(RuleBasedStateMachine):
    """The life of all versions at once, beside what a careful reader would expect of it."""

    superuser: psycopg.Connection
    drafts = Bundle("drafts")

    @initialize()
    def begin(self) -> None:
        empty(self.superuser)
        self.passed = timedelta()
        self.told: set[str] = set()
        self.texts: dict[tuple[str, str], str] = {}
        self.took_effect: list[str] = []
        self.real_now = timezone.now
        self.clock = mock.patch.object(timezone, "now", lambda: self.real_now() + self.passed)
        self.clock.start()
        self.release(Significance.SIGNIFICANT, False, Significance.SIGNIFICANT, None)

    def teardown(self) -> None:
        if hasattr(self, "clock"):
            self.clock.stop()

    @rule(
        target=drafts,
        policy_significance=st.sampled_from(Significance),
        numbers=st.tuples(st.integers(1, 3), st.integers(0, 2), st.integers(0, 2)),
        significance=st.sampled_from(Significance),
        same_policy=st.booleans(),
    )
    def draft(
        self,
        numbers: tuple[int, int, int],
        significance: Significance,
        same_policy: bool,
        policy_significance: Significance,
    ) -> LegalDocument | None:
        version = ".".join(map(str, numbers))
        if LegalDocument.objects.filter(version=version).exists():
            return None
        last = in_effect.published(Kind.PRIVACY_POLICY).last()
        policy = last if same_policy and last else self.policy(version, policy_significance)
        terms = documents.drafted(version, significance, policy)
        for document in (terms, terms.privacy_policy):
            assert document is not None
            self.texts[document.kind, document.version] = document.digest
        return terms

    def policy(self, version: str, significance: Significance) -> LegalDocument:
        texts = documents.written(f"policy {version}")
        return agreements.draft(Kind.PRIVACY_POLICY, version, significance, texts)

    @rule(
        target=drafts,
        policy_significance=st.sampled_from(Significance),
        significance=st.sampled_from(Significance),
        same_policy=st.booleans(),
        days=st.sampled_from([None, None, 0, 20, 31, 45]),
    )
    def release(
        self,
        significance: Significance,
        same_policy: bool,
        policy_significance: Significance,
        days: int | None,
    ) -> LegalDocument | None:
        """The usual way: the next version, approved and published in one go."""
        last = LegalDocument.objects.filter(kind=Kind.TERMS).values_list("version", flat=True)
        major = max((drafting.numbers(version)[0] for version in last), default=0) + 1
        terms = self.draft((major, 0, 0), significance, same_policy, policy_significance)
        self.approve(terms)
        self.publish(terms, days)
        return terms

    @rule(terms=drafts)
    def approve(self, terms: LegalDocument | None) -> None:
        for document in (terms, terms.privacy_policy) if terms else ():
            if (
                document is not None
                and LegalDocument.objects.filter(pk=document.pk, approved_at=None).exists()
            ):
                agreements.approve(document, LAWYER)

    @rule(terms=drafts)
    def discard(self, terms: LegalDocument | None) -> None:
        if terms is not None and LegalDocument.objects.filter(pk=terms.pk, approved_at=None).exists():
            agreements.discard(terms)

    @rule(terms=drafts, days=st.one_of(st.none(), st.integers(-2, 60)))
    def publish(self, terms: LegalDocument | None, days: int | None) -> None:
        if terms is None or not LegalDocument.objects.filter(pk=terms.pk).exists():
            return
        before = LegalDocument.objects.filter(published_at__isnull=False).count()
        wanted: datetime | None = None if days is None else timezone.now() + timedelta(days=days)
        try:
            agreements.publish(terms, PUBLISHER, wanted)
        except REFUSALS:
            assert LegalDocument.objects.filter(published_at__isnull=False).count() == before

    @rule(hours=st.sampled_from([1, 24, 24 * 29, 24 * 31]))
    def time_passes(self, hours: int) -> None:
        self.passed += timedelta(hours=hours)

    @rule()
    def everybody_is_told(self) -> None:
        self.told |= {document.version for document in agreements.waiting()}

    @rule()
    def take_effect(self) -> None:
        for document in agreements.take_effect(lambda due: due.version in self.told):
            assert not document.is_significant or document.version in self.told

    @invariant()
    def one_version_counts_and_it_is_the_oldest_that_is_not_superseded(self) -> None:
        editions = agreements.editions(Kind.TERMS)
        in_effect = [edition for edition in editions if edition.state is agreements.State.EFFECTIVE]
        assert len(in_effect) <= 1
        if in_effect:
            assert agreements.current().terms == in_effect[0].document
            policies = agreements.editions(Kind.PRIVACY_POLICY)
            counting = [
                edition.document for edition in policies if edition.state is agreements.State.EFFECTIVE
            ]
            assert counting == [agreements.current().privacy_policy]
        else:
            with pytest.raises(agreements.NothingInEffect):
                agreements.current()

    @invariant()
    def versions_take_effect_in_order_and_in_time(self) -> None:
        for kind in Kind:
            editions = agreements.editions(kind)
            for edition, following in pairwise(editions):
                earlier, document = edition.document, following.document
                assert drafting.numbers(earlier.version) < drafting.numbers(document.version)
                assert earlier.effective_at and document.effective_at and document.published_at
                assert earlier.effective_at <= document.effective_at
                if document.is_significant:
                    assert document.effective_at >= document.published_at + NOTICE
                if following.since is not None:
                    assert edition.since is not None
                    assert edition.since <= following.since <= timezone.now()
                    assert following.since >= document.effective_at

    @invariant()
    def no_significant_change_takes_effect_unannounced(self) -> None:
        for edition in agreements.editions(Kind.TERMS)[1:]:
            if edition.since is not None and edition.document.is_significant:
                assert edition.document.version in self.told

    @invariant()
    def no_significant_policy_hides_in_editorial_terms(self) -> None:
        editions = agreements.editions(Kind.TERMS)
        for edition, following in pairwise(editions):
            policy = following.document.privacy_policy
            if policy != edition.document.privacy_policy and policy is not None and policy.is_significant:
                assert following.document.is_significant

    @invariant()
    def texts_stay_as_they_were_drafted(self) -> None:
        for document in LegalDocument.objects.all():
            assert document.digest == self.texts[document.kind, document.version]

    @invariant()
    def terms_and_their_policy_are_out_together(self) -> None:
        for terms in LegalDocument.objects.filter(kind=Kind.TERMS, published_at__isnull=False):
            assert terms.privacy_policy is not None
            assert terms.privacy_policy.published_at is not None
        for policy in LegalDocument.objects.filter(kind=Kind.PRIVACY_POLICY, published_at__isnull=False):
            assert LegalDocument.objects.filter(privacy_policy=policy, published_at__isnull=False).exists()


def empty(superuser: psycopg.Connection) -> None:
    superuser.execute("SET session_replication_role = replica")
    superuser.execute("TRUNCATE accounts_legaldocument")
    superuser.execute("SET session_replication_role = origin")


@pytest.fixture
def machine(db: None, superuser: psycopg.Connection) -> Iterator[type[Versions]]:
    Versions.superuser = superuser
    yield Versions


@pytest.mark.slow
def test_versions_hold_their_promises_in_every_order(machine: type[Versions]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=30,
            stateful_step_count=30,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
