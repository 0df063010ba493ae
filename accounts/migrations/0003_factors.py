"""Second factors."""

import django.utils.timezone
from django.db import migrations, models

import iva.crypto.fields
import iva.tenancy.ids
import iva.tenancy.models
from iva.tenancy.rls import PlatformTable, TenantTable

OPTIONS = {"abstract": False, "base_manager_name": "objects", "default_manager_name": "objects"}


def own_id() -> models.Field:  # type: ignore[type-arg]
    return models.UUIDField(default=iva.tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)


def organization_id() -> models.Field:  # type: ignore[type-arg]
    return models.UUIDField(
        db_default=iva.tenancy.models.ActiveOrganization(),
        default=iva.tenancy.models.active_organization_id,
        editable=False,
    )


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_people")]

    operations = [
        migrations.AddField("organization", "demands_second_factor", models.BooleanField(default=False)),
        PlatformTable("accounts_organization", grants="UPDATE (demands_second_factor)"),
        migrations.CreateModel(
            name="Authenticator",
            fields=[
                ("id", own_id()),
                ("organization_id", organization_id()),
                ("person_id", models.UUIDField(editable=False)),
                ("secret", iva.crypto.fields.EncryptedTextField(subject="person_id")),
                ("enrolled_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("confirmed_at", models.DateTimeField(editable=False, null=True)),
                ("last_step", models.BigIntegerField(default=0, editable=False)),
            ],
            options=OPTIONS,
        ),
        TenantTable("Authenticator"),
        migrations.AddIndex(
            "authenticator",
            models.Index(fields=["organization_id", "person_id"], name="authenticator_person"),
        ),
        migrations.CreateModel(
            name="RecoveryCode",
            fields=[
                ("id", own_id()),
                ("organization_id", organization_id()),
                ("person_id", models.UUIDField(editable=False)),
                ("code_hash", models.BinaryField(max_length=32)),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("used_at", models.DateTimeField(editable=False, null=True)),
            ],
            options=OPTIONS,
        ),
        TenantTable("RecoveryCode"),
        migrations.AddConstraint(
            "recoverycode",
            models.UniqueConstraint(
                fields=("organization_id", "person_id", "code_hash"), name="recovery_code_once"
            ),
        ),
    ]
