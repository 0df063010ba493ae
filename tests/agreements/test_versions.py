"""Versions are drafted, approved, published, take effect and are superseded, in that order and for good."""

import hashlib

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, ProgrammingError, connection

from accounts import agreements
from accounts.agreements import State
from accounts.models import Kind, LegalDocument
from iva.audit.models import AuditEvent
from tests.agreements import documents
from tests.agreements.documents import EDITORIAL, LAWYER, PUBLISHER, SIGNIFICANT, later, written
from tests.cast import Party


def all_are_told(document: LegalDocument) -> bool:
    return True


def not_all_are_told(document: LegalDocument) -> bool:
    return False


def in_effect() -> str:
    return agreements.current().terms.version


class TestADraft:
    def test_is_complete_in_both_languages_only(self, db: None) -> None:
        for texts in (
            {"mn": written("a")["mn"]},
            written("a") | {"en": " \n"},
            written("a") | {"en": "# No date"},
        ):
            with pytest.raises(agreements.VersionIncomplete):
                agreements.draft(Kind.PRIVACY_POLICY, "1.0.0", EDITORIAL, texts)

    @pytest.mark.parametrize(
        "version", ["", "1", "1.0", "v1.0.0", "1.0.0-rc1", "01.0.0", "1.0.0\n", "1..0", "١.0.0", "1.0.0.0"]
    )
    def test_has_a_version_of_three_numbers(self, db: None, version: str) -> None:
        with pytest.raises(agreements.NotAVersion):
            agreements.draft(Kind.PRIVACY_POLICY, version, EDITORIAL, written("a"))

    def test_of_terms_names_its_privacy_policy_and_nothing_else_does(self, db: None) -> None:
        policy = agreements.draft(Kind.PRIVACY_POLICY, "1.0.0", EDITORIAL, written("a"))
        terms = agreements.draft(Kind.TERMS, "1.0.0", EDITORIAL, written("a"), policy)
        for kind, part in ((Kind.TERMS, None), (Kind.TERMS, terms), (Kind.PRIVACY_POLICY, policy)):
            with pytest.raises(agreements.NoPolicyNamed):
                agreements.draft(kind, "2.0.0", EDITORIAL, written("a"), part)

    def test_is_hashed_in_its_canonical_form(self, db: None) -> None:
        untidy = {
            locale: "\n\n" + text.replace("\n", "  \r\n") + "\n\n" for locale, text in written("й").items()
        }
        untidy["mn"] = untidy["mn"].replace("й", "и\u0306")
        tidy = agreements.draft(Kind.PRIVACY_POLICY, "1.0.0", EDITORIAL, written("й"))
        again = agreements.draft(Kind.PRIVACY_POLICY, "1.0.1", EDITORIAL, untidy)
        assert tidy.text_mn == again.text_mn == written("й")["mn"]
        assert tidy.sha256_mn == again.sha256_mn == hashlib.sha256(tidy.text_mn.encode()).hexdigest()
        assert tidy.digest != again.digest

    def test_can_be_thrown_away_until_it_is_approved(self, db: None) -> None:
        draft = agreements.draft(Kind.PRIVACY_POLICY, "1.0.0", EDITORIAL, written("a"))
        agreements.discard(draft)
        again = agreements.draft(Kind.PRIVACY_POLICY, "1.0.0", EDITORIAL, written("b"))
        agreements.approve(again, LAWYER)
        with pytest.raises(agreements.NotADraft):
            agreements.discard(again)
        with pytest.raises(agreements.NotADraft):
            agreements.approve(again, LAWYER)

    def test_exists_once(self, db: None) -> None:
        agreements.draft(Kind.PRIVACY_POLICY, "1.0.0", EDITORIAL, written("a"))
        with pytest.raises(IntegrityError):
            agreements.draft(Kind.PRIVACY_POLICY, "1.0.0", EDITORIAL, written("b"))


class TestPublishing:
    def test_takes_the_privacy_policy_along(self, db: None, acme: Party, globex: Party) -> None:
        terms = documents.published("1.0.0")
        current = agreements.current()
        assert (current.terms, current.privacy_policy) == (terms, terms.privacy_policy)
        assert current.privacy_policy.effective_at == terms.effective_at == terms.published_at
        assert (terms.approved_by, terms.published_by) == (str(LAWYER), str(PUBLISHER))
        for party in (acme, globex):
            with party.tenant():
                told = AuditEvent.objects.filter(event="document.published").order_by("sequence")
                assert [event.actor for event in told] == [str(PUBLISHER)] * 2
                assert '"kind":"privacy_policy"' in told[0].ids
                assert '"version":"1.0.0"' in told[1].ids

    def test_needs_the_approval_of_both(self, db: None) -> None:
        terms = documents.drafted("1.0.0")
        with pytest.raises(agreements.NotApproved):
            agreements.publish(terms, PUBLISHER)
        agreements.approve(terms, LAWYER)
        with pytest.raises(agreements.NotApproved):
            agreements.publish(terms, PUBLISHER)
        assert not LegalDocument.objects.filter(published_at__isnull=False).exists()

    def test_happens_once(self, first: LegalDocument) -> None:
        with pytest.raises(agreements.NotApproved):
            agreements.publish(first, PUBLISHER)

    def test_of_a_privacy_policy_alone_is_refused(self, first: LegalDocument) -> None:
        terms = documents.approved("1.1.0")
        assert terms.privacy_policy is not None
        with pytest.raises(agreements.PolicyNotInOrder):
            agreements.publish(terms.privacy_policy, PUBLISHER)

    def test_of_terms_alone_keeps_the_privacy_policy(self, first: LegalDocument) -> None:
        documents.published("1.0.1", policy=first.privacy_policy)
        assert in_effect() == "1.0.1"
        assert agreements.current().privacy_policy == first.privacy_policy
        assert agreements.current().privacy_policy.superseded_at is None

    def test_of_terms_with_an_older_privacy_policy_is_refused(self, first: LegalDocument) -> None:
        documents.published("1.1.0")
        with pytest.raises(agreements.PolicyNotInOrder):
            documents.published("1.2.0", policy=first.privacy_policy)

    @pytest.mark.parametrize("version", ["1.0.0", "0.9.0", "0.10.0"])
    def test_of_an_older_version_is_refused(self, db: None, version: str) -> None:
        older = documents.approved(version)
        documents.published("1.0.1")
        with pytest.raises(agreements.NotNewer):
            agreements.publish(older, PUBLISHER)

    def test_counts_ten_after_nine(self, db: None) -> None:
        documents.published("1.9.0")
        documents.published("1.10.0")
        assert in_effect() == "1.10.0"

    def test_does_not_hide_a_significant_change_of_the_policy_in_editorial_terms(
        self, first: LegalDocument
    ) -> None:
        policy = agreements.draft(Kind.PRIVACY_POLICY, "2.0.0", SIGNIFICANT, written("more"))
        terms = agreements.draft(Kind.TERMS, "2.0.0", EDITORIAL, written("more"), policy)
        for document in (policy, terms):
            agreements.approve(document, LAWYER)
        with pytest.raises(agreements.SignificanceHidden):
            agreements.publish(terms, PUBLISHER)


class TestTakingEffect:
    def test_nothing_is_in_effect_before_the_first(self, db: None) -> None:
        documents.approved("1.0.0")
        with pytest.raises(agreements.NothingInEffect):
            agreements.current()

    def test_an_editorial_version_takes_effect_at_once(self, first: LegalDocument) -> None:
        documents.published("1.0.1")
        first.refresh_from_db()
        assert in_effect() == "1.0.1"
        assert first.superseded_at is not None

    def test_a_significant_one_waits_for_its_date_and_its_notices(self, first: LegalDocument) -> None:
        terms = documents.published("2.0.0", SIGNIFICANT)
        assert terms.effective_at is not None
        assert terms.published_at is not None
        assert (terms.effective_at - terms.published_at).days == 30
        with later(days=29, hours=23):
            assert agreements.take_effect(all_are_told) == []
        with later(days=30, minutes=1):
            assert agreements.take_effect(not_all_are_told) == []
            assert in_effect() == "1.0.0"
            assert agreements.editions(Kind.TERMS)[1].is_held_back
        with later(days=33):
            assert agreements.take_effect(all_are_told) == [terms]
            assert in_effect() == "2.0.0"
            before, after = agreements.editions(Kind.TERMS)
            assert (before.state, after.state) == (State.SUPERSEDED, State.EFFECTIVE)
            assert after.effective_at == before.document.superseded_at
            assert (after.effective_at - terms.published_at).days == 33

    @pytest.mark.parametrize("days", [0, 29.99])
    def test_no_date_can_be_chosen_that_is_too_soon(self, first: LegalDocument, days: float) -> None:
        terms = documents.approved("2.0.0", SIGNIFICANT)
        with later(days=days) as soon:
            pass
        with pytest.raises(agreements.TooSoon):
            agreements.publish(terms, PUBLISHER, soon)
        assert LegalDocument.objects.get(pk=terms.pk).published_at is None

    def test_later_versions_queue_behind_one_that_waits(self, first: LegalDocument) -> None:
        documents.published("2.0.0", SIGNIFICANT)
        patch = documents.published("2.0.1")
        assert in_effect() == "1.0.0"
        with later(days=31):
            assert agreements.take_effect(not_all_are_told) == []
            assert [document.version for document in agreements.take_effect(all_are_told)] == [
                "2.0.0",
                "2.0.1",
            ]
            assert agreements.current().terms == patch

    def test_the_trail_of_every_organization_says_when(self, acme: Party, first: LegalDocument) -> None:
        documents.published("1.0.1")
        with acme.tenant():
            assert AuditEvent.objects.filter(event="document.took_effect").count() == 1


PUBLISHED_ROW_CHANGES = [
    "text_mn = text_mn || 'x'",
    "text_en = ''",
    "sha256_mn = repeat('0', 64)",
    "digest = repeat('0', 64)",
    "version = '9.9.9'",
    "significance = 'significant'",
    "kind = 'privacy_policy', privacy_policy_id = NULL",
    "privacy_policy_id = id",
    "drafted_at = now()",
    "approved_at = now()",
    "approved_by = 'operator:8'",
    "published_at = NULL, published_by = '', effective_at = NULL",
    "published_at = now()",
    "effective_at = now() + interval '1 day'",
    "superseded_at = now()",
]


class TestInTheDatabase:
    @pytest.mark.parametrize("change", PUBLISHED_ROW_CHANGES)
    def test_a_published_row_stays_for_the_serving_role_and_the_owner(
        self, first: LegalDocument, owner: psycopg.Connection, change: str
    ) -> None:
        before = list(LegalDocument.objects.order_by("id").values())
        statement = f"UPDATE accounts_legaldocument SET {change} WHERE kind = 'terms'"
        with pytest.raises(DatabaseError), connection.cursor() as cursor:
            cursor.execute(statement)
        with pytest.raises(psycopg.Error):
            owner.execute(statement.encode())
        assert list(LegalDocument.objects.order_by("id").values()) == before

    def test_the_serving_role_has_no_privilege_to_write_texts_even_of_a_draft(self, db: None) -> None:
        documents.drafted("1.0.0")
        for column in ("text_mn", "text_en", "sha256_mn", "sha256_en", "digest", "version"):
            with pytest.raises(ProgrammingError, match="permission denied"), connection.cursor() as cursor:
                cursor.execute(f"UPDATE accounts_legaldocument SET {column} = {column}")

    def test_the_owner_does_not_rewrite_a_draft_either(self, db: None, owner: psycopg.Connection) -> None:
        documents.drafted("1.0.0")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="drafted text stays"):
            owner.execute("UPDATE accounts_legaldocument SET text_mn = 'x'")

    def test_nobody_deletes_or_empties(self, first: LegalDocument, owner: psycopg.Connection) -> None:
        for statement in ("DELETE FROM accounts_legaldocument", "TRUNCATE accounts_legaldocument CASCADE"):
            with pytest.raises(DatabaseError), connection.cursor() as cursor:
                cursor.execute(statement)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                owner.execute(statement.encode())

    def test_hashes_that_are_not_of_the_text_are_refused(self, first: LegalDocument) -> None:
        forged = LegalDocument(
            kind=Kind.PRIVACY_POLICY,
            version="3.0.0",
            significance=EDITORIAL,
            text_mn="а",
            text_en="a",
            sha256_mn=first.sha256_mn,
            sha256_en=first.sha256_en,
            digest=first.digest,
        )
        with pytest.raises(IntegrityError, match="not of these texts"):
            forged.save(force_insert=True)

    def test_a_version_begins_as_a_draft(self, db: None) -> None:
        draft = agreements.draft(Kind.PRIVACY_POLICY, "1.0.0", EDITORIAL, written("a"))
        agreements.discard(draft)
        draft.approved_at, draft.approved_by = draft.drafted_at, "operator:8"
        with pytest.raises(IntegrityError, match="begins as a draft"):
            draft.save(force_insert=True)

    def test_a_publication_skips_neither_approval_nor_notice(
        self, first: LegalDocument, owner: psycopg.Connection
    ) -> None:
        publish = "published_at = now(), published_by = 'operator:8', effective_at = now()"
        documents.drafted("1.1.0")
        terms = documents.approved("2.0.0", SIGNIFICANT)
        for version in ("1.1.0", terms.version):
            with pytest.raises(psycopg.errors.CheckViolation):
                owner.execute(f"UPDATE accounts_legaldocument SET {publish} WHERE version = '{version}'")

    def test_a_privacy_policy_is_not_published_without_its_terms(
        self, first: LegalDocument, owner: psycopg.Connection
    ) -> None:
        documents.approved("1.1.0")
        publish = "published_at = now(), published_by = 'operator:8', effective_at = now()"
        for kind, refusal in (
            ("privacy_policy", "published with the terms"),
            ("terms", "not in effect with them"),
        ):
            with pytest.raises(psycopg.errors.CheckViolation, match=refusal):
                owner.execute(
                    f"UPDATE accounts_legaldocument SET {publish} WHERE version = '1.1.0' AND kind = '{kind}'"
                )
