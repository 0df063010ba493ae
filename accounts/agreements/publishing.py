"""Publication, and the moment a version takes the place of the one before (P8, P91–P93)."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts import organizations
from accounts.agreements import drafting, in_effect
from accounts.models.documents import Kind, LegalDocument
from iva import tenancy
from iva.audit import log as audit
from iva.audit.actors import SYSTEM, Actor
from iva.audit.events import Event

TURN = 0x6C6567616C  # "legal": publications and successions come one after the other


class NotApproved(Exception):
    """Only what was approved is published, and only once."""


class OwnApproval(Exception):
    """A significant version is not published by the one person who approved it."""


class PolicyNotInOrder(Exception):
    """A privacy policy is published with the terms that name it; they name none older than is out (P8)."""


class NotNewer(ValueError):
    """A version is greater than all that were published of its kind."""


class SignificanceHidden(ValueError):
    """Terms that bring a significant change of the privacy policy are significant themselves."""


class TooSoon(ValueError):
    """No version takes effect before it is published, nor before those in line; a significant change not
    before `IVA_NOTICE_DAYS` have passed (P93). `earliest` is when it may."""

    def __init__(self, earliest: datetime) -> None:
        self.earliest = earliest
        super().__init__(f"not before {earliest.isoformat()}")


def publish(terms: LegalDocument, actor: Actor, effective_at: datetime | None = None) -> list[LegalDocument]:
    """Publish approved terms, with their privacy policy if it is not out yet. Returns what was published.

    Takes effect at `effective_at`, by default as soon as it may. Raises NotApproved, OwnApproval,
    PolicyNotInOrder, NotNewer, SignificanceHidden and TooSoon; then nothing is published. Every
    organization's audit trail is told afterwards; should that be cut short, the rows themselves still say who
    published when.
    """
    with transaction.atomic():
        _take_turns()
        new = _to_publish(terms)
        _must_be_seen_by_two(new, actor)
        now = timezone.now()
        due = _due(new, now, effective_at)
        for document in new:
            LegalDocument.objects.filter(pk=document.pk).update(
                published_at=now, published_by=str(actor), effective_at=due
            )
            document.refresh_from_db()
    _tell_the_trails(Event.DOCUMENT_PUBLISHED, new, actor)
    take_effect(announced=lambda significant: False)
    return new


def earliest(terms: LegalDocument) -> datetime:
    """When these terms may take effect if they are published now; a suggestion, asked again by `publish`."""
    return _due([terms], timezone.now(), None)


def take_effect(announced: Callable[[LegalDocument], bool]) -> list[LegalDocument]:
    """Let due terms take the place of those before, in order. Returns those that did.

    `announced` says whether all notices of a significant version have gone out; as long as it does not,
    nothing moves, later versions included. Called outside `tenant()`: it may visit organizations.
    """
    moved: list[LegalDocument] = []
    while (following := _following()) is not None:
        if following.is_significant and not announced(following):
            break
        if not _supersede(following):
            break
        moved.append(following)
    return moved


def waiting() -> list[LegalDocument]:
    """Published terms that have not taken effect and replace others, the next one first."""
    return [
        edition.document
        for edition in in_effect.editions(Kind.TERMS)
        if edition.since is None and edition.predecessor is not None
    ]


def _to_publish(terms: LegalDocument) -> list[LegalDocument]:
    """What is not out yet, the privacy policy first."""
    terms.refresh_from_db()
    policy = terms.privacy_policy
    if policy is None:
        raise PolicyNotInOrder(terms.version)
    new = [document for document in (policy, terms) if document.published_at is None]
    if terms not in new or any(document.approved_at is None for document in new):
        raise NotApproved(terms.version)
    for document in new:
        _must_be_newer(document)
    if policy not in new and policy != in_effect.published(Kind.PRIVACY_POLICY).last():
        raise PolicyNotInOrder(policy.version)
    _must_not_hide(policy, terms, new)
    return new


def _must_be_seen_by_two(new: list[LegalDocument], actor: Actor) -> None:
    for document in new:
        if actor != SYSTEM and document.is_significant and document.approved_by == str(actor):
            raise OwnApproval(document.version)


def _must_be_newer(document: LegalDocument) -> None:
    out = in_effect.published(Kind(document.kind)).values_list("version", flat=True)
    if any(drafting.numbers(version) >= drafting.numbers(document.version) for version in out):
        raise NotNewer(document.version)


def _must_not_hide(policy: LegalDocument, terms: LegalDocument, new: list[LegalDocument]) -> None:
    if policy in new and policy.is_significant and not terms.is_significant:
        raise SignificanceHidden(policy.version)


def _due(new: list[LegalDocument], now: datetime, wanted: datetime | None) -> datetime:
    earliest, last = now, in_effect.published(Kind.TERMS).last()
    if last is not None and last.effective_at is not None:
        notice = timedelta(days=settings.IVA_NOTICE_DAYS if new[-1].is_significant else 0)
        earliest = max(now + notice, last.effective_at)
    if wanted is not None and wanted < earliest:
        raise TooSoon(earliest)
    return wanted or earliest


def _following() -> LegalDocument | None:
    """The next version in line, if its time has come."""
    line = waiting()
    due = line[0].effective_at if line else None
    return line[0] if due is not None and due <= timezone.now() else None


def _supersede(following: LegalDocument) -> bool:
    """Close the version before; False when somebody else has."""
    with transaction.atomic():
        _take_turns()
        if _following() != following:
            return False
        now = timezone.now()
        before = in_effect.current()
        _close(before.terms, now)
        if before.privacy_policy.pk != following.privacy_policy_id:
            _close(before.privacy_policy, now)
    _tell_the_trails(Event.DOCUMENT_TOOK_EFFECT, [following], SYSTEM)
    return True


def _close(document: LegalDocument, now: datetime) -> None:
    LegalDocument.objects.filter(pk=document.pk).update(superseded_at=now)


def _take_turns() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TURN])


def _tell_the_trails(event: Event, documents: list[LegalDocument], actor: Actor) -> None:
    for organization_id in organizations.every_id():
        with tenancy.tenant(organization_id):
            for document in documents:
                audit.record(
                    event, actor=actor, document=document.pk, kind=document.kind, version=document.version
                )
