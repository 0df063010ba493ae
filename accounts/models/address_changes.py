"""A login's e-mail address on its way to becoming another: rows of the household."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from iva import tenancy
from iva.crypto.fields import EncryptedTextField
from iva.personal_data import Category, PersonalData, Protection, Purpose, Retention, Subject


class AddressChange(tenancy.TenantModel):
    """Somebody wants to sign in with another address; nothing changes before the link there is followed.

    Each moment is entered once: `link_sent_at` and `warned_at` when the letters to the new and to the
    former address were handed over, `told_at` when the former one heard that it happened, `followed_at`
    when every organization's copy of the address had changed too. `former_email` goes with `told_at`; only
    the SHA-256 of the link's 256-bit secret is kept.
    """

    personal_data: ClassVar = PersonalData(
        subject=Subject.MEMBER,
        category=Category.IDENTITY,
        purpose=Purpose.ACCOUNT_MANAGE,
        retention=Retention.UNTIL_DONE,
        subject_field="person_id",
        fields={
            "email": Protection.ENCRYPTED,
            "former_email": Protection.ENCRYPTED,
            "secret_hash": Protection.HASHED,
        },
    )

    person_id = models.UUIDField(editable=False)
    email = EncryptedTextField(subject="person_id")
    former_email = EncryptedTextField(subject="person_id", null=True)
    secret_hash = models.BinaryField(max_length=32, null=True, editable=False)
    asked_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    link_sent_at = models.DateTimeField(null=True, editable=False)
    warned_at = models.DateTimeField(null=True, editable=False)
    refused_at = models.DateTimeField(null=True, editable=False)
    withdrawn_at = models.DateTimeField(null=True, editable=False)
    confirmed_at = models.DateTimeField(null=True, editable=False)
    told_at = models.DateTimeField(null=True, editable=False)
    followed_at = models.DateTimeField(null=True, editable=False)

    class Meta(tenancy.TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization_id", "person_id"],
                name="address_change_open_once",
                condition=models.Q(confirmed_at__isnull=True, withdrawn_at__isnull=True),
            )
        ]
