"""Sending the letters that were promised: address and text are made here and kept nowhere.

A letter is given to the mail server once. What fails before is tried again for a day; what breaks while the
text is handed over ends as `fate_unknown` (see `announcing`), and whoever misses the letter asks for another.
"""

import time
from collections.abc import Callable
from datetime import timedelta

import structlog
from django.utils import timezone

from accounts import composing, mailing
from accounts.composing import Composed, NobodyToWriteTo
from accounts.models import Letter
from iva import tenancy
from iva.audit import log as audit
from iva.audit.events import Event
from iva.outbox import draining, promising
from iva.outbox.models import Promise
from iva.personal_data import Purpose

TRIED_FOR = timedelta(days=1)
SHORTEST_WAIT, LONGEST_WAIT = 15.0, 1800.0
PAUSE = 30.0
PURPOSE = Purpose.ACCOUNT_MANAGE

logger = structlog.get_logger("accounts.posting")
_away_until = 0.0


class GivenToTheServer(Exception):
    """Another worker has handed the letter over meanwhile."""


def deliver(promise: Promise) -> None:
    """Send one letter, or try again later.

    While the mail server is away nothing else waits for it: for half a minute it is not asked again.
    """
    if time.monotonic() < _away_until:
        promising.postpone(promise, PAUSE)
        return
    composed = _compose(promise)
    if composed is not None:
        _send(promise, composed)


def _compose(promise: Promise) -> Composed | None:
    """The letter, or None when there is nothing to send; then the promise is kept."""
    with tenancy.tenant(promise.organization_id, PURPOSE):
        letter = Letter.objects.select_for_update().get(pk=promise.subject_id)
        failure = None
        if letter.handed_over_at is not None:
            failure = "fate_unknown"
        elif letter.written_at + TRIED_FOR < timezone.now():
            failure = "unreachable"
        try:
            if failure is None and not letter.is_settled:
                return composing.compose(letter)
        except NobodyToWriteTo:
            failure = "nobody"
        _settle(promise, letter, failure)
        return None


def _send(promise: Promise, composed: Composed) -> None:
    global _away_until
    try:
        mailing.send(composed.message, _marking(promise, composed))
    except GivenToTheServer:
        return
    except mailing.MailNotConfigured:
        logger.error("mail is not configured", task="letter")
        _try_again(promise, composed.letter)
    except mailing.Refused:
        _enter(promise, composed.letter, "refused")
    except mailing.FateUnknown:
        _enter(promise, composed.letter, "fate_unknown")
    except mailing.NotHandedOver:
        _away_until = time.monotonic() + PAUSE
        _try_again(promise, composed.letter)
    else:
        _enter(promise, composed.letter, None)


def _marking(promise: Promise, composed: Composed) -> Callable[[], None]:
    """The hash of the secret becomes good in the moment in which the text leaves."""

    def mark() -> None:
        with tenancy.tenant(promise.organization_id, PURPOSE):
            mine = Letter.objects.filter(pk=composed.letter.pk, handed_over_at=None, sent_at=None)
            if not mine.update(
                handed_over_at=timezone.now(),
                secret_hash=composed.secret_hash,
                expires_at=composed.good_for and timezone.now() + composed.good_for,
            ):
                raise GivenToTheServer(str(composed.letter.pk))

    return mark


def _try_again(promise: Promise, letter: Letter) -> None:
    with tenancy.tenant(promise.organization_id, PURPOSE):
        Letter.objects.filter(pk=letter.pk, sent_at=None).update(handed_over_at=None)
        wait = min(SHORTEST_WAIT * 2 ** min(promise.attempts, 10), LONGEST_WAIT)
        promising.postpone(promise, wait)


def _enter(promise: Promise, letter: Letter, failure: str | None) -> None:
    with tenancy.tenant(promise.organization_id, PURPOSE):
        _settle(promise, Letter.objects.select_for_update().get(pk=letter.pk), failure)


def _settle(promise: Promise, letter: Letter, failure: str | None) -> None:
    """Enter how it went, and keep the promise with it. What was settled before stays as it is."""
    draining.settle(promise.pk)
    if letter.is_settled:
        return
    now = timezone.now()
    letter.sent_at, letter.failed_at = (None, now) if failure else (now, None)
    letter.failure = failure or ""
    letter.save(update_fields=["sent_at", "failed_at", "failure"])
    if failure != "nobody":
        event = Event.LETTER_FAILED if failure else Event.LETTER_SENT
        audit.record(event, letter=letter.pk, kind=letter.kind, person=letter.person_id, reason=failure)


def wait_no_longer() -> None:
    """Ask the mail server again at once."""
    global _away_until
    _away_until = 0.0
