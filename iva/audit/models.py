"""One row per event and one head per organization."""

from typing import ClassVar

from django.db import models

from iva import tenancy
from iva.personal_data import Category, PersonalData, Purpose, Retention, Subject


class Somebody(models.Func):
    """The member or person an event is about, out of its ids; None where it is about nobody.

    A pattern and not JSON: it is computed with every event, and a column of its own is what an index under
    row-level security can use.
    """

    template = """substring(%(expressions)s from '"(?:member|person|user)":"([0-9a-f-]{36})"')::uuid"""
    output_field = models.UUIDField(null=True)


class AuditEvent(tenancy.TenantModel):
    """Something that happened. Plain ids, no foreign keys: the trail outlives what it speaks of.

    `sequence` counts from 1 without gaps within the organization; `digest` is SHA-256 over the previous
    digest and this event's canonical bytes (`iva.audit.chain`), 32 bytes.
    """

    personal_data: ClassVar = PersonalData(
        subject=Subject.NONE,
        category=Category.AUDIT,
        purpose=Purpose.LEGAL_REQUIREMENT,
        retention=Retention.AUDIT_TRAIL,
    )

    sequence = models.BigIntegerField()
    event = models.CharField(max_length=64)
    actor = models.CharField(max_length=64)
    ids = models.TextField(help_text="canonical JSON object of ids and counts, exactly as it was hashed")
    occurred_at = models.DateTimeField()
    digest = models.BinaryField()
    about = models.GeneratedField(
        expression=Somebody("ids"), output_field=models.UUIDField(null=True), db_persist=True
    )

    class Meta(tenancy.TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "sequence"], name="audit_event_sequence")
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization_id", "actor", "occurred_at", "id"], name="audit_event_actor"),
            models.Index(
                fields=["organization_id", "about", "occurred_at", "id"],
                name="audit_event_about",
                condition=models.Q(about__isnull=False),
            ),
        ]


class AuditHead(models.Model):
    """The end of an organization's chain; locked while an event is appended.

    Every transaction may read it, two numbers that say nothing about anybody, because the heads of all
    organizations are anchored together; only the organization's own transactions may lock or advance it.
    """

    personal_data: ClassVar = None

    organization_id = models.UUIDField(primary_key=True, editable=False)
    sequence = models.BigIntegerField()
    digest = models.BinaryField()
