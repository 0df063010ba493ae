"""People, their memberships and invitations."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import iva.crypto.fields
import iva.tenancy.ids
import iva.tenancy.models
from iva.tenancy.rls import PlatformTable, TenantTable

ROLES = [
    "owner",
    "admin",
    "supervisor",
    "support_agent",
    "knowledge_editor",
    "privacy_officer",
    "billing",
    "auditor",
]
CHOICES = [(role, role) for role in ROLES]
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
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.AlterField(
            "user",
            "email",
            models.EmailField(help_text="operators only", max_length=254, null=True, unique=True),
        ),
        migrations.CreateModel(
            name="Person",
            fields=[
                ("id", own_id()),
                ("organization_id", organization_id()),
                ("email", iva.crypto.fields.EncryptedTextField(subject="id")),
                ("email_bidx", models.BinaryField(max_length=16)),
                ("locale", models.CharField(default="mn", max_length=2)),
                ("first_seen_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("verified_at", models.DateTimeField(null=True)),
            ],
            options=OPTIONS | {"verbose_name_plural": "people"},
        ),
        TenantTable("Person"),
        migrations.AddConstraint(
            "person", models.UniqueConstraint(fields=("organization_id", "email_bidx"), name="person_email")
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                ("id", own_id()),
                ("role", models.CharField(choices=CHOICES, max_length=32)),
                ("joined_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("ended_at", models.DateTimeField(editable=False, null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to="accounts.organization",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            "membership",
            models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)),
                fields=("organization", "user"),
                name="membership_once",
            ),
        ),
        PlatformTable("accounts_membership", grants="SELECT, INSERT, UPDATE (role, ended_at)"),
        migrations.CreateModel(
            name="Member",
            fields=[
                ("id", own_id()),
                ("organization_id", organization_id()),
                ("user_id", models.UUIDField(editable=False)),
                ("name", iva.crypto.fields.EncryptedTextField(subject="id")),
                ("position", iva.crypto.fields.EncryptedTextField(null=True, subject="id")),
                ("email", iva.crypto.fields.EncryptedTextField(subject="id")),
                ("phone", iva.crypto.fields.EncryptedTextField(null=True, subject="id")),
                ("is_responsible", models.BooleanField(default=False)),
                ("locale", models.CharField(default="mn", max_length=2)),
            ],
            options=OPTIONS,
        ),
        TenantTable("Member"),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", own_id()),
                ("organization_id", organization_id()),
                ("email", iva.crypto.fields.EncryptedTextField(subject="organization_id")),
                ("email_bidx", models.BinaryField(max_length=16)),
                ("role", models.CharField(choices=CHOICES, max_length=32)),
                ("secret_hash", models.BinaryField(max_length=32)),
                (
                    "invited_by",
                    models.UUIDField(editable=False, help_text="the membership of who invited"),
                ),
                ("invited_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("expires_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(editable=False, null=True)),
                ("revoked_at", models.DateTimeField(editable=False, null=True)),
            ],
            options=OPTIONS,
        ),
        TenantTable("Invitation", grants="SELECT, INSERT, UPDATE"),
        migrations.AddConstraint(
            "invitation",
            models.UniqueConstraint(
                condition=models.Q(("accepted_at__isnull", True), ("revoked_at__isnull", True)),
                fields=("organization_id", "email_bidx"),
                name="invitation_open_once",
            ),
        ),
    ]
