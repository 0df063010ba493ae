"""Second factors of a person: rows of the household."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from iva import tenancy
from iva.crypto.fields import EncryptedTextField
from iva.personal_data import Category, PersonalData, Protection, Purpose, Retention, Subject


class Authenticator(tenancy.TenantModel):
    """An app that shows a new code every thirty seconds (RFC 6238).

    It counts only once a code of it has been given, in the sign-in it was `begun_in`. `last_step` is the
    newest time step that was accepted: no code of that step, or of one before it, opens anything again.
    """

    personal_data: ClassVar = PersonalData(
        subject=Subject.MEMBER,
        category=Category.CREDENTIAL,
        purpose=Purpose.ACCOUNT_AUTHENTICATE,
        retention=Retention.CONTRACT_PLUS_30_DAYS,
        subject_field="person_id",
        fields={"secret": Protection.ENCRYPTED},
    )

    person_id = models.UUIDField(editable=False)
    secret = EncryptedTextField(subject="person_id")
    begun_in = models.UUIDField(null=True, editable=False)
    enrolled_at = models.DateTimeField(default=timezone.now, editable=False)
    confirmed_at = models.DateTimeField(null=True, editable=False)
    last_step = models.BigIntegerField(default=0, editable=False)

    class Meta(tenancy.TenantModel.Meta):
        indexes: ClassVar = [
            models.Index(fields=["organization_id", "person_id"], name="authenticator_person")
        ]


class RecoveryCode(tenancy.TenantModel):
    """Opens once, when every other factor is lost. Only the SHA-256 of its 120 random bits is kept."""

    personal_data: ClassVar = PersonalData(
        subject=Subject.MEMBER,
        category=Category.CREDENTIAL,
        purpose=Purpose.ACCOUNT_AUTHENTICATE,
        retention=Retention.CONTRACT_PLUS_30_DAYS,
        subject_field="person_id",
        fields={"code_hash": Protection.HASHED},
    )

    person_id = models.UUIDField(editable=False)
    code_hash = models.BinaryField(max_length=32, editable=False)
    made_at = models.DateTimeField(default=timezone.now, editable=False)
    used_at = models.DateTimeField(null=True, editable=False)

    class Meta(tenancy.TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization_id", "person_id", "code_hash"], name="recovery_code_once"
            )
        ]
