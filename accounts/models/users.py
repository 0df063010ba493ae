"""Logins."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils import timezone

from iva import tenancy
from iva.personal_data import Category, PersonalData, Protection, Purpose, Retention, Subject


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
    """A login. An operator's carries an e-mail address; a member's is found through the household."""

    personal_data: ClassVar = PersonalData(
        subject=Subject.OPERATOR,
        category=Category.IDENTITY,
        purpose=Purpose.ACCOUNT_AUTHENTICATE,
        retention=Retention.CONTRACT_PLUS_30_DAYS,
        subject_field="id",
        fields={"email": Protection.PLAIN, "password": Protection.HASHED},
    )

    id = models.UUIDField(primary_key=True, default=tenancy.new_id, editable=False)
    email = models.EmailField(unique=True, null=True, help_text="operators only")  # noqa: DJ001  unique
    is_staff = models.BooleanField("operator", default=False)
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    objects = UserManager()
