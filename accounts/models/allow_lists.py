"""From where an organization's doors open."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from iva import tenancy
from iva.crypto.fields import ORGANIZATION, EncryptedTextField
from iva.personal_data import Category, PersonalData, Protection, Purpose, Retention, Subject


class AllowList(tenancy.TenantModel):
    """The networks from which the dashboard and the API may be used; no row means from anywhere.

    It stands behind the wall and not in the registry of organizations, which every transaction may read:
    where people work, some of them at home, is nobody else's business. One row holds the whole list, one
    network a line, so that it changes at once and costs one look and one decryption.
    """

    personal_data: ClassVar = PersonalData(
        subject=Subject.NONE,
        category=Category.CONFIGURATION,
        purpose=Purpose.ACCOUNT_AUTHENTICATE,
        further_purposes=(Purpose.ACCOUNT_MANAGE,),
        retention=Retention.CONTRACT_PLUS_30_DAYS,
        fields={"networks": Protection.ENCRYPTED},
    )

    networks = EncryptedTextField(subject=ORGANIZATION)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta(tenancy.TenantModel.Meta):
        constraints: ClassVar = [models.UniqueConstraint(fields=["organization_id"], name="allow_list_once")]
