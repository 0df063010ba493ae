"""Logins."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from iva import tenancy
from iva.personal_data import Category, PersonalData, Protection, Purpose, Retention, Subject


class UserManager(BaseUserManager["User"]):
    """Logins are made by `accounts.people`, operators by `accounts.operators`."""

    def create_superuser(self, **_: object) -> "User":
        """What `manage.py createsuperuser` calls; it knows nobody's address. Raises ValidationError."""
        raise ValidationError("An operator is made by: manage.py create_operator ADDRESS")


class User(AbstractBaseUser, PermissionsMixin):
    """A login, of a member or an operator. Whose it is the household knows: a `Person` of the same id."""

    personal_data: ClassVar = PersonalData(
        subject=Subject.OPERATOR,
        category=Category.IDENTITY,
        purpose=Purpose.ACCOUNT_AUTHENTICATE,
        retention=Retention.CONTRACT_PLUS_30_DAYS,
        subject_field="id",
        fields={"password": Protection.HASHED},
    )

    id = models.UUIDField(primary_key=True, default=tenancy.new_id, editable=False)
    is_staff = models.BooleanField("operator", default=False)
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "id"
    objects = UserManager()
