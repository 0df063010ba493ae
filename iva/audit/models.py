"""One row per event and one head per organization."""

from typing import ClassVar

from django.db import models

from iva import tenancy
from iva.personal_data import Category, PersonalData, Purpose, Retention, Subject

UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
ACTOR = f"^(?:person|member|operator):({UUID})$"
END_USER = f'"end_user":"({UUID})"'


def _uuid_in(column: str, pattern: str) -> models.Func:
    return models.Func(models.F(column), template=f"substring(%(expressions)s from '{pattern}')::uuid")


class AuditEvent(tenancy.TenantModel):
    """Something that happened. Plain ids, no foreign keys: the trail outlives what it speaks of.

    `sequence` counts from 1 without gaps within the organization; `digest` is SHA-256 over the previous
    digest and this event's canonical bytes (`iva.audit.chain`), 32 bytes.

    `actor_id`, of people only, and `end_user_id` are taken by the database from what was hashed, so that
    filters have indexes and nothing has to be believed twice. API keys, the agent and messages leave both
    empty: the hot path pays for no index it does not need. Ids are in the order of time.
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
    actor_id = models.GeneratedField(
        expression=models.Func(
            models.F("actor"), template=f"substring(%(expressions)s from '{ACTOR}')::uuid"
        ),
        output_field=models.UUIDField(null=True),
        db_persist=True,
    )
    end_user_id = models.GeneratedField(
        expression=models.Func(
            models.F("ids"), template=f"substring(%(expressions)s from '{END_USER}')::uuid"
        ),
        output_field=models.UUIDField(null=True),
        db_persist=True,
    )

    class Meta(tenancy.TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "sequence"], name="audit_event_sequence")
        ]
        indexes = [
            models.Index(fields=["organization_id", "event", "id"], name="audit_event_by_event"),
            models.Index(
                fields=["organization_id", "actor_id", "id"],
                name="audit_event_by_actor",
                condition=models.Q(actor_id__isnull=False),
            ),
            models.Index(
                fields=["organization_id", "end_user_id", "id"],
                name="audit_event_by_end_user",
                condition=models.Q(end_user_id__isnull=False),
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
