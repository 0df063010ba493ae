"""Who is signed in, from where."""

import django.utils.timezone
from django.db import migrations, models

import iva.crypto.fields
import iva.tenancy.ids
import iva.tenancy.models
from iva.tenancy.rls import TenantTable


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_agreements")]

    operations = [
        migrations.CreateModel(
            name="SignIn",
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
                ("person_id", models.UUIDField(editable=False)),
                ("device", iva.crypto.fields.EncryptedTextField(subject="person_id")),
                ("ip_address", iva.crypto.fields.EncryptedTextField(subject="person_id")),
                ("began_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("last_seen_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("proved_at", models.DateTimeField(editable=False, null=True)),
                ("ended_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
            },
        ),
        TenantTable("SignIn"),
        migrations.AddIndex(
            "signin", models.Index(fields=["organization_id", "person_id"], name="sign_in_person")
        ),
    ]
