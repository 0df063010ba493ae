"""From a draft to an approved version (P91)."""

import re
from collections.abc import Mapping

from django.utils import timezone

from accounts import household
from accounts.agreements import texts
from accounts.models.documents import VERSION, Kind, LegalDocument, Significance
from iva.audit import log as audit
from iva.audit.actors import SYSTEM, Actor
from iva.audit.events import Event
from iva.personal_data import Purpose


class NotAVersion(ValueError):
    """A version is MAJOR.MINOR.PATCH, numbers without leading zeros (semver.org, 2.0.0, §2)."""


class NoPolicyNamed(ValueError):
    """Terms name the privacy policy that is part of them; a privacy policy names none (P8)."""


class NotADraft(Exception):
    """The version is approved already, or gone."""


class OwnDraft(Exception):
    """Nobody approves what they drafted themselves; what a deployment brings was reviewed before it."""


def draft(
    kind: Kind,
    version: str,
    significance: Significance,
    written: Mapping[str, str],
    privacy_policy: LegalDocument | None = None,
    *,
    actor: Actor = SYSTEM,
) -> LegalDocument:
    """A new version with its text in each language; nothing about it but its dates can change later.

    Raises NotAVersion, NoPolicyNamed, VersionIncomplete, and IntegrityError when the version exists.
    """
    numbers(version)
    if (privacy_policy is not None and privacy_policy.kind == Kind.PRIVACY_POLICY) != (kind is Kind.TERMS):
        raise NoPolicyNamed(kind.value)
    found = texts.complete(written)
    hashes = {locale: texts.sha256(text) for locale, text in found.items()}
    drafted = LegalDocument.objects.create(
        kind=kind,
        version=version,
        significance=significance,
        text_mn=found["mn"],
        text_en=found["en"],
        sha256_mn=hashes["mn"],
        sha256_en=hashes["en"],
        digest=texts.digest(kind, version, hashes, privacy_policy),
        privacy_policy=privacy_policy,
        drafted_by=str(actor),
    )
    _remember(Event.DOCUMENT_DRAFTED, drafted, actor)
    return drafted


def discard(document: LegalDocument, *, actor: Actor = SYSTEM) -> None:
    """Throw a draft away: a text is corrected by drafting it anew. Raises NotADraft."""
    deleted, _ = LegalDocument.objects.filter(pk=document.pk, approved_at=None).delete()
    if not deleted:
        raise NotADraft(str(document.pk))
    _remember(Event.DOCUMENT_DISCARDED, document, actor)


def approve(document: LegalDocument, actor: Actor) -> None:
    """The lawyer's yes to a draft. Raises NotADraft and OwnDraft."""
    if actor != SYSTEM and str(actor) == document.drafted_by:
        raise OwnDraft(str(document.pk))
    now = timezone.now()
    draft_ = LegalDocument.objects.filter(pk=document.pk, approved_at=None)
    if not draft_.update(approved_at=now, approved_by=str(actor)):
        raise NotADraft(str(document.pk))
    document.approved_at, document.approved_by = now, str(actor)
    _remember(Event.DOCUMENT_APPROVED, document, actor)


def _remember(event: Event, document: LegalDocument, actor: Actor) -> None:
    """In the household's trail; of a deployment's own doing the row itself says enough."""
    if actor == SYSTEM:
        return
    with household.at_home(Purpose.LEGAL_REQUIREMENT):
        audit.record(event, actor=actor, document=document.pk, kind=document.kind, version=document.version)


def numbers(version: str) -> tuple[int, ...]:
    """The version as numbers, to compare. Raises NotAVersion."""
    if not re.fullmatch(VERSION, version, re.ASCII):
        raise NotAVersion(version)
    return tuple(map(int, version.split(".")))
