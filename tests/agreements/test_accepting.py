"""Terms and privacy policy are accepted together, by exact hashes, and decide what opens."""

import uuid

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, connection

from accounts import agreements, announcing
from accounts.agreements import Standing
from accounts.models import Acceptance, LegalDocument, Method, Notice
from iva.audit.models import AuditEvent
from tests.agreements import documents
from tests.agreements.documents import BAT, SARAA, SIGNIFICANT, later
from tests.cast import Party

pytestmark = pytest.mark.usefixtures("first")


def accepted(party: Party, user_id: uuid.UUID) -> set[tuple[str, str]]:
    """(kind and version, method) of everything somebody accepted."""
    known = {document.pk: document for document in LegalDocument.objects.all()}
    with party.tenant():
        rows = Acceptance.objects.filter(user_id=user_id).values_list("document_id", "method")
        return {(f"{known[pk].kind} {known[pk].version}", method) for pk, method in rows}


class TestAccepting:
    def test_writes_both_rows_with_hash_language_and_origin(self, acme: Party, first: LegalDocument) -> None:
        documents.accept(acme, BAT, method=Method.REGISTRATION, locale="en")
        assert accepted(acme, BAT) == {
            ("terms 1.0.0", "registration"),
            ("privacy_policy 1.0.0", "registration"),
        }
        with acme.tenant("legal.requirement"):
            row = Acceptance.objects.get(document_id=first.pk)
            assert (row.digest, row.locale) == (first.digest, "en")
            assert (row.ip_address, row.browser) == ("203.0.113.0/24", "Firefox · Linux")  # type: ignore[attr-defined]

    def test_is_audited_with_ids_and_codes(self, acme: Party, first: LegalDocument) -> None:
        documents.accept(acme, BAT)
        with acme.tenant():
            events = AuditEvent.objects.filter(event="document.accepted")
            assert len(events) == 2
            assert f'"user":"{BAT}"' in events[0].ids
            assert '"method":"explicit"' in events[0].ids
            assert "203.0.113.7" not in "".join(event.ids for event in events)

    @pytest.mark.parametrize("which", ["terms", "privacy_policy"])
    @pytest.mark.parametrize("said", ["", "0" * 64, "ХЭШ", "x" * 10_000, "\x00"])
    def test_of_anything_but_the_current_hashes_is_refused_with_the_current_ones(
        self, acme: Party, first: LegalDocument, which: str, said: str
    ) -> None:
        with pytest.raises(agreements.DocumentsChanged) as changed:
            documents.accept(acme, BAT, **{which: said})
        assert changed.value.current == (first, first.privacy_policy)
        assert accepted(acme, BAT) == set()

    def test_of_what_was_shown_before_a_new_version_is_refused(
        self, acme: Party, first: LegalDocument
    ) -> None:
        newer = documents.published("1.0.1", policy=first.privacy_policy)
        with pytest.raises(agreements.DocumentsChanged) as changed:
            documents.accept(acme, BAT, terms=first.digest)
        assert changed.value.current.terms == newer

    def test_ahead_of_the_effective_date_is_refused(self, acme: Party, first: LegalDocument) -> None:
        ahead = documents.published("2.0.0", SIGNIFICANT, first.privacy_policy)
        with pytest.raises(agreements.DocumentsChanged):
            documents.accept(acme, BAT, terms=ahead.digest)

    def test_twice_changes_nothing(self, acme: Party) -> None:
        documents.accept(acme, BAT, method=Method.REGISTRATION)
        documents.accept(acme, BAT)
        assert {method for _, method in accepted(acme, BAT)} == {"registration"}

    def test_cannot_be_said_to_be_continued_use(self, acme: Party) -> None:
        with pytest.raises(ValueError, match="continued_use"):
            documents.accept(acme, BAT, method=Method.CONTINUED_USE)
        with pytest.raises(ValueError, match="explicit in fr"):
            documents.accept(acme, BAT, locale="fr")

    def test_is_undone_with_everything_else_of_its_transaction(self, acme: Party) -> None:
        current = agreements.current()
        with pytest.raises(ZeroDivisionError), acme.tenant():
            agreements.accept(
                BAT, terms=current.terms.digest, privacy_policy=current.privacy_policy.digest, locale="mn"
            )
            raise ZeroDivisionError
        assert accepted(acme, BAT) == set()

    def test_in_one_organization_is_not_seen_in_another(self, acme: Party, globex: Party) -> None:
        documents.accept(acme, BAT)
        assert accepted(globex, BAT) == set()
        assert agreements.standing(acme.id, BAT).is_open
        assert not agreements.standing(globex.id, BAT).is_open


class TestInTheDatabase:
    def row(self, document: LegalDocument, **changes: object) -> Acceptance:
        values = {
            "user_id": BAT,
            "document_id": document.pk,
            "digest": document.digest,
            "locale": "mn",
            "method": "explicit",
        }
        return Acceptance(**(values | changes))

    @pytest.mark.parametrize("kind", ["terms", "privacy_policy"])
    def test_one_row_without_the_other_does_not_commit(self, acme: Party, kind: str) -> None:
        document = getattr(agreements.current(), kind)
        with pytest.raises(IntegrityError, match="accepted together"), acme.tenant():
            self.row(document).save(force_insert=True)
        assert accepted(acme, BAT) == set()

    def test_another_persons_row_does_not_make_it_whole(self, acme: Party, globex: Party) -> None:
        documents.accept(acme, SARAA)
        documents.accept(globex, BAT)
        with pytest.raises(IntegrityError, match="accepted together"), acme.tenant():
            self.row(agreements.current().terms).save(force_insert=True)

    def test_a_hash_that_was_never_published_is_refused(self, acme: Party, first: LegalDocument) -> None:
        draft = documents.approved("1.1.0", policy=first.privacy_policy)
        for document, change in ((first, {"digest": "0" * 64}), (draft, {}), (first, {"document_id": BAT})):
            with pytest.raises(IntegrityError, match="nothing of this hash"), acme.tenant():
                self.row(document, **change).save(force_insert=True)

    def test_continued_use_follows_a_notice_that_reached_the_same_person(
        self, acme: Party, globex: Party, first: LegalDocument
    ) -> None:
        documents.told(acme, first, SARAA)
        documents.told(globex, first, BAT)
        with globex.tenant():
            theirs = Notice.objects.get().pk
        with acme.tenant():
            hers = Notice.objects.get().pk
        for notice_id in (None, hers, theirs, uuid.uuid4()):
            with pytest.raises(IntegrityError), acme.tenant():
                self.row(first, method="continued_use", notice_id=notice_id).save(force_insert=True)

    def test_nobody_changes_or_removes_an_acceptance(
        self, acme: Party, owner: psycopg.Connection, superuser: psycopg.Connection
    ) -> None:
        documents.accept(acme, BAT)
        statements = [
            "UPDATE accounts_acceptance SET method = 'registration'",
            "DELETE FROM accounts_acceptance",
            "TRUNCATE accounts_acceptance",
        ]
        for statement in statements:
            with pytest.raises(DatabaseError), acme.tenant(), connection.cursor() as cursor:
                cursor.execute(statement)
            with pytest.raises(psycopg.errors.InsufficientPrivilege), owner.transaction():
                owner.execute(f"SET LOCAL iva.organization_id = '{acme.id}'".encode())
                owner.execute(statement.encode())
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="stays as it is"):
                superuser.execute(statement.encode())
        assert len(accepted(acme, BAT)) == 2

    def test_address_and_browser_are_ciphertext(self, acme: Party, superuser: psycopg.Connection) -> None:
        documents.accept(acme, BAT)
        rows = superuser.execute("SELECT ip_address_encrypted, browser_encrypted FROM accounts_acceptance")
        values = [bytes(value) for row in rows for value in row]
        assert {value[:1] for value in values} == {b"\xfe"}
        assert len(set(values)) == 4


class TestStanding:
    def test_is_closed_to_who_never_accepted(self, acme: Party, first: LegalDocument) -> None:
        standing = agreements.standing(acme.id, BAT)
        assert standing == Standing(missing=(first, first.privacy_policy))  # type: ignore[arg-type]
        assert not standing.is_open

    def test_is_open_to_who_did(self, acme: Party) -> None:
        documents.accept(acme, BAT)
        assert agreements.standing(acme.id, BAT) == Standing()

    def test_is_no_ones_while_nothing_is_in_effect(self, acme: Party, superuser: psycopg.Connection) -> None:
        superuser.execute("SET session_replication_role = replica")
        superuser.execute("DELETE FROM accounts_legaldocument")
        superuser.execute("SET session_replication_role = origin")
        with pytest.raises(agreements.NothingInEffect):
            agreements.standing(acme.id, BAT)

    def test_stays_open_after_editorial_changes(self, acme: Party, first: LegalDocument) -> None:
        documents.accept(acme, BAT)
        documents.published("1.0.1")
        documents.published("1.0.2")
        assert agreements.standing(acme.id, BAT) == Standing()
        with pytest.raises(agreements.NothingToContinue):
            agreements.continue_using(acme.id, BAT, locale="mn")

    def test_stays_as_it_is_until_a_significant_change_takes_effect(self, acme: Party) -> None:
        documents.accept(acme, BAT)
        documents.published("2.0.0", SIGNIFICANT)
        assert agreements.standing(acme.id, BAT) == Standing()


class TestASignificantChange:
    @pytest.fixture
    def second(self, first: LegalDocument, acme: Party) -> LegalDocument:
        documents.accept(acme, BAT)
        documents.accept(acme, SARAA)
        return documents.published("2.0.0", SIGNIFICANT)

    def test_is_accepted_by_use_by_whom_the_notice_reached_and_by_nobody_else(
        self, acme: Party, second: LegalDocument
    ) -> None:
        documents.told(acme, second, BAT)
        with later(days=31):
            agreements.take_effect(lambda document: True)
            standing = agreements.standing(acme.id, BAT)
            assert standing.is_open
            assert standing.notice_id is not None
            assert agreements.standing(acme.id, SARAA).missing == (second, second.privacy_policy)

            agreements.continue_using(acme.id, BAT, locale="mn", where=agreements.Where("203.0.113.7", None))
            with pytest.raises(agreements.NothingToContinue):
                agreements.continue_using(acme.id, SARAA, locale="mn")

            assert agreements.standing(acme.id, BAT) == Standing()
        by_use = {entry for entry in accepted(acme, BAT) if entry[1] == "continued_use"}
        assert by_use == {("terms 2.0.0", "continued_use"), ("privacy_policy 2.0.0", "continued_use")}
        with acme.tenant():
            linked = Acceptance.objects.filter(method="continued_use").values_list("notice_id", flat=True)
            assert set(linked) == {standing.notice_id}

    def test_whose_notice_bounced_is_not_accepted_by_use(self, acme: Party, second: LegalDocument) -> None:
        documents.told(acme, second, BAT)
        with acme.tenant():
            notice_id = Notice.objects.get().pk
        announcing.bounced(acme.id, notice_id, "550 no such user")
        with later(days=31):
            agreements.take_effect(lambda document: True)
            assert not agreements.standing(acme.id, BAT).is_open

    def test_that_was_missed_is_not_made_good_by_the_notice_of_the_next(
        self, acme: Party, second: LegalDocument
    ) -> None:
        with later(days=31):
            agreements.take_effect(lambda document: True)
            third = documents.published("3.0.0", SIGNIFICANT)
            documents.told(acme, third, BAT)
        with later(days=62):
            agreements.take_effect(lambda document: True)
            assert agreements.standing(acme.id, BAT).missing == (third, third.privacy_policy)

    def test_is_accepted_by_use_with_the_editorial_version_that_came_after(
        self, acme: Party, second: LegalDocument
    ) -> None:
        documents.told(acme, second, BAT)
        with later(days=31):
            agreements.take_effect(lambda document: True)
            documents.published("2.0.1", policy=second.privacy_policy)
            agreements.continue_using(acme.id, BAT, locale="en")
            assert agreements.standing(acme.id, BAT) == Standing()
        assert ("terms 2.0.1", "continued_use") in accepted(acme, BAT)

    def test_binds_an_organization_through_any_one_of_its_people(
        self, acme: Party, globex: Party, second: LegalDocument
    ) -> None:
        assert agreements.is_bound(acme.id)
        assert not agreements.is_bound(globex.id)
        with later(days=31):
            agreements.take_effect(lambda document: True)
            assert not agreements.is_bound(acme.id)
            documents.accept(acme, SARAA)
            assert agreements.is_bound(acme.id)
