"""Telling responsible employees of a significant change ahead of its date (P71, P93, P94).

One `Notice` for each recipient in each organization, written down before anything is sent; somebody who is
responsible in two organizations hears from each. A worker leases a notice, talks to the mail server as far as
the recipient, marks the notice as handed over, commits, and only then sends the text.

What that promises. Whatever happens before the mark is tried again, by any worker, for as long as it takes:
nobody is forgotten. After the mark nothing is ever sent again: nobody gets a letter twice. What remains
possible: a worker that dies, or a connection that breaks, between the mark and the server's answer leaves a
letter of which nobody knows whether it arrived. It ends as `fate_unknown`, counts as *not* delivered, and its
recipient is asked to accept explicitly. Both cannot be had at once: SMTP confirms only what has left.
"""

import uuid
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Count, Q
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext

from accounts import mailing, organizations, provider
from accounts.agreements import in_effect, rendering
from accounts.models import Organization
from accounts.models.documents import LOCALES, Failure, Kind, LegalDocument, Notice
from accounts.people import Responsible
from iva import tenancy
from iva.audit import log as audit
from iva.audit.events import Event
from iva.personal_data import Purpose

MOST_ATTEMPTS = 20
LONGEST_WAIT = timedelta(hours=6)
PURPOSE = Purpose.ACCOUNT_MANAGE

logger = structlog.get_logger("accounts.announcing")


Recipients = Callable[[], Sequence[Responsible]]
"""Called inside `tenant()`; who is responsible in the active organization."""

Belonged = Callable[[uuid.UUID, datetime], Collection[uuid.UUID]]
"""Called outside; who belongs to an organization since then, with an address that is confirmed."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Letters by what became of them so far."""

    sent: int = 0
    failed: int = 0
    waiting: int = 0

    def __add__(self, other: "Progress") -> "Progress":
        return Progress(self.sent + other.sent, self.failed + other.failed, self.waiting + other.waiting)

    @property
    def letters(self) -> int:
        return self.sent + self.failed + self.waiting


class TakenOver(Exception):
    """The lease had ended: another worker has the notice, or has settled it."""


def announce(organization_id: uuid.UUID, document_id: uuid.UUID, recipients: Recipients) -> int:
    """Write the notices that are missing, send those that are due. Returns how many went out.

    May run as often and in as many workers as one likes. Raises MailNotConfigured.
    """
    document = LegalDocument.objects.defer(*in_effect.TEXTS).get(pk=document_id)
    _queue(organization_id, document, recipients)
    _give_up_on_lost_ones(organization_id, document)
    sent = 0
    while (notice := _take(organization_id, document)) is not None:
        sent += _attempt(organization_id, document, notice)
    return sent


def is_announced(document: LegalDocument, recipients: Recipients, belonged: Belonged) -> bool:
    """Whether every responsible employee to whom a notice is owed was written to, or cannot be (P93).

    It is owed to those who were there when the version was published. Who came later is written to as well
    and asked to accept; nobody is waited for, or signing up could hold a version back for ever.
    """
    assert document.published_at is not None, "only what is published is announced"
    return all(
        _is_announced(organization_id, document, recipients, belonged)
        for organization_id in organizations.parties_since(document.published_at)
    )


def progress(document: LegalDocument, organization_ids: Iterable[uuid.UUID]) -> Progress:
    """How far the letters about a change have come in these organizations; counts only, nobody is named."""
    found = Progress()
    for organization_id in organization_ids:
        with tenancy.tenant(organization_id, PURPOSE):
            found += Progress(**_counts(document))
    return found


def _counts(document: LegalDocument) -> dict[str, int]:
    failed, sent = Q(failed_at__isnull=False), Q(sent_at__isnull=False)
    return Notice.objects.filter(document_id=document.pk).aggregate(
        sent=Count("pk", sent & ~failed),
        failed=Count("pk", failed),
        waiting=Count("pk", ~sent & ~failed),
    )


def bounced(organization_id: uuid.UUID, notice_id: uuid.UUID, reply: str) -> None:
    """A notice came back after the server had taken it: it counts as not delivered (RFC 3464)."""
    with tenancy.tenant(organization_id, PURPOSE):
        _settle(Notice.objects.select_for_update().get(pk=notice_id), Failure.BOUNCED, reply)


def _is_announced(
    organization_id: uuid.UUID, document: LegalDocument, recipients: Recipients, belonged: Belonged
) -> bool:
    with tenancy.tenant(organization_id, PURPOSE):
        notices = Notice.objects.filter(document_id=document.pk)
        settled = {notice.user_id for notice in notices.defer("email", "reply") if notice.is_settled}
        untold = {recipient.user_id for recipient in recipients()} - settled
    assert document.published_at is not None
    return not untold or untold.isdisjoint(belonged(organization_id, document.published_at))


def _queue(organization_id: uuid.UUID, document: LegalDocument, recipients: Recipients) -> None:
    with tenancy.tenant(organization_id, PURPOSE):
        known = set(Notice.objects.filter(document_id=document.pk).values_list("user_id", flat=True))
        missing = [recipient for recipient in recipients() if recipient.user_id not in known]
        if not missing:
            return
        new = [_notice(document, recipient) for recipient in missing]
        Notice.objects.bulk_create(new, ignore_conflicts=True)
        audit.record(
            Event.DOCUMENT_ANNOUNCED, document=document.pk, version=document.version, notices=len(new)
        )


def _notice(document: LegalDocument, recipient: Responsible) -> Notice:
    notice_id = tenancy.new_id()
    return Notice(  # type: ignore[misc]  # an encrypted field is an attribute the plugin does not know
        id=notice_id,
        document_id=document.pk,
        user_id=recipient.user_id,
        locale=recipient.locale if recipient.locale in LOCALES else LOCALES[0],
        email=recipient.email,
        message_id=mailing.message_id(notice_id),
    )


def _give_up_on_lost_ones(organization_id: uuid.UUID, document: LegalDocument) -> None:
    """Handed over, and whoever did it never came back to say how it went."""
    now = timezone.now()
    with tenancy.tenant(organization_id, PURPOSE):
        lost = Notice.objects.filter(
            document_id=document.pk, handed_over_at__isnull=False, sent_at=None, failed_at=None
        ).filter(leased_until__lt=now)
        count = lost.update(failed_at=now, failure=Failure.FATE_UNKNOWN, leased_until=None)
    if count:
        logger.warning("fate of notices unknown", organization=str(organization_id), count=count)


def _take(organization_id: uuid.UUID, document: LegalDocument) -> Notice | None:
    """Lease one notice that is due; its address is opened here."""
    now = timezone.now()
    with tenancy.tenant(organization_id, PURPOSE):
        due = Notice.objects.filter(
            document_id=document.pk, due_at__lte=now, handed_over_at=None, sent_at=None, failed_at=None
        )
        free = due.filter(Q(leased_until=None) | Q(leased_until__lt=now)).order_by("due_at", "id")
        notice = free.select_for_update(skip_locked=True).first()
        if notice is None:
            return None
        notice.attempts += 1
        notice.leased_until = now + timedelta(seconds=settings.IVA_LEASE_SECONDS)
        notice.save(update_fields=["attempts", "leased_until"])
        _ = notice.email
        return notice


def _attempt(organization_id: uuid.UUID, document: LegalDocument, notice: Notice) -> bool:
    """Send one letter and enter how it went. True when the server took it."""

    def mark() -> None:
        with tenancy.tenant(organization_id, PURPOSE):
            _hand_over(notice)

    try:
        reply = mailing.send(letter(organization_id, document, notice), mark)
    except TakenOver:
        return False
    except mailing.Refused as refused:
        _enter(organization_id, notice, Failure.REFUSED, refused.reply)
    except mailing.FateUnknown:
        _enter(organization_id, notice, Failure.FATE_UNKNOWN, None)
    except mailing.NotHandedOver as not_handed_over:
        _wait_or_give_up(organization_id, notice, not_handed_over.reply)
    else:
        _enter(organization_id, notice, None, reply)
        return True
    return False


def letter(organization_id: uuid.UUID, document: LegalDocument, notice: Notice) -> EmailMessage:
    """The notice as an e-mail in the recipient's language."""
    with translation.override(notice.locale):
        context = {
            "organization": Organization.objects.get(pk=organization_id),
            "document": document,
            "effective_on": rendering.day(document.effective_at, notice.locale)
            if document.effective_at
            else "",
            "policy": _changed_policy(document),
            "site": settings.IVA_SITE_URL,
            "provider": provider.provider(notice.locale),
        }
        return EmailMessage(
            subject=gettext("The terms of IVA will change"),
            body=render_to_string("accounts/legal/notice.txt", context),
            to=[notice.email],
            headers={"Message-ID": notice.message_id, "Auto-Submitted": "auto-generated"},
        )


def _changed_policy(terms: LegalDocument) -> LegalDocument | None:
    """The privacy policy that comes with the terms, unless the terms before them had it already."""
    policy = terms.privacy_policy
    out = in_effect.published(Kind.TERMS).exclude(pk=terms.pk).filter(privacy_policy=policy)
    return None if out.filter(effective_at__lte=terms.effective_at).exists() else policy


def _hand_over(notice: Notice) -> None:
    now = timezone.now()
    mine = Notice.objects.filter(
        pk=notice.pk, leased_until=notice.leased_until, handed_over_at=None, sent_at=None, failed_at=None
    )
    leased_until = now + timedelta(seconds=max(settings.IVA_LEASE_SECONDS, 2 * settings.EMAIL_TIMEOUT))
    if not mine.update(handed_over_at=now, leased_until=leased_until):
        raise TakenOver(str(notice.pk))
    notice.leased_until = leased_until


def _enter(organization_id: uuid.UUID, notice: Notice, failure: Failure | None, reply: str | None) -> None:
    """Who knows that it arrived overrules everybody; who failed speaks only while the notice is theirs."""
    with tenancy.tenant(organization_id, PURPOSE):
        held = Notice.objects.select_for_update().get(pk=notice.pk)
        if failure is None or held.leased_until == notice.leased_until:
            _settle(held, failure, reply)


def _settle(held: Notice, failure: Failure | None, reply: str | None) -> None:
    now = timezone.now()
    held.sent_at = held.sent_at or (now if failure is None else None)
    held.failed_at, held.failure = (now, failure.value) if failure else (None, "")
    held.reply = reply
    held.leased_until = None
    held.save(update_fields=["sent_at", "failed_at", "failure", "reply", "leased_until"])


def _wait_or_give_up(organization_id: uuid.UUID, notice: Notice, reply: str) -> None:
    """Not handed over, so it may be tried again: after 1, 2, 4 … minutes, six hours at most, for days."""
    if notice.attempts >= MOST_ATTEMPTS:
        _enter(organization_id, notice, Failure.UNREACHABLE, reply)
        return
    wait = min(timedelta(minutes=2 ** (notice.attempts - 1)), LONGEST_WAIT)
    with tenancy.tenant(organization_id, PURPOSE):
        held = Notice.objects.select_for_update().get(pk=notice.pk)
        if held.leased_until != notice.leased_until:
            return
        held.due_at, held.leased_until, held.handed_over_at = timezone.now() + wait, None, None
        held.reply = reply
        held.save(update_fields=["due_at", "leased_until", "handed_over_at", "reply"])
