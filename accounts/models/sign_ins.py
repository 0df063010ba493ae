"""Who is signed in, from where: rows of the household."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from iva import tenancy
from iva.crypto.fields import EncryptedTextField
from iva.personal_data import Category, PersonalData, Protection, Purpose, Retention, Subject


class SignIn(tenancy.TenantModel):
    """A sign-in that lasts until it is ended, idle too long, or simply old (ASVS 7.3).

    `device` is a kind of browser and system, `ip_address` a network and no host: what a person needs to
    recognize themselves, no more (P19). `proved_at` is when they last gave a second factor, `password_at`
    when the password, where that opened the sign-in or was asked for again; `device_bidx` tells whether they
    have come from this device and network before.
    """

    personal_data: ClassVar = PersonalData(
        subject=Subject.MEMBER,
        category=Category.USAGE,
        purpose=Purpose.ACCOUNT_AUTHENTICATE,
        further_purposes=(Purpose.ACCOUNT_MANAGE,),
        retention=Retention.DAYS_180,
        subject_field="person_id",
        fields={
            "device": Protection.ENCRYPTED,
            "ip_address": Protection.ENCRYPTED,
            "device_bidx": Protection.BLIND_INDEX,
        },
    )

    person_id = models.UUIDField(editable=False)
    device = EncryptedTextField(subject="person_id")
    ip_address = EncryptedTextField(subject="person_id")
    device_bidx = models.BinaryField(max_length=16, null=True, editable=False)
    began_at = models.DateTimeField(default=timezone.now, editable=False)
    last_seen_at = models.DateTimeField(default=timezone.now, editable=False)
    proved_at = models.DateTimeField(null=True, editable=False)
    password_at = models.DateTimeField(null=True, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)

    class Meta(tenancy.TenantModel.Meta):
        indexes: ClassVar = [
            models.Index(fields=["organization_id", "person_id"], name="sign_in_person"),
            models.Index(fields=["organization_id", "began_at"], name="sign_in_by_time"),
        ]
