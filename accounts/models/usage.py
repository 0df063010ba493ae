"""Which pages members open, from where: what the privacy policy declares, and nothing else (P28)."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from iva import tenancy
from iva.crypto.fields import EncryptedTextField
from iva.personal_data import Category, PersonalData, Protection, Purpose, Retention, Subject


class UsageRecord(tenancy.TenantModel):
    """One page that somebody signed in opened: its name, when, their IP address and kind of browser.

    `subject_id` is a membership on an organization's pages and a person on their own, in the household; the
    row is sealed under that key. `route` is the name of a route, never an address. `shortened_at` is when
    the IP address became a network (`accounts.forgetting`).
    """

    personal_data: ClassVar = PersonalData(
        subject=Subject.MEMBER,
        category=Category.USAGE,
        purpose=Purpose.SECURITY_PLATFORM,
        further_purposes=(Purpose.ACCOUNT_MANAGE,),
        retention=Retention.DAYS_180,
        subject_field="subject_id",
        fields={"ip_address": Protection.ENCRYPTED, "browser": Protection.ENCRYPTED},
    )

    subject_id = models.UUIDField(editable=False)
    route = models.CharField(max_length=64)
    occurred_at = models.DateTimeField(default=timezone.now, editable=False)
    ip_address = EncryptedTextField(subject="subject_id")
    browser = EncryptedTextField(subject="subject_id")
    shortened_at = models.DateTimeField(null=True, editable=False)

    class Meta(tenancy.TenantModel.Meta):
        indexes: ClassVar = [
            models.Index(fields=["organization_id", "occurred_at", "id"], name="usage_by_time"),
            models.Index(fields=["organization_id", "subject_id", "occurred_at"], name="usage_of_somebody"),
            models.Index(
                fields=["organization_id", "occurred_at"],
                name="usage_in_full",
                condition=models.Q(shortened_at__isnull=True),
            ),
        ]
