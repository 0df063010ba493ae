"""Plain tables: plaintext, no row-level security, the indexes one would think of."""

import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone

from conversations import models as ours
from iva import tenancy


class Organization(models.Model):
    personal_data: ClassVar = None

    name = models.CharField(max_length=200)


class Token(models.Model):
    """As in the REST framework's own token authentication: the key in the clear, looked up each time."""

    personal_data: ClassVar = None

    key = models.CharField(max_length=100, primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE)


class EndUser(models.Model):
    personal_data: ClassVar = None

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, db_index=False)
    name = models.CharField(max_length=200, blank=True)
    phone = models.CharField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "phone"], name="naive_phone")]


class Conversation(models.Model):
    personal_data: ClassVar = None

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, db_index=False)
    end_user = models.ForeignKey(EndUser, on_delete=models.CASCADE, db_index=False)
    opened_at = models.DateTimeField(auto_now_add=True)
    last_message_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["end_user"], condition=models.Q(closed_at=None), name="naive_one_open"
            )
        ]
        indexes = [models.Index(fields=["organization", "-last_message_at"], name="naive_inbox")]


class Message(models.Model):
    personal_data: ClassVar = None

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, db_index=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, db_index=False)
    external_id = models.CharField(max_length=200)
    text = models.TextField()
    sent_at = models.DateTimeField(null=True)
    kept_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "external_id"], name="naive_external_id")
        ]
        indexes = [models.Index(fields=["conversation", "kept_at"], name="naive_timeline")]


class PlainMessage(tenancy.TenantModel):
    """A message like ours, behind the same wall, its body in plaintext: to measure reading against."""

    personal_data: ClassVar = None

    conversation = models.ForeignKey(
        ours.Conversation, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    end_user_id = models.UUIDField()
    channel_id = models.UUIDField()
    author = models.CharField(max_length=16)
    body = models.TextField()
    external_bidx = models.BinaryField(max_length=16, null=True)
    sent_at = models.DateTimeField(null=True)
    kept_at = models.DateTimeField(default=timezone.now)
    in_reply_to = models.UUIDField(null=True)
    outcome = models.CharField(max_length=16, default="")
    knowledge_entry_ids = models.JSONField(default=list)
