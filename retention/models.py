"""What outranks disposal."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from iva import tenancy
from iva.personal_data import Category, Erasure, PersonalData, Purpose, Retention, Subject


class LegalHold(tenancy.TenantModel):
    """Stops the disposal of one End User's data, or of all of an organization's (P78, P85).

    `matter` is a reference number, never a story. Subjects are named by plain id, because a hold must
    not depend on the rows it protects.
    """

    personal_data: ClassVar = PersonalData(
        subject=Subject.END_USER,
        category=Category.METADATA,
        purpose=Purpose.LEGAL_REQUIREMENT,
        retention=Retention.AUDIT_TRAIL,
        erasure=Erasure.KEEP_IDS,
        subject_field="subject_id",
    )

    matter = models.CharField(max_length=64)
    subject_id = models.UUIDField(null=True, blank=True, help_text="an End User; empty: the organization")
    placed_at = models.DateTimeField(default=timezone.now, editable=False)
    placed_by = models.CharField(max_length=64, editable=False)
    released_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta(tenancy.TenantModel.Meta):
        indexes = [models.Index(fields=["organization_id", "subject_id"], name="hold_subject")]
