"""Wrapped keys. No row holds a key in clear, and no table here says anything about anybody."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from iva import tenancy
from iva.crypto import wrapping
from iva.personal_data import Category, Erasure, PersonalData, Protection, Purpose, Retention, Subject


class KeyPurpose(models.TextChoices):
    """What a data key is for. One for each End User, one of each other kind for the organization."""

    END_USER = "end_user", "End User"
    ORGANIZATION = "organization", "Organization"
    INDEX = "index", "Blind indexes"


class OrganizationKey(tenancy.TenantModel):
    """The key that wraps an organization's data keys, itself wrapped by the key service under an epoch.

    Usually one row; two while an epoch roll moves the data keys from one generation to the next.
    """

    personal_data: ClassVar = None

    generation = models.PositiveIntegerField()
    epoch = models.BigIntegerField()
    wrapped = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(tenancy.TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "generation"], name="organization_key_generation"
            )
        ]


class DataKey(tenancy.TenantModel):
    """A data key (DEK), wrapped under an organization key (`iva.crypto.wrapping`, 108 bytes).

    `id` is the key id in every envelope sealed under it. `subject_id` is the End User, or the organization
    itself. Deleting the row is what erasure means.
    """

    personal_data: ClassVar = PersonalData(
        subject=Subject.END_USER,
        category=Category.KEY_MATERIAL,
        purpose=Purpose.SERVICE_OPERATE,
        retention=Retention.WITH_END_USER,
        erasure=Erasure.SHRED,
        subject_field="subject_id",
        fields={"wrapped": Protection.WRAPPED},
    )

    id = models.BigIntegerField(  # type: ignore[assignment]
        primary_key=True, default=wrapping.new_key_id, editable=False
    )
    purpose = models.CharField(max_length=16, choices=KeyPurpose.choices)
    subject_id = models.UUIDField(editable=False)
    organization_key = models.ForeignKey(
        OrganizationKey, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False
    )
    wrapped = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(tenancy.TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "subject_id", "purpose"], name="data_key_of_subject"
            )
        ]
        indexes = [models.Index(fields=["organization_id", "organization_key", "id"], name="data_key_under")]


class ShreddedKey(tenancy.TenantModel):
    """What is left of a destroyed data key: ids and times, for certificates and for the next epoch roll.

    While `organization_key` is set, that key could still open the shredded key in an old backup: the next
    roll replaces it. `unrecoverable_at` is the moment from which no backup can open it any more.
    """

    personal_data: ClassVar = PersonalData(
        subject=Subject.END_USER,
        category=Category.KEY_MATERIAL,
        purpose=Purpose.SERVICE_OPERATE,
        retention=Retention.AUDIT_TRAIL,
        erasure=Erasure.KEEP_IDS,
        subject_field="subject_id",
    )

    id = models.BigIntegerField(primary_key=True, editable=False)  # type: ignore[assignment]
    subject_id = models.UUIDField(editable=False)
    organization_key = models.ForeignKey(
        OrganizationKey, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, null=True
    )
    shredded_at = models.DateTimeField(default=timezone.now)
    unrecoverable_at = models.DateTimeField(null=True)

    class Meta(tenancy.TenantModel.Meta):
        indexes = [
            models.Index(fields=["organization_id", "subject_id"], name="shredded_key_of_subject"),
            models.Index(
                fields=["organization_id", "organization_key"],
                condition=models.Q(unrecoverable_at__isnull=True),
                name="shredded_key_recoverable",
            ),
        ]
