"""Organizations (controllers), the keys their integrators sign in with, and our operators."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils import timezone

from accounts.scopes import Scope
from iva import tenancy
from iva.personal_data import Category, PersonalData, Protection, Purpose, Retention, Subject

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


class ApiKey(tenancy.TenantModel):
    """An integrator's credential. Only the SHA-256 of its 256-bit secret is kept."""

    personal_data: ClassVar = PersonalData(
        subject=Subject.NONE,
        category=Category.CREDENTIAL,
        purpose=Purpose.ACCOUNT_AUTHENTICATE,
        retention=Retention.CONTRACT_PLUS_30_DAYS,
        fields={"secret_hash": Protection.HASHED},
    )

    name = models.CharField(max_length=100)
    secret_hash = models.BinaryField(max_length=32, editable=False)
    scopes = models.JSONField(default=list, help_text=", ".join(Scope))
    issued_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta(tenancy.TenantModel.Meta):
        verbose_name = "API key"


class UserManager(BaseUserManager["User"]):
    """Signs people up by e-mail."""

    def create_operator(self, email: str, password: str) -> "User":
        """An operator of the platform: signs in to the admin, sees metadata only."""
        user = self.model(email=self.normalize_email(email).lower(), is_staff=True, is_superuser=True)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str, **extra: object) -> "User":
        return self.create_operator(email, password)


class User(AbstractBaseUser, PermissionsMixin):
    """A login. In this release only operators have one."""

    personal_data: ClassVar = PersonalData(
        subject=Subject.OPERATOR,
        category=Category.IDENTITY,
        purpose=Purpose.ACCOUNT_AUTHENTICATE,
        retention=Retention.CONTRACT_PLUS_30_DAYS,
        subject_field="id",
        fields={"email": Protection.PLAIN, "password": Protection.HASHED},
    )

    id = models.UUIDField(primary_key=True, default=tenancy.new_id, editable=False)
    email = models.EmailField(unique=True)
    is_staff = models.BooleanField("operator", default=False)
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    objects = UserManager()
