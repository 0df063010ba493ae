"""People and what they are to organizations.

A `Person` has a login and belongs to the household. A `Membership` says, outside the wall and in ids only,
which organizations somebody may enter: it is read before one is named. A `Member` is what the organization
itself knows of them, behind its own wall and under its own keys.
"""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from accounts.models.organizations import Organization
from accounts.models.users import User
from accounts.roles import Role
from iva import tenancy
from iva.crypto.fields import ORGANIZATION, EncryptedTextField
from iva.personal_data import Category, PersonalData, Protection, Purpose, Retention, Subject

ROLES = [(role.value, role.value) for role in Role]


class Person(tenancy.TenantModel):
    """A row of the household; its id is the user's. Sealed under a key of the person's own."""

    personal_data: ClassVar = PersonalData(
        subject=Subject.MEMBER,
        category=Category.IDENTITY,
        purpose=Purpose.ACCOUNT_AUTHENTICATE,
        further_purposes=(Purpose.ACCOUNT_MANAGE,),
        retention=Retention.CONTRACT_PLUS_30_DAYS,
        subject_field="id",
        fields={"email": Protection.ENCRYPTED, "email_bidx": Protection.BLIND_INDEX},
    )

    email = EncryptedTextField(subject="id")
    email_bidx = models.BinaryField(max_length=16)
    locale = models.CharField(max_length=2, default="mn")
    first_seen_at = models.DateTimeField(default=timezone.now, editable=False)
    verified_at = models.DateTimeField(null=True)

    class Meta(tenancy.TenantModel.Meta):
        verbose_name_plural = "people"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization_id", "email_bidx"], name="person_email")
        ]


class Membership(models.Model):
    """Which organizations a user may enter, and as what. Ids, a role and times; read before the wall."""

    personal_data: ClassVar = PersonalData(
        subject=Subject.MEMBER,
        category=Category.METADATA,
        purpose=Purpose.ACCOUNT_AUTHENTICATE,
        retention=Retention.CONTRACT_PLUS_30_DAYS,
        subject_field="user_id",
    )

    id = models.UUIDField(primary_key=True, default=tenancy.new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=32, choices=ROLES)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization", "user"],
                name="membership_once",
                condition=models.Q(ended_at__isnull=True),
            )
        ]


class Member(tenancy.TenantModel):
    """What the organization knows of a member; its id is the membership's (P18).

    The responsible employee is the one who answers for the organization and gets its notices.
    """

    personal_data: ClassVar = PersonalData(
        subject=Subject.MEMBER,
        category=Category.IDENTITY,
        purpose=Purpose.ACCOUNT_MANAGE,
        further_purposes=(Purpose.SERVICE_OPERATE, Purpose.LEGAL_REQUIREMENT),
        retention=Retention.CONTRACT_PLUS_30_DAYS,
        subject_field="id",
        fields={
            "name": Protection.ENCRYPTED,
            "position": Protection.ENCRYPTED,
            "email": Protection.ENCRYPTED,
            "phone": Protection.ENCRYPTED,
        },
    )

    user_id = models.UUIDField(editable=False)
    name = EncryptedTextField(subject="id")
    position = EncryptedTextField(subject="id", null=True)
    email = EncryptedTextField(subject="id")
    phone = EncryptedTextField(subject="id", null=True)
    is_responsible = models.BooleanField(default=False)
    locale = models.CharField(max_length=2, default="mn")


class Invitation(tenancy.TenantModel):
    """An offer to join, good once and for a week. Only the SHA-256 of its 256-bit secret is kept."""

    personal_data: ClassVar = PersonalData(
        subject=Subject.MEMBER,
        category=Category.CREDENTIAL,
        purpose=Purpose.ACCOUNT_MANAGE,
        retention=Retention.CONTRACT_PLUS_30_DAYS,
        fields={
            "email": Protection.ENCRYPTED,
            "email_bidx": Protection.BLIND_INDEX,
            "secret_hash": Protection.HASHED,
        },
    )

    email = EncryptedTextField(subject=ORGANIZATION)
    email_bidx = models.BinaryField(max_length=16)
    role = models.CharField(max_length=32, choices=ROLES)
    secret_hash = models.BinaryField(max_length=32, editable=False)
    invited_by = models.UUIDField(editable=False, help_text="the membership of who invited")
    invited_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta(tenancy.TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization_id", "email_bidx"],
                name="invitation_open_once",
                condition=models.Q(accepted_at__isnull=True, revoked_at__isnull=True),
            )
        ]
