"""What IVA writes to people, and the links in it."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from iva import tenancy
from iva.personal_data import Category, PersonalData, Protection, Purpose, Retention, Subject


class LetterKind(models.TextChoices):
    """Why somebody is written to."""

    CONFIRM_ADDRESS = "confirm_address"
    ALREADY_KNOWN = "already_known"
    RESET_PASSWORD = "reset_password"  # noqa: S105
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    FACTOR_ADDED = "factor_added"
    FACTOR_REMOVED = "factor_removed"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    NEW_DEVICE = "new_device"


class Letter(tenancy.TenantModel):
    """A letter that is to be sent, or was: ids and times, and the SHA-256 of the secret in its link.

    Address and text are made when it is sent and kept nowhere; so is the secret, whose hash is written in the
    moment in which the mail server is given the text. `person_id` is empty for a letter to nobody, which is
    written for an address without a login. `used_at` is when the link was followed, or taken back.
    """

    personal_data: ClassVar = PersonalData(
        subject=Subject.MEMBER,
        category=Category.CREDENTIAL,
        purpose=Purpose.ACCOUNT_AUTHENTICATE,
        further_purposes=(Purpose.ACCOUNT_MANAGE,),
        retention=Retention.CONTRACT_PLUS_30_DAYS,
        subject_field="person_id",
        fields={"secret_hash": Protection.HASHED},
    )

    kind = models.CharField(max_length=32, choices=LetterKind.choices)
    person_id = models.UUIDField(null=True, editable=False)
    about_id = models.UUIDField(null=True, editable=False, help_text="the sign-in it speaks of")
    secret_hash = models.BinaryField(max_length=32, null=True, editable=False)
    expires_at = models.DateTimeField(null=True, editable=False)
    used_at = models.DateTimeField(null=True, editable=False)
    written_at = models.DateTimeField(default=timezone.now, editable=False)
    handed_over_at = models.DateTimeField(null=True, editable=False)
    sent_at = models.DateTimeField(null=True, editable=False)
    failed_at = models.DateTimeField(null=True, editable=False)
    failure = models.CharField(max_length=32, blank=True, editable=False)

    class Meta(tenancy.TenantModel.Meta):
        indexes: ClassVar = [
            models.Index(fields=["organization_id", "person_id", "kind"], name="letter_person"),
        ]

    @property
    def is_settled(self) -> bool:
        return self.sent_at is not None or self.failed_at is not None
