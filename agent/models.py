"""The knowledge base: what an organization has told the agent to answer (P22)."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from agent.languages import Language
from iva import tenancy
from iva.crypto.fields import ORGANIZATION, EncryptedJSONField, EncryptedTextField
from iva.personal_data import Category, PersonalData, Protection, Purpose, Retention, Subject


class KnowledgeEntry(tenancy.TenantModel):
    """A question with its answer, in the words of the organization and under its own key.

    About no data subject by its purpose, but free text can name one: therefore encrypted, exported with the
    organization's data and gone thirty days after its contract (P22). `title` is what a reply names as its
    source. `version` grows with every revision.
    """

    personal_data: ClassVar = PersonalData(
        subject=Subject.NONE,
        category=Category.CONFIGURATION,
        purpose=Purpose.SERVICE_OPERATE,
        retention=Retention.CONTRACT_PLUS_30_DAYS,
        fields={
            "title": Protection.ENCRYPTED,
            "question": Protection.ENCRYPTED,
            "alternatives": Protection.ENCRYPTED,
            "answer": Protection.ENCRYPTED,
        },
        further_purposes=(Purpose.LEGAL_REQUIREMENT,),
    )

    title = EncryptedTextField(subject=ORGANIZATION)
    question = EncryptedTextField(subject=ORGANIZATION)
    alternatives = EncryptedJSONField(subject=ORGANIZATION)
    answer = EncryptedTextField(subject=ORGANIZATION)
    language = models.CharField(
        max_length=2,
        choices=[(language.value, language.name.title()) for language in Language],
        default=Language.MONGOLIAN.value,
    )
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now)
    published_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta(tenancy.TenantModel.Meta):
        verbose_name_plural = "knowledge entries"
        indexes = [
            models.Index(
                fields=["organization_id", "-id"],
                condition=Q(retired_at__isnull=True),
                name="knowledge_published",
            )
        ]

    @property
    def is_published(self) -> bool:
        return self.retired_at is None
