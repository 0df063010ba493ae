"""Organizations: the controllers."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.utils import timezone

from iva import tenancy

KEPT_AFTER_CONTRACT = timedelta(days=30)


class Organization(models.Model):
    """A controller. The registry stands outside the wall: id, name and state, nothing else.

    After the contract its data is kept, restricted, for 30 days and then destroyed (P76, P77).
    """

    personal_data: ClassVar = None

    id = models.UUIDField(primary_key=True, default=tenancy.new_id, editable=False)
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=63, unique=True)
    time_zone = models.CharField(max_length=64, default="Asia/Ulaanbaatar")
    demands_second_factor = models.BooleanField(default=False)
    founded_at = models.DateTimeField(default=timezone.now, editable=False)
    suspended_at = models.DateTimeField(null=True, blank=True)
    contract_ended_at = models.DateTimeField(null=True, blank=True)
    destroyed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        """Whether its keys open doors: neither suspended nor past its contract."""
        return self.suspended_at is None and self.contract_ended_at is None

    @property
    def destroy_from(self) -> datetime | None:
        """When its data must be destroyed: 30 days after the contract (P76), None while it runs."""
        return self.contract_ended_at and self.contract_ended_at + KEPT_AFTER_CONTRACT
