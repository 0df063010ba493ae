"""From a draft to an approved version (P91)."""

import re
from collections.abc import Mapping

from django.utils import timezone

from accounts.agreements import texts
from accounts.models.documents import VERSION, Kind, LegalDocument, Significance
from iva.audit.actors import Actor


class NotAVersion(ValueError):
    """A version is MAJOR.MINOR.PATCH, numbers without leading zeros (semver.org, 2.0.0, §2)."""


class NoPolicyNamed(ValueError):
    """Terms name the privacy policy that is part of them; a privacy policy names none (P8)."""


class NotADraft(Exception):
    """The version is approved already, or gone."""


def draft(
    kind: Kind,
    version: str,
    significance: Significance,
    written: Mapping[str, str],
    privacy_policy: LegalDocument | None = None,
) -> LegalDocument:
    """A new version with its text in each language; nothing about it but its dates can change later.

    Raises NotAVersion, NoPolicyNamed, VersionIncomplete, and IntegrityError when the version exists.
    """
    numbers(version)
    if (privacy_policy is not None and privacy_policy.kind == Kind.PRIVACY_POLICY) != (kind is Kind.TERMS):
        raise NoPolicyNamed(kind.value)
    found = texts.complete(written)
    hashes = {locale: texts.sha256(text) for locale, text in found.items()}
    return LegalDocument.objects.create(
        kind=kind,
        version=version,
        significance=significance,
        text_mn=found["mn"],
        text_en=found["en"],
        sha256_mn=hashes["mn"],
        sha256_en=hashes["en"],
        digest=texts.digest(kind, version, hashes, privacy_policy),
        privacy_policy=privacy_policy,
    )


def discard(document: LegalDocument) -> None:
    """Throw a draft away: a text is corrected by drafting it anew. Raises NotADraft."""
    deleted, _ = LegalDocument.objects.filter(pk=document.pk, approved_at=None).delete()
    if not deleted:
        raise NotADraft(str(document.pk))


def approve(document: LegalDocument, actor: Actor) -> None:
    """The lawyer's yes to a draft. Raises NotADraft."""
    now = timezone.now()
    draft_ = LegalDocument.objects.filter(pk=document.pk, approved_at=None)
    if not draft_.update(approved_at=now, approved_by=str(actor)):
        raise NotADraft(str(document.pk))
    document.approved_at, document.approved_by = now, str(actor)


def numbers(version: str) -> tuple[int, ...]:
    """The version as numbers, to compare. Raises NotAVersion."""
    if not re.fullmatch(VERSION, version, re.ASCII):
        raise NotAVersion(version)
    return tuple(map(int, version.split(".")))
