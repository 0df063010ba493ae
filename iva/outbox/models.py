"""The outbox: one row for each piece of work that is promised and not yet done."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from iva.personal_data import Category, Erasure, PersonalData, Purpose, Retention, Subject
from iva.tenancy import new_id


class Work(models.TextChoices):
    """What can be promised."""

    ANSWER = "answer"
    DISPOSE = "dispose"
    LETTER = "letter"


class Promise(models.Model):
    """Ids only. It stands outside the wall, because a worker must see what is due in all organizations;
    the work itself is done inside `tenant(organization_id)`.

    `leased_until` is when another worker may take it over; `attempts` counts how often it was begun.
    """

    personal_data: ClassVar = PersonalData(
        subject=Subject.END_USER,
        category=Category.METADATA,
        purpose=Purpose.SERVICE_OPERATE,
        retention=Retention.UNTIL_DONE,
        erasure=Erasure.KEEP_IDS,
    )

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization_id = models.UUIDField(editable=False)
    work = models.CharField(max_length=32, choices=Work.choices)
    conversation_id = models.UUIDField(null=True)
    subject_id = models.UUIDField(help_text="the message to answer, erasure to finish, letter to send")
    due_at = models.DateTimeField(default=timezone.now)
    leased_until = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)
    given_up_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["organization_id", "due_at"],
                name="outbox_due",
                condition=models.Q(given_up_at__isnull=True),
            )
        ]
