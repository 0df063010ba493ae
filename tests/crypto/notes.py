"""Two tables with encrypted fields, made for these tests and known to no app."""

from typing import ClassVar

from django.apps import apps
from django.db import connection, models

from iva import tenancy
from iva.crypto.fields import ORGANIZATION, EncryptedJSONField, EncryptedTextField
from iva.crypto.registry import Registry, Table
from iva.personal_data import Category, PersonalData, Purpose, Retention, Subject
from iva.tenancy.rls import TenantTable

DECLARATION = PersonalData(
    subject=Subject.END_USER,
    category=Category.CORRESPONDENCE,
    purpose=Purpose.SERVICE_OPERATE,
    retention=Retention.WITH_END_USER,
    further_purposes=(Purpose.LEGAL_REQUIREMENT,),
)


class Note(tenancy.TenantModel):
    """Something written by an End User."""

    personal_data: ClassVar = DECLARATION

    end_user_id = models.UUIDField()
    shelf = models.CharField(max_length=20, default="")
    body = EncryptedTextField(subject="end_user_id", null=True)
    title = EncryptedTextField(subject="end_user_id", null=True)
    details = EncryptedJSONField(subject="end_user_id", null=True)
    motto = EncryptedTextField(subject=ORGANIZATION, null=True)

    class Meta(tenancy.TenantModel.Meta):
        app_label = "crypto_tests"


class Card(tenancy.TenantModel):
    """A person with a key of their own: the subject is the row itself."""

    personal_data: ClassVar = DECLARATION

    body = EncryptedTextField(subject="id")

    class Meta(tenancy.TenantModel.Meta):
        app_label = "crypto_tests"


REGISTRY = Registry(
    tables={
        "crypto_tests.Note": Table(900_001, {"body": 1, "title": 2, "details": 3, "motto": 4}),
        "crypto_tests.Card": Table(900_002, {"body": 1}),
    },
    retired_tables=[],
)
TABLES = [model._meta.db_table for model in (Note, Card)]


def statements() -> list[str]:
    """What a migration of these models would execute."""
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        for model in (Note, Card):
            editor.create_model(model)
    made = [statement for statement in editor.collected_sql if not statement.startswith("--")]
    return [*made, *TenantTable("Note").statements(Note, apps), *TenantTable("Card").statements(Card, apps)]
