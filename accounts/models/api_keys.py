"""The keys integrators sign in with."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from accounts.scopes import Scope
from iva import tenancy
from iva.personal_data import Category, PersonalData, Protection, Purpose, Retention, Subject


class ApiKey(tenancy.TenantModel):
    """An integrator's credential. Only the SHA-256 of its 256-bit secret is kept.

    `seal` ties secret, scopes and times to the organization's index key: a row that was written or changed
    past us is no credential.
    """

    personal_data: ClassVar = PersonalData(
        subject=Subject.NONE,
        category=Category.CREDENTIAL,
        purpose=Purpose.ACCOUNT_AUTHENTICATE,
        retention=Retention.CONTRACT_PLUS_30_DAYS,
        fields={"secret_hash": Protection.HASHED, "seal": Protection.BLIND_INDEX},
    )

    name = models.CharField(max_length=100)
    secret_hash = models.BinaryField(max_length=32, editable=False)
    seal = models.BinaryField(max_length=16, editable=False)
    scopes = models.JSONField(default=list, help_text=", ".join(Scope))
    issued_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    replaced_by_id = models.UUIDField(null=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta(tenancy.TenantModel.Meta):
        verbose_name = "API key"
