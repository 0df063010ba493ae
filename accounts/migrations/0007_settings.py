"""Settings of an organization: allow-lists, acknowledged changes, the mailing of invitations, rotated keys."""

import django.utils.timezone
from django.db import migrations, models

import iva.crypto.fields
import iva.tenancy.ids
import iva.tenancy.models
from iva.tenancy.rls import TenantTable


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_joining")]

    operations = [
        migrations.CreateModel(
            name="AllowList",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=iva.tenancy.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "organization_id",
                    models.UUIDField(
                        db_default=iva.tenancy.models.ActiveOrganization(),
                        default=iva.tenancy.models.active_organization_id,
                        editable=False,
                    ),
                ),
                ("networks", iva.crypto.fields.EncryptedTextField(subject="organization_id")),
                ("changed_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        TenantTable("AllowList"),
        migrations.AddConstraint(
            "allowlist", models.UniqueConstraint(fields=["organization_id"], name="allow_list_once")
        ),
        migrations.CreateModel(
            name="Acknowledgement",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=iva.tenancy.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "organization_id",
                    models.UUIDField(
                        db_default=iva.tenancy.models.ActiveOrganization(),
                        default=iva.tenancy.models.active_organization_id,
                        editable=False,
                    ),
                ),
                ("user_id", models.UUIDField()),
                ("document_id", models.UUIDField()),
                ("acknowledged_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        TenantTable("Acknowledgement"),
        migrations.AddConstraint(
            "acknowledgement",
            models.UniqueConstraint(
                fields=["organization_id", "user_id", "document_id"], name="acknowledgement_once"
            ),
        ),
        migrations.AddField("apikey", "replaced_by_id", models.UUIDField(editable=False, null=True)),
        migrations.AddField(
            "invitation",
            "due_at",
            models.DateTimeField(editable=False, help_text="when to mail it; null: nothing to do", null=True),
        ),
        migrations.AddField("invitation", "attempts", models.IntegerField(default=0, editable=False)),
        migrations.AddField("invitation", "mailed_at", models.DateTimeField(editable=False, null=True)),
        migrations.AddField(
            "invitation",
            "failed_at",
            models.DateTimeField(editable=False, help_text="given up", null=True),
        ),
    ]
