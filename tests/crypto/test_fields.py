"""Encrypted fields as a programmer meets them: lazy, opaque, and loud when asked for the impossible."""

import copy
import json
import logging
import pickle
import uuid
from typing import Any

import psycopg
import pytest
from django.apps import AppConfig, apps
from django.core import serializers
from django.db import connection, models
from django.db.migrations.writer import MigrationWriter
from django.forms import model_to_dict, modelform_factory
from django.template import Context, Engine
from django.test.utils import CaptureQueriesContext

from iva import tenancy
from iva.crypto import cache, keys, ring
from iva.crypto.aead import SealBroken
from iva.crypto.fields import ORGANIZATION, EncryptedTextField, PlaintextWithoutRow, SealedElsewhere
from iva.crypto.sealed import Sealed
from iva.tenancy import SealedFieldUsed
from tests.crypto import notes
from tests.crypto.conftest import with_key
from tests.crypto.notes import Card, Note

SECRET = "Батын утас 99112233"


@pytest.fixture
def note(organization: uuid.UUID, bat: uuid.UUID) -> Note:
    """A note of Bat's, saved and forgotten."""
    with tenancy.tenant(organization):
        return Note.objects.create(end_user_id=bat, body=SECRET, details={"days": [1, 2]}, motto="ours")


def column(thief: psycopg.Connection, note: Note, name: str = "body_encrypted") -> bytes | None:
    row = thief.execute(f"SELECT {name} FROM crypto_tests_note WHERE id = %s", [note.pk]).fetchone()
    assert row is not None
    return row[0]


def test_what_was_saved_can_be_read_again(organization: uuid.UUID, note: Note) -> None:
    with tenancy.tenant(organization):
        found = Note.objects.get(pk=note.pk)
        assert (found.body, found.title, found.details, found.motto) == (
            SECRET,
            None,
            {"days": [1, 2]},
            "ours",
        )


@pytest.mark.parametrize("text", ["", " ", "\x00", "x" * 100_000, "ё😀", "null"])
def test_any_text_survives_and_the_empty_one_is_encrypted_too(
    organization: uuid.UUID, bat: uuid.UUID, thief: psycopg.Connection, text: str
) -> None:
    with tenancy.tenant(organization):
        note = Note.objects.create(end_user_id=bat, body=text)
    stored = column(thief, note)
    assert stored is not None
    assert len(stored) == len(text.encode()) + 40
    with tenancy.tenant(organization):
        assert Note.objects.get(pk=note.pk).body == text


@pytest.mark.parametrize("value", [{}, [], 0, False, "", {"ө": [None, 1.5, {"x": "y"}]}])
def test_any_json_survives(organization: uuid.UUID, bat: uuid.UUID, value: Any) -> None:
    with tenancy.tenant(organization):
        note = Note.objects.create(end_user_id=bat, details=value)
        assert Note.objects.get(pk=note.pk).details == value


def test_null_stays_null_and_can_be_asked_for(
    organization: uuid.UUID, note: Note, thief: psycopg.Connection
) -> None:
    assert column(thief, note, "title_encrypted") is None
    with tenancy.tenant(organization):
        assert Note.objects.filter(title__isnull=True).count() == 1
        assert Note.objects.filter(body__isnull=True).count() == 0
        assert Note.objects.exclude(body__isnull=True).get() == note


def test_the_database_holds_nothing_but_the_envelope(
    organization: uuid.UUID, note: Note, bat: uuid.UUID, thief: psycopg.Connection
) -> None:
    stored = column(thief, note)
    assert stored is not None
    assert SECRET.encode() not in stored
    with tenancy.tenant(organization):
        assert stored[:12] == bytes([0xFE, 1, 0, 1]) + keys.for_sealing(bat).key_id.to_bytes(8, "big")


def test_nothing_is_decrypted_before_it_is_touched(organization: uuid.UUID, note: Note) -> None:
    cache.forget_all()
    with tenancy.tenant(organization), CaptureQueriesContext(connection) as queries:
        found = list(Note.objects.all())
        assert len(queries) == 1
        assert type(vars(found[0])["body_encrypted"]) is bytes
        assert found[0].body == SECRET
        assert len(queries) == 3  # the data key, and the organization key above it
        assert isinstance(vars(found[0])["body_encrypted"], Sealed)
        assert (found[0].body, found[0].details) == (SECRET, {"days": [1, 2]})
        assert len(queries) == 3
    with tenancy.tenant(organization), CaptureQueriesContext(connection) as queries:
        assert Note.objects.get(pk=note.pk).body == SECRET
        assert len(queries) == 2  # the wrapped key is read again, and known


def test_a_subject_can_be_the_row_itself_or_the_organization(organization: uuid.UUID) -> None:
    person = with_key(organization)
    with tenancy.tenant(organization):
        Card.objects.create(pk=person, body="Saraa")
        assert Card.objects.get(pk=person).body == "Saraa"
        keys.shred(person)
        with pytest.raises(keys.KeyShredded):
            assert Card.objects.get(pk=person).body


def test_reading_outside_a_tenant_is_refused(organization: uuid.UUID, note: Note) -> None:
    with tenancy.tenant(organization):
        found = Note.objects.get(pk=note.pk)
    with pytest.raises(tenancy.NoTenantActive):
        assert found.body


def test_reading_inside_another_tenant_is_refused(
    organization: uuid.UUID, another: uuid.UUID, note: Note
) -> None:
    with tenancy.tenant(organization):
        found = Note.objects.get(pk=note.pk)
    with tenancy.tenant(another), pytest.raises(keys.KeyUnknown):
        assert found.body


def test_writing_another_organization_s_row_is_refused(organization: uuid.UUID, another: uuid.UUID) -> None:
    theirs = with_key(another)
    with tenancy.tenant(another), pytest.raises(tenancy.AnotherTenantActive):
        Note(organization_id=organization, end_user_id=theirs, body=SECRET).save()


def test_a_purpose_the_model_does_not_declare_opens_nothing(organization: uuid.UUID, note: Note) -> None:
    with tenancy.tenant(organization, "legal.requirement"):
        assert Note.objects.get(pk=note.pk).body == SECRET
    with tenancy.tenant(organization, "billing.invoice"):
        found = Note.objects.get(pk=note.pk)
        for _ in range(2):
            with pytest.raises(keys.PurposeNotDeclared):
                assert found.body


# What comes out by accident


def exits(held: Any) -> list[Any]:
    return [
        lambda: json.dumps(held),
        lambda: pickle.dumps(held),
        lambda: bytes(held),
        lambda: list(held),
        lambda: "".join(held),
        lambda: int(held),
        lambda: held + "",
    ]


@pytest.mark.parametrize("state", ["assigned", "opened"])
def test_a_value_in_an_instance_shows_itself_to_nobody(
    organization: uuid.UUID, note: Note, state: str, caplog: pytest.LogCaptureFixture
) -> None:
    with tenancy.tenant(organization):
        if state == "opened":
            note = Note.objects.get(pk=note.pk)
            assert note.body == SECRET
        held = vars(note)["body_encrypted"]
        logging.getLogger("tests").warning("%s %r %s %s", note, vars(note), held, f"{held:>50}")
        shown = [
            caplog.text,
            repr(note),
            str(note),
            repr(vars(note)),
            repr(held),
            str(held),
            f"{held}",
            f"{held!r}",
        ]
        shown.append(
            Engine().from_string("{{ note }} {{ note.body_encrypted }}").render(Context({"note": note}))
        )
        assert not [text for text in shown if SECRET in text]
        assert str(held) == "[sealed]"
        for leave in exits(held):
            with pytest.raises(TypeError):
                leave()


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pickling a model asks for its app."""
    config = AppConfig("tests.crypto", notes)
    config.label, config.apps = "crypto_tests", apps
    monkeypatch.setitem(apps.app_configs, config.label, config)
    config.import_models()


@pytest.mark.usefixtures("installed")
def test_an_instance_is_pickled_only_while_it_is_sealed(organization: uuid.UUID, note: Note) -> None:
    with tenancy.tenant(organization):
        found = Note.objects.get(pk=note.pk)
        thawed = pickle.loads(pickle.dumps(found))
        assert thawed.body == found.body == SECRET
        for exposed in (found, note):
            with pytest.raises(TypeError, match="not pickled"):
                pickle.dumps(exposed)


@pytest.mark.usefixtures("installed")
def test_an_instance_can_be_copied_in_memory(organization: uuid.UUID, note: Note) -> None:
    with tenancy.tenant(organization):
        for instance in (note, Note.objects.get(pk=note.pk)):
            assert copy.copy(instance).body == copy.deepcopy(instance).body == SECRET


def test_neither_fixtures_nor_forms_nor_dictionaries_carry_it_out(
    organization: uuid.UUID, note: Note
) -> None:
    with tenancy.tenant(organization):
        assert note.body == SECRET
        with pytest.raises(SealedFieldUsed):
            serializers.serialize("json", [note])
        assert "body" not in modelform_factory(Note, fields="__all__").base_fields
        assert SECRET not in repr(model_to_dict(note))


# What the database cannot be asked


@pytest.mark.parametrize(
    "ask",
    [
        lambda: Note.objects.filter(body=SECRET),
        lambda: Note.objects.filter(body=None),
        lambda: Note.objects.filter(body_encrypted=SECRET),
        lambda: Note.objects.exclude(body=SECRET),
        lambda: Note.objects.filter(body__in=[SECRET]),
        lambda: Note.objects.filter(body__icontains="Бат"),
        lambda: Note.objects.filter(body__gt=""),
        lambda: Note.objects.filter(body__length__gt=3),
        lambda: Note.objects.filter(details__days=[1]),
        lambda: Note.objects.filter(shelf=models.F("body")).filter(body__regex="."),
        lambda: Note.objects.get_or_create(body=SECRET),
        lambda: Note.objects.order_by("body"),
        lambda: Note.objects.order_by("-body_encrypted"),
        lambda: Note.objects.distinct("body"),
        lambda: Note.objects.values("body"),
        lambda: Note.objects.values(),
        lambda: Note.objects.values_list("shelf", "details"),
        lambda: Note.objects.values_list("body_encrypted", flat=True),
        lambda: Note.objects.annotate(copy=models.F("body")),
        lambda: Note.objects.aggregate(models.Max("body")),
    ],
)
def test_the_database_is_asked_nothing_it_cannot_know(organization: uuid.UUID, note: Note, ask: Any) -> None:
    with tenancy.tenant(organization), pytest.raises(SealedFieldUsed):
        ask()


# Writing in every way Django knows


@pytest.mark.parametrize("value", [SECRET, b"bytes", {"a": 1}, 7])
def test_an_update_that_knows_no_row_is_refused(organization: uuid.UUID, note: Note, value: Any) -> None:
    for name in ("body", "body_encrypted", "details"):
        with pytest.raises((PlaintextWithoutRow, SealBroken)), tenancy.tenant(organization):
            Note.objects.filter(pk=note.pk).update(**{name: value})
    with tenancy.tenant(organization):
        assert Note.objects.get(pk=note.pk).body == SECRET
        Note.objects.update(body=None, shelf="emptied")
        assert Note.objects.get(pk=note.pk).body is None


@pytest.mark.parametrize("value", [7, b"bytes", ["x"]])
def test_a_text_field_takes_text_only(organization: uuid.UUID, bat: uuid.UUID, value: Any) -> None:
    with tenancy.tenant(organization), pytest.raises(TypeError, match="takes a str"):
        Note.objects.create(end_user_id=bat, body=value)


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, object()])
def test_a_json_field_takes_json_only(organization: uuid.UUID, bat: uuid.UUID, value: Any) -> None:
    with tenancy.tenant(organization), pytest.raises((TypeError, ValueError)):
        Note.objects.create(end_user_id=bat, details=value)


@pytest.mark.parametrize("planted", [SECRET, SECRET.encode(), b""])
def test_plaintext_planted_into_the_instance_s_column_is_not_written(
    organization: uuid.UUID, note: Note, planted: Any
) -> None:
    note.body_encrypted = planted
    with pytest.raises((PlaintextWithoutRow, SealBroken)), tenancy.tenant(organization):
        note.save()


def test_saving_writes_back_what_was_not_touched(
    organization: uuid.UUID, note: Note, thief: psycopg.Connection
) -> None:
    before = column(thief, note)
    with tenancy.tenant(organization):
        found = Note.objects.get(pk=note.pk)
        found.shelf = "top"
        found.save()
        again = Note.objects.get(pk=note.pk)
        assert again.body == SECRET
        again.save()
    assert column(thief, note) == before


def test_every_assignment_is_sealed_anew(
    organization: uuid.UUID, note: Note, thief: psycopg.Connection
) -> None:
    before = column(thief, note)
    with tenancy.tenant(organization):
        note.body = SECRET
        note.save(update_fields=["body"])
        assert Note.objects.get(pk=note.pk).body == SECRET
    after = column(thief, note)
    assert before != after


def test_json_altered_in_place_is_saved(organization: uuid.UUID, note: Note) -> None:
    with tenancy.tenant(organization):
        found = Note.objects.get(pk=note.pk)
        found.details["days"].append(3)
        found.save()
        assert Note.objects.get(pk=note.pk).details == {"days": [1, 2, 3]}


def test_deferred_fields_are_loaded_when_they_are_touched(organization: uuid.UUID, note: Note) -> None:
    with tenancy.tenant(organization):
        for found in (Note.objects.only("shelf").get(), Note.objects.defer("body", "end_user_id").get()):
            assert "body_encrypted" not in vars(found)
            assert found.body == SECRET
        partly = Note.objects.only("body", "title").get()
        assert (partly.body, partly.title, partly.details) == (SECRET, None, {"days": [1, 2]})


def test_saving_with_deferred_fields_leaves_them_alone(
    organization: uuid.UUID, note: Note, thief: psycopg.Connection
) -> None:
    before = column(thief, note)
    with tenancy.tenant(organization):
        found = Note.objects.only("shelf").get()
        found.shelf = "top"
        found.save()
    assert column(thief, note) == before


def test_refreshing_forgets_what_was_opened_or_assigned(organization: uuid.UUID, note: Note) -> None:
    with tenancy.tenant(organization):
        first, second = Note.objects.get(pk=note.pk), Note.objects.get(pk=note.pk)
        assert first.body == SECRET
        second.body = "changed"
        second.save()
        first.refresh_from_db()
        assert type(vars(first)["body_encrypted"]) is bytes
        assert first.body == "changed"
        first.body = "unsaved"
        first.refresh_from_db(fields=["body"])
        assert first.body == "changed"


def test_bulk_create_and_bulk_update_bind_each_row_to_itself(organization: uuid.UUID, bat: uuid.UUID) -> None:
    saraa = with_key(organization)
    with tenancy.tenant(organization):
        made = [Note(end_user_id=(bat, saraa)[n % 2], body=f"note {n}", shelf=f"{n}") for n in range(20)]
        Note.objects.bulk_create(made)
        found = {note.shelf: note for note in Note.objects.all()}
        assert all(found[note.shelf].body == note.body for note in made)
        for note in found.values():
            note.body += " changed"
        found["7"].body = None
        untouched = Note.objects.get(shelf="8")
        found["8"] = untouched
        Note.objects.bulk_update(found.values(), ["body", "shelf"])
        again = {note.shelf: note.body for note in Note.objects.all()}
    expected = {f"{n}": f"note {n} changed" for n in range(20)} | {"7": None, "8": "note 8"}
    assert again == expected


def test_get_or_create_and_update_or_create_work_on_other_columns(
    organization: uuid.UUID, bat: uuid.UUID
) -> None:
    with tenancy.tenant(organization):
        for text in ("first", "second"):
            Note.objects.update_or_create(shelf="top", defaults={"body": text, "end_user_id": bat})
        assert Note.objects.get(shelf="top").body == "second"
        note, made = Note.objects.get_or_create(shelf="top", defaults={"body": "third", "end_user_id": bat})
        assert (made, note.body) == (False, "second")


def test_a_copy_of_a_row_is_sealed_for_itself_or_refused(organization: uuid.UUID, note: Note) -> None:
    with pytest.raises(SealedElsewhere), tenancy.tenant(organization):
        unread = Note.objects.get(pk=note.pk)
        unread.pk, unread._state.adding = tenancy.new_id(), True
        unread.save()
    with tenancy.tenant(organization):
        read = Note.objects.only("body", "end_user_id").get(pk=note.pk)
        assert read.body == SECRET
        copied = Note(end_user_id=read.end_user_id, body=read.body)
        copied.save()
        assert Note.objects.get(pk=copied.pk).body == Note.objects.get(pk=note.pk).body == SECRET


def test_an_opened_row_inserted_anew_is_sealed_for_its_new_place(organization: uuid.UUID, note: Note) -> None:
    with tenancy.tenant(organization):
        read = Note.objects.get(pk=note.pk)
        assert (read.body, read.details, read.motto) == (SECRET, {"days": [1, 2]}, "ours")
        read.pk, read._state.adding = tenancy.new_id(), True
        read.save()
        assert Note.objects.get(pk=read.pk).body == SECRET


def test_a_row_given_to_another_subject_is_read_then_assigned(organization: uuid.UUID, note: Note) -> None:
    saraa = with_key(organization)
    with tenancy.tenant(organization):
        found = Note.objects.get(pk=note.pk)
        found.body, found.details, found.end_user_id = found.body, found.details, saraa
        found.save()
        keys.shred(note.end_user_id)
        assert Note.objects.get(pk=note.pk).body == SECRET


def test_a_value_assigned_in_a_transaction_that_failed_is_sealed_under_a_living_key(
    organization: uuid.UUID,
) -> None:
    """The key of the first attempt was rolled back with it."""
    person, note = tenancy.new_id(), None
    for attempt in (1, 2):
        try:
            with tenancy.tenant(organization):
                keys.create(person)
                note = note or Note(end_user_id=person, body=SECRET)
                note._state.adding = True
                note.save()
                if attempt == 1:
                    raise ConnectionError
        except ConnectionError:
            continue
    with tenancy.tenant(organization):
        assert note is not None
        assert Note.objects.get(pk=note.pk).body == SECRET


def test_full_clean_passes_and_says_nothing(organization: uuid.UUID, note: Note) -> None:
    with tenancy.tenant(organization):
        found = Note.objects.get(pk=note.pk)
        found.full_clean(exclude=["shelf", "title"])
        assert found.body == SECRET
        found.full_clean(exclude=["shelf", "title"])


def test_a_missing_subject_is_loud(organization: uuid.UUID) -> None:
    for subject in (None, "0190f1f4-0000-7000-8000-000000000000"):
        with pytest.raises(TypeError, match="UUID"), tenancy.tenant(organization):
            Note(end_user_id=subject, body=SECRET).save()


# The field itself


def test_the_column_is_bytea_and_named_after_what_it_holds() -> None:
    field = Note._meta.get_field("body")
    assert (field.column, field.db_type(connection)) == ("body_encrypted", "bytea")
    assert isinstance(field, EncryptedTextField)
    assert field.sealed is True


def test_a_migration_holds_the_subject_and_no_secret() -> None:
    field = EncryptedTextField(subject="end_user_id", null=True)
    field.set_attributes_from_name("body")
    assert field.deconstruct() == (
        "body",
        "iva.crypto.fields.EncryptedTextField",
        [],
        {"null": True, "subject": "end_user_id"},
    )
    written, _ = MigrationWriter.serialize(field)
    assert written == "iva.crypto.fields.EncryptedTextField(null=True, subject='end_user_id')"


def faults(**options: Any) -> list[str]:
    """What the system checks say of a field with these options."""
    meta = options.pop("meta", {})
    subject = options.pop("subject", "end_user_id")

    class Faulty(models.Model):
        id = models.UUIDField(primary_key=True, default=uuid.uuid4)
        organization_id = models.UUIDField()
        end_user_id = models.UUIDField()
        number = models.IntegerField()
        body = EncryptedTextField(subject=subject, **options)
        Meta = type("Meta", (), {"app_label": "crypto_tests_faulty", **meta})

    try:
        return [str(message.msg) for message in Faulty._meta.get_field("body").check()]
    finally:
        del Faulty._meta.apps.all_models["crypto_tests_faulty"]


@pytest.mark.parametrize(
    "options, said",
    [
        ({"unique": True}, "cannot be unique"),
        ({"db_index": True}, "cannot be indexed"),
        ({"db_column": "body"}, "another name"),
        ({"default": "x"}, "cannot have a default"),
        ({"subject": "number"}, "bound to number"),
        ({"subject": "nobody"}, "bound to nobody"),
        ({"meta": {"ordering": ["-body"]}}, "part of an index"),
        ({"meta": {"unique_together": [("number", "body")]}}, "part of an index"),
        ({"meta": {"indexes": [models.Index(fields=["body"], name="i")]}}, "part of an index"),
        ({"meta": {"get_latest_by": "body"}}, "part of an index"),
        (
            {
                "meta": {
                    "constraints": [models.UniqueConstraint(fields=["number", "body_encrypted"], name="c")]
                }
            },
            "part of an index",
        ),
    ],
)
def test_a_field_that_the_database_would_have_to_compare_fails_the_check(
    options: dict[str, Any], said: str
) -> None:
    assert any(said in fault for fault in faults(**options))


def test_a_sound_field_passes_the_check() -> None:
    assert faults() == faults(subject=ORGANIZATION, null=True) == []


def test_planted_plaintext_in_the_column_is_refused_when_read(
    organization: uuid.UUID, note: Note, thief: psycopg.Connection
) -> None:
    for planted in (SECRET.encode(), b"", b"\xfe", b"\xfe\x01\x00\x01" + bytes(36), bytes(60)):
        thief.execute("UPDATE crypto_tests_note SET body_encrypted = %s", [planted])
        with tenancy.tenant(organization):
            with pytest.raises((SealBroken, keys.KeyUnknown)):
                assert Note.objects.get(pk=note.pk).body
            assert Note.objects.get(pk=note.pk).motto == "ours"


def test_a_ring_ends_with_its_transaction(organization: uuid.UUID) -> None:
    with tenancy.tenant(organization):
        first = ring.current()
        assert ring.current() is first
        with tenancy.tenant(organization):
            assert ring.current() is first
    with tenancy.tenant(organization):
        assert ring.current() is not first
