"""What visitors have decided about optional cookies: rows of the household."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from iva import tenancy
from iva.personal_data import Category, PersonalData, Purpose, Retention, Subject


class CookieChoice(tenancy.TenantModel):
    """One decision of one browser: which kinds of optional cookies it takes, of which registry (P30).

    `visitor_id` is random and kept in that browser's cookie; nothing here says who it is. A later decision
    is another row, so that what was chosen when can be shown. `gpc` says that the browser itself asked for
    a refusal (Global Privacy Control), which counts whatever else was chosen.
    """

    personal_data: ClassVar = PersonalData(
        subject=Subject.NONE,
        category=Category.METADATA,
        purpose=Purpose.LEGAL_REQUIREMENT,
        retention=Retention.ONE_YEAR,
    )

    visitor_id = models.UUIDField(editable=False)
    registry = models.CharField(max_length=12, help_text="the version of the registry that was shown")
    accepted = models.JSONField(default=list, help_text="categories of optional cookies, by their codes")
    gpc = models.BooleanField(default=False)
    chosen_at = models.DateTimeField(default=timezone.now, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta(tenancy.TenantModel.Meta):
        indexes: ClassVar = [
            models.Index(fields=["organization_id", "visitor_id", "chosen_at"], name="cookie_choice_visitor"),
            models.Index(fields=["organization_id", "chosen_at"], name="cookie_choice_by_time"),
        ]
