import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import iva.crypto.wrapping
import iva.tenancy.ids
import iva.tenancy.models
from iva.tenancy.rls import TenantTable


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="OrganizationKey",
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
                ("generation", models.PositiveIntegerField()),
                ("epoch", models.BigIntegerField()),
                ("wrapped", models.BinaryField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization_id", "generation"), name="organization_key_generation"
                    )
                ],
            },
        ),
        TenantTable("OrganizationKey"),
        migrations.CreateModel(
            name="DataKey",
            fields=[
                (
                    "organization_id",
                    models.UUIDField(
                        db_default=iva.tenancy.models.ActiveOrganization(),
                        default=iva.tenancy.models.active_organization_id,
                        editable=False,
                    ),
                ),
                (
                    "id",
                    models.BigIntegerField(
                        default=iva.crypto.wrapping.new_key_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("end_user", "End User"),
                            ("organization", "Organization"),
                            ("index", "Blind indexes"),
                        ],
                        max_length=16,
                    ),
                ),
                ("subject_id", models.UUIDField(editable=False)),
                ("wrapped", models.BinaryField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "organization_key",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="iva_crypto.organizationkey",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "indexes": [
                    models.Index(fields=["organization_id", "organization_key", "id"], name="data_key_under")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization_id", "subject_id", "purpose"), name="data_key_of_subject"
                    )
                ],
            },
        ),
        TenantTable("DataKey"),
        migrations.CreateModel(
            name="ShreddedKey",
            fields=[
                (
                    "organization_id",
                    models.UUIDField(
                        db_default=iva.tenancy.models.ActiveOrganization(),
                        default=iva.tenancy.models.active_organization_id,
                        editable=False,
                    ),
                ),
                ("id", models.BigIntegerField(editable=False, primary_key=True, serialize=False)),
                ("subject_id", models.UUIDField(editable=False)),
                ("shredded_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("unrecoverable_at", models.DateTimeField(null=True)),
                (
                    "organization_key",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="iva_crypto.organizationkey",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "indexes": [
                    models.Index(fields=["organization_id", "subject_id"], name="shredded_key_of_subject"),
                    models.Index(
                        condition=models.Q(("unrecoverable_at__isnull", True)),
                        fields=["organization_id", "organization_key"],
                        name="shredded_key_recoverable",
                    ),
                ],
            },
        ),
        TenantTable("ShreddedKey", grants="SELECT, INSERT, UPDATE"),
    ]
