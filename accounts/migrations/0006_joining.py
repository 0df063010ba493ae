"""Letters with their links, passkeys, and what tells a new device from a known one."""

import django.utils.timezone
from django.db import migrations, models

import iva.crypto.fields
import iva.tenancy.ids
import iva.tenancy.models
from iva.tenancy.rls import TenantTable

OPTIONS = {"abstract": False, "base_manager_name": "objects", "default_manager_name": "objects"}
KINDS = [
    ("confirm_address", "Confirm Address"),
    ("already_known", "Already Known"),
    ("reset_password", "Reset Password"),
    ("password_changed", "Password Changed"),
    ("factor_added", "Factor Added"),
    ("factor_removed", "Factor Removed"),
    ("recovery_codes_made", "Recovery Codes Made"),
    ("new_device", "New Device"),
]


def own_id() -> models.Field:  # type: ignore[type-arg]
    return models.UUIDField(default=iva.tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)


def organization_id() -> models.Field:  # type: ignore[type-arg]
    return models.UUIDField(
        db_default=iva.tenancy.models.ActiveOrganization(),
        default=iva.tenancy.models.active_organization_id,
        editable=False,
    )


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_sign_ins")]

    operations = [
        migrations.AddField("signin", "device_bidx", models.BinaryField(max_length=16, null=True)),
        migrations.CreateModel(
            name="Letter",
            fields=[
                ("id", own_id()),
                ("organization_id", organization_id()),
                ("kind", models.CharField(choices=KINDS, max_length=32)),
                ("person_id", models.UUIDField(editable=False, null=True)),
                (
                    "about_id",
                    models.UUIDField(editable=False, help_text="the sign-in it speaks of", null=True),
                ),
                ("secret_hash", models.BinaryField(max_length=32, null=True)),
                ("expires_at", models.DateTimeField(editable=False, null=True)),
                ("used_at", models.DateTimeField(editable=False, null=True)),
                ("written_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("handed_over_at", models.DateTimeField(editable=False, null=True)),
                ("sent_at", models.DateTimeField(editable=False, null=True)),
                ("failed_at", models.DateTimeField(editable=False, null=True)),
                ("failure", models.CharField(blank=True, editable=False, max_length=32)),
            ],
            options=OPTIONS,
        ),
        TenantTable("Letter"),
        migrations.AddIndex(
            "letter", models.Index(fields=["organization_id", "person_id", "kind"], name="letter_person")
        ),
        migrations.CreateModel(
            name="Passkey",
            fields=[
                ("id", own_id()),
                ("organization_id", organization_id()),
                ("person_id", models.UUIDField(editable=False)),
                ("credential_hash", models.BinaryField(max_length=32)),
                ("credential", iva.crypto.fields.EncryptedTextField(subject="person_id")),
                ("public_key", iva.crypto.fields.EncryptedTextField(subject="person_id")),
                ("name", iva.crypto.fields.EncryptedTextField(subject="person_id")),
                ("transports", models.CharField(blank=True, editable=False, max_length=100)),
                ("sign_count", models.BigIntegerField(default=0, editable=False)),
                ("last_challenge", models.BinaryField(max_length=32, null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("last_used_at", models.DateTimeField(editable=False, null=True)),
            ],
            options=OPTIONS,
        ),
        TenantTable("Passkey"),
        migrations.AddConstraint(
            "passkey",
            models.UniqueConstraint(fields=("organization_id", "credential_hash"), name="passkey_once"),
        ),
        migrations.AddIndex(
            "passkey", models.Index(fields=["organization_id", "person_id"], name="passkey_person")
        ),
    ]
