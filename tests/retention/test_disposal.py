"""The walk over the inventory reaches everything of an End User, and nothing of anybody else."""

import uuid
from collections.abc import Callable, Iterable

import psycopg
import pytest
from django.apps import apps
from django.db import models
from django.test.utils import isolate_apps

from iva import personal_data, tenancy
from iva.audit.actors import SYSTEM
from iva.personal_data import (
    Category,
    Erasure,
    PersonalData,
    Purpose,
    Retention,
    Subject,
    about_end_users,
)
from privacy import erasure
from privacy.grounds import Ground
from privacy.models import EndUser, ErasureRecord
from retention import disposal
from tests.cast import Party

# Rows that name an erased person by id and say nothing about them: proof, tombstone, trail.
MAY_NAME_THE_ERASED = {"privacy_erasurerecord", "iva_crypto_shreddedkey", "iva_audit_auditevent"}
OURS = [model for model in apps.get_models() if personal_data.ours(model)]


def unreached(all_models: Iterable[type[models.Model]]) -> list[str]:
    """Models with End Users' data that an erasure would pass by, and declarations it could not follow."""
    known = list(all_models)
    declared = {model: vars(model).get("personal_data") for model in known}
    doomed = {model for model, said in declared.items() if said and said.erasure is Erasure.DELETE}
    faults = []
    for model, said in declared.items():
        concerns = said is not None and said.subject is Subject.END_USER
        if concerns and said.erasure is Erasure.NOT_CONCERNED:
            faults.append(f"{model.__name__} holds End Users' data and is passed by")
        if said is None and any(field.related_model in doomed for field in model._meta.local_fields):
            faults.append(f"{model.__name__} hangs from End Users' data and declares nothing")
        if model in doomed and not _leads(model, said, doomed):
            faults.append(f"{model.__name__} does not say whose its rows are")
    return faults


def _leads(model: type[models.Model], said: PersonalData, doomed: set[type[models.Model]]) -> bool:
    columns = {name for field in model._meta.local_fields for name in (field.name, field.attname)}
    if said.reached_through:
        links = {field.name: field.related_model for field in model._meta.local_fields}
        return links.get(said.reached_through) in doomed
    return said.subject_field in columns


def said(**changes: object) -> PersonalData:
    usual = {
        "subject": Subject.END_USER,
        "category": Category.CORRESPONDENCE,
        "purpose": Purpose.SERVICE_OPERATE,
        "retention": Retention.WITH_END_USER,
    }
    return PersonalData(**usual | changes)  # type: ignore[arg-type]


def test_every_model_with_end_users_data_is_reached() -> None:
    assert unreached(OURS) == []
    assert {entry.model.__name__ for entry in about_end_users()} >= {"EndUser", "EndUserIdentity", "Message"}


def test_a_new_model_that_an_erasure_would_pass_by_is_named() -> None:
    with isolate_apps("conversations"):

        class Attachment(tenancy.TenantModel):
            personal_data = said()
            end_user_id = models.UUIDField()

            class Meta(tenancy.TenantModel.Meta):
                app_label = "conversations"

    assert unreached([*OURS, Attachment]) == ["Attachment holds End Users' data and is passed by"]


def test_a_new_model_that_hangs_from_an_end_user_is_named() -> None:
    with isolate_apps("conversations"):

        class Rating(tenancy.TenantModel):
            personal_data = None
            end_user = models.ForeignKey(
                EndUser, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
            )

            class Meta(tenancy.TenantModel.Meta):
                app_label = "conversations"

    assert unreached([*OURS, Rating]) == ["Rating hangs from End Users' data and declares nothing"]


@pytest.mark.parametrize(
    "declaration",
    [
        said(erasure=Erasure.DELETE),
        said(erasure=Erasure.DELETE, subject_field="writer_id"),
        said(erasure=Erasure.DELETE, reached_through="nothing"),
        said(erasure=Erasure.DELETE, reached_through="channel"),
    ],
)
def test_a_declaration_that_leads_nowhere_is_named(declaration: PersonalData) -> None:
    with isolate_apps("conversations"):

        class Attachment(tenancy.TenantModel):
            personal_data = declaration
            end_user_id = models.UUIDField()
            channel = models.ForeignKey(
                "channels_cfg.Channel", on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
            )

            class Meta(tenancy.TenantModel.Meta):
                app_label = "conversations"

    assert unreached([*OURS, Attachment]) == ["Attachment does not say whose its rows are"]


@pytest.fixture
def bat(acme: Party, work_is_done: Callable[[], object]) -> uuid.UUID:
    """An End User with four handles, two conversations and seven messages."""
    person = {"name": "Бат", "phone": "99112233", "email": "bat@example.com", "messenger_id": "p-1"}
    first = acme.says("Сайн уу", **person, customer_number="A-1").body
    acme.call("PUT", f"conversations/{first['conversation_id']}/resolution/", {"resolution": "answered"})
    for number in range(2):
        acme.says(f"Асуулт {number}", phone="99112233")
    work_is_done()
    second = acme.says("Баярлалаа", phone="99112233").body["conversation_id"]
    acme.call("POST", f"conversations/{second}/messages/", {"text": "Зүгээр"})
    return uuid.UUID(first["end_user_id"])


WHOLE = {
    "conversations_message": 7,
    "conversations_conversation": 2,
    "privacy_enduseridentity": 4,
    "privacy_enduser": 1,
}


@pytest.fixture
def neighbours(acme: Party, globex: Party) -> Callable[[], list[object]]:
    """Saraa at Acme, and Bat's namesake with the same phone at Globex: what can be read of them."""
    near = acme.says("Би энд байна", name="Сараа", phone="99445566").body
    far = globex.says("Би энд байна", name="Бат", phone="99112233").body

    def read() -> list[object]:
        found = []
        for party, receipt in ((acme, near), (globex, far)):
            path = f"conversations/{receipt['conversation_id']}"
            for address in (f"end-users/{receipt['end_user_id']}/", f"{path}/", f"{path}/messages/"):
                found.append(party.call("GET", address).body)
        return found

    return read


@pytest.mark.parametrize("most", [1, 2, 3, 5, 2_000])
def test_batch_by_batch_everything_goes_children_before_their_parents(
    acme: Party, bat: uuid.UUID, neighbours: Callable[[], list[object]], most: int
) -> None:
    before, gone = neighbours(), dict.fromkeys(WHOLE, 0)
    with acme.tenant():
        assert disposal.remaining(bat) == WHOLE
    while True:
        with acme.tenant():
            deleted = disposal.dispose_batch(bat, most)
            left = disposal.remaining(bat)
        assert sum(deleted.values()) <= most
        for table, rows in deleted.items():
            gone[table] += rows
        assert left == {table: rows - gone[table] for table, rows in WHOLE.items() if rows > gone[table]}
        if left.get("conversations_message"):
            assert "conversations_conversation" not in deleted or left["conversations_conversation"] == 2
        assert not ("privacy_enduser" in deleted and left)
        if not deleted:
            break
    assert gone == WHOLE
    assert neighbours() == before


def test_in_another_organization_there_is_nothing_of_them(
    acme: Party, globex: Party, bat: uuid.UUID, neighbours: Callable[[], list[object]]
) -> None:
    with globex.tenant():
        assert disposal.remaining(bat) == {}
        assert disposal.dispose_batch(bat) == {}
    with acme.tenant():
        assert disposal.remaining(bat) == WHOLE


def test_a_disposal_that_fails_has_taken_nothing(acme: Party, bat: uuid.UUID) -> None:
    with pytest.raises(RuntimeError), acme.tenant():
        disposal.dispose_batch(bat)
        raise RuntimeError
    with acme.tenant():
        assert disposal.remaining(bat) == WHOLE


def test_after_an_erasure_only_proof_names_the_person(
    acme: Party, bat: uuid.UUID, superuser: psycopg.Connection
) -> None:
    """Looked for in every column of every table there is, so that a new table cannot be forgotten."""
    answer = acme.call("POST", f"end-users/{bat}/erasure/", {"ground": "subject_request"})
    assert answer.body["disposed_rows"] == WHOLE
    tables = superuser.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    naming = {
        table
        for (table,) in tables
        for (row,) in superuser.execute(f'SELECT t::text FROM "{table}" t'.encode()).fetchall()
        if str(bat) in row
    }
    assert naming == MAY_NAME_THE_ERASED


def test_the_second_look_finds_what_the_walk_has_passed_by(
    acme: Party, bat: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = about_end_users()
    walked = [entry for entry in everything if not entry.model._meta.label.startswith("privacy.")]
    with acme.tenant():
        monkeypatch.setattr(disposal, "about_end_users", lambda: walked)
        disposal.dispose_batch(bat)
        monkeypatch.setattr(disposal, "about_end_users", lambda: everything)
        assert disposal.remaining(bat) == {"privacy_enduseridentity": 4, "privacy_enduser": 1}


def test_an_erasure_is_not_concluded_while_rows_remain(
    acme: Party, bat: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    with acme.tenant():
        record = erasure.erase(bat, Ground.SUBJECT_REQUEST, actor=SYSTEM)
    with monkeypatch.context() as patched:
        patched.setattr(disposal, "dispose_batch", lambda subject_id: {})
        with pytest.raises(erasure.RowsRemain) as left:
            erasure.finish(acme.id, record.pk)
    assert str(left.value) == "conversations_conversation, conversations_message, privacy_enduser"
    with acme.tenant():
        assert ErasureRecord.objects.get().disposed_at is None
    assert erasure.finish(acme.id, record.pk)
