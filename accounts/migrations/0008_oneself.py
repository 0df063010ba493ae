"""What belongs to oneself: theme, usage records, changes of one's address, choices about cookies."""

import django.utils.timezone
from django.db import migrations, models

import iva.crypto.fields
import iva.tenancy.ids
import iva.tenancy.models
from iva.tenancy.rls import TenantTable

OPTIONS = {"abstract": False, "base_manager_name": "objects", "default_manager_name": "objects"}
THEMES = [("auto", "auto"), ("light", "light"), ("dark", "dark")]


def own_id() -> models.Field:  # type: ignore[type-arg]
    return models.UUIDField(default=iva.tenancy.ids.new_id, editable=False, primary_key=True, serialize=False)


def organization_id() -> models.Field:  # type: ignore[type-arg]
    return models.UUIDField(
        db_default=iva.tenancy.models.ActiveOrganization(),
        default=iva.tenancy.models.active_organization_id,
        editable=False,
    )


def moment() -> models.Field:  # type: ignore[type-arg]
    return models.DateTimeField(default=django.utils.timezone.now, editable=False)


def later() -> models.Field:  # type: ignore[type-arg]
    return models.DateTimeField(editable=False, null=True)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_settings")]

    operations = [
        migrations.AddField(
            "person", "theme", models.CharField(choices=THEMES, default="auto", max_length=5)
        ),
        migrations.AddIndex(
            "signin", models.Index(fields=["organization_id", "began_at"], name="sign_in_by_time")
        ),
        migrations.CreateModel(
            name="UsageRecord",
            fields=[
                ("id", own_id()),
                ("organization_id", organization_id()),
                ("subject_id", models.UUIDField(editable=False)),
                ("route", models.CharField(max_length=64)),
                ("occurred_at", moment()),
                ("ip_address", iva.crypto.fields.EncryptedTextField(subject="subject_id")),
                ("browser", iva.crypto.fields.EncryptedTextField(subject="subject_id")),
                ("shortened_at", later()),
            ],
            options=OPTIONS,
        ),
        TenantTable("UsageRecord"),
        migrations.AddIndex(
            "usagerecord", models.Index(fields=["organization_id", "occurred_at", "id"], name="usage_by_time")
        ),
        migrations.AddIndex(
            "usagerecord",
            models.Index(fields=["organization_id", "subject_id", "occurred_at"], name="usage_of_somebody"),
        ),
        migrations.AddIndex(
            "usagerecord",
            models.Index(
                fields=["organization_id", "occurred_at"],
                name="usage_in_full",
                condition=models.Q(("shortened_at__isnull", True)),
            ),
        ),
        migrations.CreateModel(
            name="AddressChange",
            fields=[
                ("id", own_id()),
                ("organization_id", organization_id()),
                ("person_id", models.UUIDField(editable=False)),
                ("email", iva.crypto.fields.EncryptedTextField(subject="person_id")),
                ("former_email", iva.crypto.fields.EncryptedTextField(null=True, subject="person_id")),
                ("secret_hash", models.BinaryField(editable=False, max_length=32, null=True)),
                ("asked_at", moment()),
                ("expires_at", models.DateTimeField()),
                ("link_sent_at", later()),
                ("warned_at", later()),
                ("refused_at", later()),
                ("withdrawn_at", later()),
                ("confirmed_at", later()),
                ("told_at", later()),
                ("followed_at", later()),
            ],
            options=OPTIONS,
        ),
        TenantTable("AddressChange"),
        migrations.AddConstraint(
            "addresschange",
            models.UniqueConstraint(
                condition=models.Q(("confirmed_at__isnull", True), ("withdrawn_at__isnull", True)),
                fields=("organization_id", "person_id"),
                name="address_change_open_once",
            ),
        ),
        migrations.CreateModel(
            name="CookieChoice",
            fields=[
                ("id", own_id()),
                ("organization_id", organization_id()),
                ("visitor_id", models.UUIDField(editable=False)),
                (
                    "registry",
                    models.CharField(help_text="the version of the registry that was shown", max_length=12),
                ),
                (
                    "accepted",
                    models.JSONField(
                        default=list, help_text="categories of optional cookies, by their codes"
                    ),
                ),
                ("gpc", models.BooleanField(default=False)),
                ("chosen_at", moment()),
                ("revoked_at", later()),
            ],
            options=OPTIONS,
        ),
        TenantTable("CookieChoice"),
        migrations.AddIndex(
            "cookiechoice",
            models.Index(fields=["organization_id", "visitor_id", "chosen_at"], name="cookie_choice_visitor"),
        ),
        migrations.AddIndex(
            "cookiechoice",
            models.Index(fields=["organization_id", "chosen_at"], name="cookie_choice_by_time"),
        ),
    ]
