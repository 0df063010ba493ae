"""Passkeys of a person: rows of the household."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from iva import tenancy
from iva.crypto.fields import EncryptedTextField
from iva.personal_data import Category, PersonalData, Protection, Purpose, Retention, Subject


class Passkey(tenancy.TenantModel):
    """A credential of WebAuthn, whose private half never leaves the person's device.

    `credential` and `public_key` are sealed, in base64url, so that nobody who writes into the table can plant
    one; it is found by the SHA-256 of the credential's id. `last_challenge` is the SHA-256 of the challenge
    it last answered: no answer opens twice, also where a device does not count (`sign_count` stays 0).
    """

    personal_data: ClassVar = PersonalData(
        subject=Subject.MEMBER,
        category=Category.CREDENTIAL,
        purpose=Purpose.ACCOUNT_AUTHENTICATE,
        retention=Retention.CONTRACT_PLUS_30_DAYS,
        subject_field="person_id",
        fields={
            "credential": Protection.ENCRYPTED,
            "public_key": Protection.ENCRYPTED,
            "name": Protection.ENCRYPTED,
            "credential_hash": Protection.HASHED,
        },
        disclosed=("name",),
    )

    person_id = models.UUIDField(editable=False)
    credential_hash = models.BinaryField(max_length=32, editable=False)
    credential = EncryptedTextField(subject="person_id")
    public_key = EncryptedTextField(subject="person_id")
    name = EncryptedTextField(subject="person_id")
    transports = models.CharField(max_length=100, blank=True, editable=False)
    sign_count = models.BigIntegerField(default=0, editable=False)
    last_challenge = models.BinaryField(max_length=32, null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)

    class Meta(tenancy.TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization_id", "credential_hash"], name="passkey_once")
        ]
        indexes: ClassVar = [models.Index(fields=["organization_id", "person_id"], name="passkey_person")]
