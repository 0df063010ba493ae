"""Many values at once: the same refusals, one query for the keys, and nothing bound to the wrong row."""

import uuid

import psycopg
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iva import tenancy
from iva.crypto import bulk, cache, keys, ring
from iva.crypto.aead import SealBroken
from tests.crypto.conftest import with_key
from tests.crypto.notes import Note

BODY, DETAILS = Note._meta.get_field("body"), Note._meta.get_field("details")


@pytest.fixture
def people(organization: uuid.UUID) -> list[uuid.UUID]:
    made = [tenancy.new_id() for _ in range(12)]
    with tenancy.tenant(organization):
        keys.create_many(made)
    return made


def kept(organization: uuid.UUID, people: list[uuid.UUID], each: int = 3) -> list[uuid.UUID]:
    with tenancy.tenant(organization):
        notes = [
            Note(end_user_id=person, body=f"{person} {n}", details=[n])
            for person in people
            for n in range(each)
        ]
        Note.objects.bulk_create(notes)
    return [note.pk for note in notes]


def test_revealing_reads_all_keys_with_one_query(organization: uuid.UUID, people: list[uuid.UUID]) -> None:
    kept(organization, people)
    cache.forget_all()
    with tenancy.tenant(organization):
        notes = list(Note.objects.all())
        with CaptureQueriesContext(connection) as queries:
            bulk.reveal(notes, "body", "details", "title")
        assert len(queries) == 2  # the data keys, and the organization key above them
        with CaptureQueriesContext(connection) as queries:
            assert all(note.body.startswith(str(note.end_user_id)) and note.details for note in notes)
        assert len(queries) == 0


def test_revealing_again_or_nothing_is_harmless(organization: uuid.UUID, people: list[uuid.UUID]) -> None:
    kept(organization, people)
    with tenancy.tenant(organization):
        notes = list(Note.objects.defer("details"))
        notes[0].body = "assigned"
        bulk.reveal(notes, "body", "details", "title")
        bulk.reveal(notes, "body")
        bulk.reveal([], "body")
        assert notes[0].body == "assigned"
        assert notes[1].title is None


def test_revealing_leaves_the_shredded_sealed_and_opens_the_rest(
    organization: uuid.UUID, people: list[uuid.UUID]
) -> None:
    kept(organization, people)
    with tenancy.tenant(organization):
        keys.shred(people[3])
        notes = list(Note.objects.all())
        bulk.reveal(notes, "body")
        for note in notes:
            if note.end_user_id == people[3]:
                with pytest.raises(keys.KeyShredded):
                    assert note.body
            else:
                assert note.body


def test_revealing_refuses_what_was_altered_or_belongs_to_another(
    organization: uuid.UUID, people: list[uuid.UUID], thief: psycopg.Connection
) -> None:
    first, second, *_ = kept(organization, people[:1])
    thief.execute(
        "UPDATE crypto_tests_note SET body_encrypted ="
        " (SELECT body_encrypted FROM crypto_tests_note WHERE id = %s) WHERE id = %s",
        [first, second],
    )
    with tenancy.tenant(organization), pytest.raises(SealBroken):
        bulk.reveal(list(Note.objects.all()), "body")
    thief.execute("UPDATE crypto_tests_note SET body_encrypted = 'planted' WHERE id = %s", [second])
    with tenancy.tenant(organization), pytest.raises(SealBroken):
        bulk.reveal(list(Note.objects.all()), "body")


@pytest.mark.parametrize("at", [0, 2, 4])
def test_a_page_under_one_key_is_still_looked_at_row_by_row(
    organization: uuid.UUID, people: list[uuid.UUID], at: int
) -> None:
    """With the key at hand a page of one End User opens in one go: an odd one out must not slip through."""
    kept(organization, people[:2], each=5)
    with tenancy.tenant(organization):
        theirs = Note.objects.filter(end_user_id=people[1]).first()
        assert theirs is not None and theirs.body

        def page() -> list[Note]:
            return list(Note.objects.filter(end_user_id=people[0]))

        bulk.reveal(page(), "body")
        good = page()
        bulk.reveal(good, "body")
        assert [note.body for note in good] == [f"{people[0]} {n}" for n in range(5)]
        for byte in range(12):
            altered = page()
            envelope = bytearray(altered[at].body_encrypted)
            envelope[byte] ^= 1
            altered[at].body_encrypted = bytes(envelope)
            with pytest.raises((SealBroken, keys.KeyUnknown)):
                bulk.reveal(altered, "body")
        for name, value in (("end_user_id", people[1]), ("id", theirs.pk)):
            moved = page()
            setattr(moved[at], name, value)
            with pytest.raises(SealBroken):
                bulk.reveal(moved, "body")
        swapped = page()
        swapped[at].body_encrypted = swapped[at - 1].body_encrypted
        with pytest.raises(SealBroken):
            bulk.reveal(swapped, "body")
        relabelled = page()
        for note in relabelled:
            note.end_user_id = people[1]
        with pytest.raises(SealBroken):
            bulk.reveal(relabelled, "body")


def test_revealing_asks_for_the_purpose_too(organization: uuid.UUID, people: list[uuid.UUID]) -> None:
    kept(organization, people)
    with tenancy.tenant(organization, "billing.invoice"), pytest.raises(keys.PurposeNotDeclared):
        bulk.reveal(list(Note.objects.all()), "body")


def test_only_encrypted_fields_are_revealed_and_sealed(
    organization: uuid.UUID, people: list[uuid.UUID]
) -> None:
    kept(organization, people)
    with tenancy.tenant(organization):
        for act in (bulk.reveal, bulk.seal):
            with pytest.raises(TypeError, match="shelf"):
                act(list(Note.objects.all()), "shelf")


def test_sealing_ahead_locks_all_keys_with_one_query(
    organization: uuid.UUID, people: list[uuid.UUID]
) -> None:
    notes = [
        Note(organization_id=organization, end_user_id=person, body=f"{person}") for person in people * 3
    ]
    with tenancy.tenant(organization):
        with CaptureQueriesContext(connection) as queries:
            bulk.seal(notes, "body", "title")
        assert [" FOR KEY SHARE" in query["sql"] for query in queries] == [True, False]
        with CaptureQueriesContext(connection) as queries:
            Note.objects.bulk_create(notes)
        assert len([query for query in queries if "iva_crypto" in query["sql"]]) == 0
    with tenancy.tenant(organization):
        assert all(note.body == str(note.end_user_id) for note in Note.objects.all())


def test_what_was_sealed_ahead_counts_for_its_transaction_and_place_only(
    organization: uuid.UUID, people: list[uuid.UUID]
) -> None:
    note = Note(organization_id=organization, end_user_id=people[0], body="x")
    with tenancy.tenant(organization):
        bulk.seal([note], "body")
    with tenancy.tenant(organization):
        note.save()
        assert Note.objects.get(pk=note.pk).body == "x"
    moved = Note(organization_id=organization, end_user_id=people[0], body="y")
    with tenancy.tenant(organization):
        bulk.seal([moved], "body")
        moved.end_user_id, moved.pk = people[1], tenancy.new_id()
        moved.save()
        assert Note.objects.get(pk=moved.pk).body == "y"


def test_what_was_sealed_ahead_inside_a_lost_savepoint_is_sealed_again(
    organization: uuid.UUID, people: list[uuid.UUID]
) -> None:
    """With the savepoint the lock on the key was lost: somebody may have shredded it since."""
    note = Note(organization_id=organization, end_user_id=people[0], body="x")
    with tenancy.tenant(organization):
        try:
            with transaction.atomic():
                bulk.seal([note], "body")
                raise ConnectionError
        except ConnectionError:
            with CaptureQueriesContext(connection) as queries:
                note.save()
        assert any(" FOR KEY SHARE" in query["sql"] for query in queries)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 11), st.none() | st.text()), max_size=30), st.booleans())
def test_values_sealed_for_a_statement_of_one_s_own_open_again(
    organization: uuid.UUID, people: list[uuid.UUID], drawn: list[tuple[int, str | None]], one: bool
) -> None:
    subjects = [people[0] if one else people[index] for index, _ in drawn]
    rows, values = [tenancy.new_id() for _ in drawn], [value for _, value in drawn]
    with tenancy.tenant(organization):
        sealed = bulk.seal_values(BODY, subjects, rows, values)
        assert bulk.open_values(BODY, subjects, rows, sealed) == values
        if one:
            assert bulk.open_values(BODY, people[0], rows, sealed) == values
        for subject, row, envelope, value in zip(subjects, rows, sealed, values, strict=True):
            instance = Note(pk=row, end_user_id=subject)
            instance.body_encrypted = envelope
            assert instance.body == value
    with tenancy.tenant(organization):
        fresh = ring.Ring(organization)
        assert bulk.open_values(BODY, subjects, rows, sealed, fresh) == values


def test_values_do_not_open_for_another_subject_row_or_field(
    organization: uuid.UUID, people: list[uuid.UUID]
) -> None:
    rows = [tenancy.new_id() for _ in range(4)]
    mixed = [people[0], people[0], people[1], people[1]]
    with tenancy.tenant(organization):
        one = bulk.seal_values(BODY, [people[0]] * 4, rows, ["x"] * 4)
        two = bulk.seal_values(BODY, mixed, rows, ["x"] * 4)
        attempts = [
            (BODY, people[1], rows, one),
            (BODY, people[0], rows, two),
            (BODY, [people[0]] * 3 + [people[1]], rows, one),
            (BODY, mixed[::-1], rows, two),
            (BODY, people[0], rows[::-1], one),
            (BODY, mixed, rows[::-1], two),
            (DETAILS, people[0], rows, one),
            (DETAILS, mixed, rows, two),
            (BODY, people[0], rows, [*one[:3], one[3][:20]]),
            (BODY, people[0], rows, [*one[:3], one[3][:-1]]),
            (BODY, people[0], rows, [*one[:3], b"planted"]),
            (BODY, mixed, rows, [*two[:3], b""]),
        ]
        for attempt in attempts:
            with pytest.raises(SealBroken):
                bulk.open_values(*attempt)  # type: ignore[arg-type]


def test_values_of_a_shredded_subject_are_refused(organization: uuid.UUID, people: list[uuid.UUID]) -> None:
    rows = [tenancy.new_id(), tenancy.new_id()]
    with tenancy.tenant(organization):
        sealed = bulk.seal_values(BODY, people[:2], rows, ["a", "b"])
        keys.shred(people[1])
        with pytest.raises(keys.KeyShredded):
            bulk.open_values(BODY, people[:2], rows, sealed)
        with pytest.raises(keys.KeyShredded):
            bulk.open_values(BODY, people[1], rows[1:], sealed[1:])
        with pytest.raises(keys.KeyShredded):
            bulk.seal_values(BODY, people[:2], rows, ["a", "b"])
        assert bulk.open_values(BODY, people[0], rows[:1], sealed[:1]) == ["a"]


def test_ciphers_of_rows_selected_by_the_caller(organization: uuid.UUID, people: list[uuid.UUID]) -> None:
    """The hot path reads keys in a statement of its own and hands the rows over."""
    statement = (
        "SELECT id, subject_id, wrapped FROM iva_crypto_datakey"
        " WHERE purpose = 'end_user' ORDER BY id FOR KEY SHARE"
    )
    with tenancy.tenant(organization), connection.cursor() as cursor:
        cursor.execute(statement)
        rows = cursor.fetchall()
        found = keys.ciphers(rows, held=True)
        assert set(found) == {key_id for key_id, _, _ in rows}
        with CaptureQueriesContext(connection) as queries:
            sealed = [keys.for_sealing(person) for person in people]
        assert len(queries) == 0
        assert all(found[key.key_id] is key.cipher for key in sealed)


def test_a_stranger_without_a_key_is_unknown(organization: uuid.UUID) -> None:
    stranger = tenancy.new_id()
    with tenancy.tenant(organization):
        with pytest.raises(keys.KeyUnknown):
            bulk.seal_values(BODY, [stranger], [tenancy.new_id()], ["x"])
        with pytest.raises(keys.KeyUnknown):
            keys.for_sealing(stranger)
    assert with_key(organization) != stranger
