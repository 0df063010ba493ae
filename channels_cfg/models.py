"""The ways in which End Users reach an organization."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from iva import tenancy


class ChannelKind(models.TextChoices):
    API = "api"
    WEBCHAT = "webchat"
    MESSENGER = "messenger"
    VOICE = "voice"


class Channel(tenancy.TenantModel):
    """A connected channel. Its name is the organization's own word for it."""

    personal_data: ClassVar = None

    kind = models.CharField(max_length=16, choices=ChannelKind.choices)
    name = models.CharField(max_length=100)
    connected_at = models.DateTimeField(default=timezone.now, editable=False)
    disabled_at = models.DateTimeField(null=True, blank=True)

    class Meta(tenancy.TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["organization_id", "name"], name="channel_name")]

    @property
    def is_enabled(self) -> bool:
        return self.disabled_at is None
