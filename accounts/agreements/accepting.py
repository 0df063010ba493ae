"""Who accepted what, and whether that opens the doors (P6, P7, P8, P96).

Every function here is called inside `tenant()`, or opens it: acceptances belong to organizations.
"""

import uuid
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import Count

from accounts import devices
from accounts.agreements import in_effect
from accounts.agreements.in_effect import InEffect
from accounts.models.documents import LOCALES, Acceptance, Kind, LegalDocument, Method, Notice
from iva import tenancy
from iva.audit import log as audit
from iva.audit.actors import SYSTEM, Actor
from iva.audit.events import Event


class DocumentsChanged(Exception):
    """What was shown is not what counts now. `current` is: doors answer 409 with it."""

    def __init__(self, current: InEffect) -> None:
        self.current = current
        super().__init__(f"terms {current.terms.version}, privacy policy {current.privacy_policy.version}")


class NothingToContinue(Exception):
    """Continued use accepts nothing here: no notice reached this person, or all is accepted."""


class Where(NamedTuple):
    """From where somebody accepted. Its network and kind of browser are kept, encrypted (decision 0018)."""

    ip_address: str | None = None
    browser: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether somebody has accepted what counts.

    `missing` are the versions they must accept explicitly before anything but the legal, export and rights
    pages opens. `notice_id` is set when their use is to be written down as acceptance (`continue_using`).
    """

    missing: tuple[LegalDocument, ...] = ()
    notice_id: uuid.UUID | None = None

    @property
    def is_open(self) -> bool:
        return not self.missing


def accept(
    user_id: uuid.UUID,
    *,
    terms: str,
    privacy_policy: str,
    locale: str,
    method: Method = Method.EXPLICIT,
    where: Where | None = None,
    actor: Actor = SYSTEM,
) -> InEffect:
    """Accept, for the active organization, the versions that count now: both rows or none.

    `terms` and `privacy_policy` are the digests of what the person was shown. Raises DocumentsChanged when
    either is not what counts, NothingInEffect, and ValueError for continued use, which nobody says.
    Accepting again changes nothing.
    """
    if method is Method.CONTINUED_USE or locale not in LOCALES:
        raise ValueError(f"{method.value} in {locale}")
    current = refuse_stale(terms, privacy_policy)
    _write(current, user_id, locale, method, where or Where(), None, actor)
    return current


def refuse_stale(terms: str, privacy_policy: str) -> InEffect:
    """What counts now, if these are its digests. Raises DocumentsChanged and NothingInEffect."""
    current = in_effect.current()
    if (terms, privacy_policy) != (current.terms.digest, current.privacy_policy.digest):
        raise DocumentsChanged(current)
    return current


def continue_using(
    organization_id: uuid.UUID,
    user_id: uuid.UUID,
    *,
    locale: str,
    where: Where | None = None,
    actor: Actor = SYSTEM,
) -> None:
    """Write down that somebody who was told of a change goes on using the platform (P96). Not a consent.

    Raises NothingToContinue, and NothingInEffect.
    """
    with tenancy.tenant(organization_id):
        standing_ = standing(organization_id, user_id)
        if standing_.notice_id is None or locale not in LOCALES:
            raise NothingToContinue
        current = in_effect.current()
        _write(current, user_id, locale, Method.CONTINUED_USE, where or Where(), standing_.notice_id, actor)


def standing(organization_id: uuid.UUID, user_id: uuid.UUID) -> Standing:
    """How somebody stands in an organization now. Raises NothingInEffect: then no door opens.

    An editorial version asks nothing of those who accepted the one before. A significant one counts as
    accepted by use if its notice reached them; otherwise they are asked.
    """
    with tenancy.tenant(organization_id):
        current = in_effect.current()
        accepted = Acceptance.objects.filter(user_id=user_id).values_list("document_id", flat=True)
        return _standing(current, _line(), user_id, set(accepted))


def is_bound(organization_id: uuid.UUID) -> bool:
    """Whether anybody of the organization stands well, as its API keys need (P7). Raises NothingInEffect."""
    with tenancy.tenant(organization_id):
        current = in_effect.current()
        if _somebody_accepted(current):
            return True
        line = _line()
        by_user: dict[uuid.UUID, set[uuid.UUID]] = {}
        for user_id, document_id in Acceptance.objects.values_list("user_id", "document_id"):
            by_user.setdefault(user_id, set()).add(document_id)
        return any(_standing(current, line, user, accepted).is_open for user, accepted in by_user.items())


def _somebody_accepted(current: InEffect) -> bool:
    """Whether anybody has accepted both of what counts now: nearly always, and found by one question."""
    accepted = Acceptance.objects.filter(document_id__in=[each.pk for each in current]).values("user_id")
    return accepted.annotate(count=Count("document_id", distinct=True)).filter(count=len(current)).exists()


def _line() -> list[LegalDocument]:
    return list(in_effect.published(Kind.TERMS).defer(*in_effect.TEXTS))


def _standing(
    current: InEffect, line: list[LegalDocument], user_id: uuid.UUID, accepted: set[uuid.UUID]
) -> Standing:
    asked = Standing(missing=tuple(document for document in current if document.pk not in accepted))
    if not asked.missing:
        return asked
    since = _since_their_last(current, line, accepted)
    if since is None:
        return asked
    significant = [document.pk for document in since if document.is_significant]
    notices = Notice.objects.filter(
        user_id=user_id, document_id__in=significant, sent_at__isnull=False, failed_at=None
    )
    reached = dict(notices.values_list("document_id", "id"))
    if reached.keys() != set(significant):
        return asked
    return Standing(notice_id=reached[significant[-1]] if significant else None)


def _since_their_last(
    current: InEffect, line: list[LegalDocument], accepted: set[uuid.UUID]
) -> list[LegalDocument] | None:
    """The terms that came after the last they accepted, up to those that count; None if they never did."""
    later: list[LegalDocument] | None = None
    for document in line:
        if document.pk in accepted:
            later = []
        elif later is not None:
            later.append(document)
        if document == current.terms:
            break
    return later


def _write(
    current: InEffect,
    user_id: uuid.UUID,
    locale: str,
    method: Method,
    where: Where,
    notice_id: uuid.UUID | None,
    actor: Actor,
) -> None:
    """One statement for both rows; what is accepted already stays as it was."""
    held = set(
        Acceptance.objects.filter(
            user_id=user_id, document_id__in=[document.pk for document in current]
        ).values_list("document_id", flat=True)
    )
    new = [document for document in current if document.pk not in held]
    Acceptance.objects.bulk_create(
        [
            Acceptance(  # type: ignore[misc]  # an encrypted field is an attribute the plugin does not know
                user_id=user_id,
                document_id=document.pk,
                digest=document.digest,
                locale=locale,
                method=method,
                notice_id=notice_id,
                ip_address=where.ip_address and devices.shorten(where.ip_address),
                browser=where.browser and devices.describe(where.browser),
            )
            for document in new
        ],
        ignore_conflicts=True,
    )
    for document in new:
        audit.record(
            Event.DOCUMENT_ACCEPTED,
            actor=actor,
            document=document.pk,
            kind=document.kind,
            version=document.version,
            user=user_id,
            method=method,
        )
