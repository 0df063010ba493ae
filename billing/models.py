"""Counters: all that billing ever sees of a conversation (P36)."""

from typing import ClassVar

from django.db import models

from iva import tenancy


class Meter(models.TextChoices):
    """What is counted."""

    MESSAGE = "message"
    ANSWER = "answer"


class Usage(tenancy.TenantModel):
    """How much of a meter an organization used on a day (UTC)."""

    personal_data: ClassVar = None

    meter = models.CharField(max_length=16, choices=Meter.choices)
    used_on = models.DateField()
    count = models.BigIntegerField(default=0)

    class Meta(tenancy.TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "meter", "used_on"], name="usage_per_day")
        ]
        verbose_name_plural = "usage"
