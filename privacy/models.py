"""The people who write to an organization, how they are found, and the proof that they were erased."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from iva import tenancy
from iva.crypto.fields import EncryptedTextField
from iva.personal_data import Category, Erasure, PersonalData, Protection, Purpose, Retention, Subject
from privacy.grounds import Ground
from privacy.handles import HandleKind


class EndUser(tenancy.TenantModel):
    """A person who writes to an organization. Their key is the only one that opens what is theirs."""

    personal_data: ClassVar = PersonalData(
        subject=Subject.END_USER,
        category=Category.IDENTITY,
        purpose=Purpose.SERVICE_OPERATE,
        retention=Retention.WITH_END_USER,
        erasure=Erasure.DELETE,
        subject_field="id",
        fields={"name": Protection.ENCRYPTED},
        further_purposes=(Purpose.LEGAL_REQUIREMENT,),
    )

    name = EncryptedTextField(subject="id", null=True)
    first_seen_at = models.DateTimeField(default=timezone.now, editable=False)
    erased_at = models.DateTimeField(null=True, editable=False)

    class Meta(tenancy.TenantModel.Meta):
        verbose_name = "End User"


class EndUserIdentity(tenancy.TenantModel):
    """A handle of an End User: encrypted to be read, as a blind index to be found (P23).

    Whoever can write to the database cannot point the handle at somebody else: `binding` says whose it is.
    """

    personal_data: ClassVar = PersonalData(
        subject=Subject.END_USER,
        category=Category.IDENTITY,
        purpose=Purpose.SERVICE_OPERATE,
        retention=Retention.WITH_END_USER,
        erasure=Erasure.DELETE,
        subject_field="end_user_id",
        fields={
            "handle": Protection.ENCRYPTED,
            "handle_bidx": Protection.BLIND_INDEX,
            "binding": Protection.BLIND_INDEX,
        },
        further_purposes=(Purpose.LEGAL_REQUIREMENT,),
    )

    end_user = models.ForeignKey(EndUser, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    kind = models.CharField(max_length=16, choices=HandleKind.choices)
    handle = EncryptedTextField(subject="end_user_id")
    handle_bidx = models.BinaryField(max_length=16, editable=False)
    binding = models.BinaryField(
        max_length=16, editable=False, help_text="a keyed hash that ties the blind index to this End User"
    )

    class Meta(tenancy.TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "kind", "handle_bidx"], name="identity_handle")
        ]
        indexes = [models.Index(fields=["organization_id", "end_user"], name="identity_end_user")]
        verbose_name_plural = "End User identities"


class ErasureRecord(tenancy.TenantModel):
    """What is left of an erased End User: ids, times and counts.

    Three times are told apart (DESIGN 4): `unreadable_at`, the key is gone and reads fail; `disposed_at`,
    the rows are gone; `sealed_at`, the epoch has been rolled, so that no older backup can open anything.
    """

    personal_data: ClassVar = PersonalData(
        subject=Subject.END_USER,
        category=Category.AUDIT,
        purpose=Purpose.LEGAL_REQUIREMENT,
        retention=Retention.AUDIT_TRAIL,
        erasure=Erasure.KEEP_IDS,
        subject_field="end_user_id",
    )

    end_user_id = models.UUIDField(editable=False)
    ground = models.CharField(max_length=32, choices=Ground.choices)
    requested_by = models.CharField(max_length=64, editable=False)
    unreadable_at = models.DateTimeField(editable=False)
    disposed_at = models.DateTimeField(null=True, editable=False)
    sealed_at = models.DateTimeField(null=True, editable=False)
    disposed_rows = models.JSONField(default=dict, editable=False)

    class Meta(tenancy.TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "end_user_id"], name="erasure_once")
        ]
