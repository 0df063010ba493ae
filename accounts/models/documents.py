"""The platform's legal documents, who accepted which version, and who was told of a change (P1, P6, P91)."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from iva import tenancy
from iva.crypto.fields import ORGANIZATION, EncryptedTextField
from iva.personal_data import Category, PersonalData, Protection, Purpose, Retention, Subject

LOCALES = ("mn", "en")
VERSION = r"^(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})$"


class Kind(models.TextChoices):
    TERMS = "terms"
    PRIVACY_POLICY = "privacy_policy"


class Significance(models.TextChoices):
    """A significant version is announced ahead of its effective date; an editorial one changes no meaning."""

    EDITORIAL = "editorial"
    SIGNIFICANT = "significant"


class Method(models.TextChoices):
    """How a version came to be accepted. `continued_use` is never a consent (P96, PDPL 8.6)."""

    REGISTRATION = "registration"
    EXPLICIT = "explicit"
    CONTINUED_USE = "continued_use"


class Failure(models.TextChoices):
    """Why a notice counts as not delivered."""

    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    FATE_UNKNOWN = "fate_unknown"
    BOUNCED = "bounced"


class LegalDocument(models.Model):
    """One version of one document, in both languages. A platform table: it belongs to no organization.

    The texts never change once drafted; approval and publication are entered once; after publication only
    `superseded_at` is. Triggers hold the owner of the table to this too. `sha256_*` are hexadecimal and of
    the canonical bytes of each text (`accounts.agreements.texts`), `digest` is of the whole version. A
    terms version names the one privacy policy that is part of it (P8). `*_by` are actors, `kind:id`; nobody
    approves what they drafted, nor publishes a significant version they approved. `system` is the deployment.
    """

    personal_data: ClassVar = PersonalData(
        subject=Subject.OPERATOR,
        category=Category.AUDIT,
        purpose=Purpose.LEGAL_REQUIREMENT,
        retention=Retention.AUDIT_TRAIL,
        fields={
            "drafted_by": Protection.PLAIN,
            "approved_by": Protection.PLAIN,
            "published_by": Protection.PLAIN,
        },
    )

    id = models.UUIDField(primary_key=True, default=tenancy.new_id, editable=False)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    version = models.CharField(max_length=20)
    significance = models.CharField(max_length=16, choices=Significance.choices)
    text_mn = models.TextField()
    text_en = models.TextField()
    sha256_mn = models.CharField(max_length=64)
    sha256_en = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    privacy_policy = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="part_of")
    drafted_at = models.DateTimeField(default=timezone.now)
    drafted_by = models.CharField(max_length=64, default="system")
    approved_at = models.DateTimeField(null=True)
    approved_by = models.CharField(max_length=64, blank=True, default="")
    published_at = models.DateTimeField(null=True)
    published_by = models.CharField(max_length=64, blank=True, default="")
    effective_at = models.DateTimeField(null=True)
    superseded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "version"], name="legal_document_version"),
            models.CheckConstraint(
                condition=models.Q(version__regex=VERSION), name="legal_document_version_is_semver"
            ),
            models.CheckConstraint(
                condition=models.Q(kind=Kind.TERMS, privacy_policy__isnull=False)
                | models.Q(kind=Kind.PRIVACY_POLICY, privacy_policy__isnull=True),
                name="legal_document_terms_name_a_policy",
            ),
            models.CheckConstraint(
                condition=models.Q(approved_by__in=("", "system"))
                | ~models.Q(approved_by=models.F("drafted_by")),
                name="legal_document_approved_by_another",
            ),
            models.CheckConstraint(
                condition=models.Q(published_by__in=("", "system"))
                | models.Q(significance=Significance.EDITORIAL)
                | ~models.Q(published_by=models.F("approved_by")),
                name="legal_document_published_by_another",
            ),
        ]

    @property
    def is_significant(self) -> bool:
        return self.significance == Significance.SIGNIFICANT

    def text(self, locale: str) -> str:
        """The canonical text. Raises KeyError for a language the document does not have."""
        return {"mn": self.text_mn, "en": self.text_en}[locale]

    def sha256(self, locale: str) -> str:
        """Hexadecimal SHA-256 of `text(locale)` as UTF-8. Raises KeyError."""
        return {"mn": self.sha256_mn, "en": self.sha256_en}[locale]


class Notice(tenancy.TenantModel):
    """One responsible employee is told by e-mail of one significant change, and what became of it (P94).

    A row is one letter and goes out once at most (`accounts.announcing`). `handed_over_at` is entered just
    before the text goes to the server; `sent_at` when the server took it. `reply` is the server's last
    word, which may quote the address and is encrypted like it.
    """

    personal_data: ClassVar = PersonalData(
        subject=Subject.MEMBER,
        category=Category.IDENTITY,
        purpose=Purpose.ACCOUNT_MANAGE,
        further_purposes=(Purpose.LEGAL_REQUIREMENT,),
        retention=Retention.AUDIT_TRAIL,
        subject_field="user_id",
        fields={"email": Protection.ENCRYPTED, "reply": Protection.ENCRYPTED},
    )

    document_id = models.UUIDField()
    user_id = models.UUIDField()
    locale = models.CharField(max_length=2)
    email = EncryptedTextField(subject=ORGANIZATION)
    message_id = models.CharField(max_length=255)
    queued_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    leased_until = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)
    handed_over_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=16, choices=Failure.choices, blank=True, default="")
    reply = EncryptedTextField(subject=ORGANIZATION, null=True)

    class Meta(tenancy.TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "document_id", "user_id"], name="notice_once_for_each"
            )
        ]

    @property
    def is_delivered(self) -> bool:
        return self.sent_at is not None and self.failed_at is None

    @property
    def is_settled(self) -> bool:
        """Whether nothing more will be tried."""
        return self.sent_at is not None or self.failed_at is not None


class Acknowledgement(tenancy.TenantModel):
    """A member has seen that a version is waiting to take effect, and wants no more banner (P95).

    It accepts nothing: what counts later is accepted later.
    """

    personal_data: ClassVar = PersonalData(
        subject=Subject.MEMBER,
        category=Category.METADATA,
        purpose=Purpose.ACCOUNT_MANAGE,
        retention=Retention.CONTRACT_PLUS_30_DAYS,
        subject_field="user_id",
    )

    user_id = models.UUIDField()
    document_id = models.UUIDField()
    acknowledged_at = models.DateTimeField(default=timezone.now)

    class Meta(tenancy.TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "user_id", "document_id"], name="acknowledgement_once"
            )
        ]


class Acceptance(tenancy.TenantModel):
    """Somebody accepted, for an organization, one version they were shown. Only ever appended.

    `digest` is the version's, `locale` the language they read. Terms are accepted together with the
    privacy policy that is part of them: a deferred trigger refuses one row without the other (P8).
    """

    personal_data: ClassVar = PersonalData(
        subject=Subject.MEMBER,
        category=Category.AUDIT,
        purpose=Purpose.LEGAL_REQUIREMENT,
        further_purposes=(Purpose.ACCOUNT_MANAGE,),
        retention=Retention.AUDIT_TRAIL,
        subject_field="user_id",
        fields={"ip_address": Protection.ENCRYPTED, "browser": Protection.ENCRYPTED},
    )

    user_id = models.UUIDField()
    document_id = models.UUIDField()
    digest = models.CharField(max_length=64)
    locale = models.CharField(max_length=2)
    method = models.CharField(max_length=16, choices=Method.choices)
    accepted_at = models.DateTimeField(default=timezone.now)
    ip_address = EncryptedTextField(subject=ORGANIZATION, null=True)
    browser = EncryptedTextField(subject=ORGANIZATION, null=True)
    notice = models.ForeignKey(
        Notice, null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False
    )

    class Meta(tenancy.TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "user_id", "document_id"], name="acceptance_once_for_each"
            ),
            models.CheckConstraint(
                condition=models.Q(method=Method.CONTINUED_USE, notice__isnull=False)
                | (~models.Q(method=Method.CONTINUED_USE) & models.Q(notice__isnull=True)),
                name="acceptance_by_use_follows_a_notice",
            ),
        ]
