"""Mailing invitations: after the commit, by a worker that is told ids only.

The link's secret is made by whoever writes the letter, just before it leaves, and lies nowhere else: not in a
task, not in a queue. Each letter therefore makes the one before it worthless, and a letter that may or may
not have arrived is simply sent again. Two workers do not send the same one: the row says when it is next due.
"""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext

from accounts import invitations, mailing, one_line, organizations, provider
from accounts.models import Invitation, Organization
from accounts.models.documents import LOCALES
from accounts.role_words import ROLE_NAMES
from accounts.roles import Role
from iva import tenancy
from iva.audit import log as audit
from iva.audit.events import Event
from iva.personal_data import Purpose

MOST_ATTEMPTS = 12
LONGEST_WAIT = timedelta(hours=6)
PURPOSE = Purpose.ACCOUNT_MANAGE

logger = structlog.get_logger("accounts.inviting")


class Taken(NamedTuple):
    """An invitation that nobody else mails until it is due again."""

    invitation_id: uuid.UUID
    is_last_attempt: bool


class Letter(NamedTuple):
    """What is needed to write to somebody."""

    invitation_id: uuid.UUID
    email: str
    role: Role
    token: str


def mail(organization_id: uuid.UUID) -> int:
    """Send the invitations of one organization that are due; returns how many the server took.

    May run as often and in as many workers as one likes. Raises MailNotConfigured.
    """
    if not (mailing.is_configured() and settings.IVA_SITE_URL):
        raise mailing.MailNotConfigured("IVA_EMAIL_URL and IVA_SITE_URL are needed to invite")
    sent = 0
    while (taken := _take(organization_id)) is not None:
        sent += _attempt(organization_id, taken)
    return sent


def mail_everywhere() -> None:
    """What a lost nudge or a mail server that was away has left. Raises MailNotConfigured.

    What goes wrong in one organization stops no other.
    """
    for organization_id in organizations.every_id():
        try:
            mail(organization_id)
        except mailing.MailNotConfigured:
            raise
        except Exception as error:
            logger.error("invitations wait", organization=str(organization_id), error=type(error).__name__)


def written(organization: Organization, letter: Letter) -> EmailMessage:
    """The letter, in every language: nobody knows yet which one its reader prefers."""
    return EmailMessage(
        subject=" · ".join(_in(locale, lambda: _subject(organization)) for locale in LOCALES),
        body="\n\n—\n\n".join(_in(locale, lambda: _body(organization, letter)) for locale in LOCALES),
        to=[letter.email],
        headers={"Auto-Submitted": "auto-generated"},
    )


def _take(organization_id: uuid.UUID) -> Taken | None:
    """The next invitation that is due. Nothing is opened here: one that cannot be read stops no other."""
    now = timezone.now()
    with tenancy.tenant(organization_id, PURPOSE):
        waiting = Invitation.objects.filter(accepted_at=None, revoked_at=None, expires_at__gt=now)
        due = waiting.filter(due_at__lte=now).order_by("due_at", "id")
        invitation = due.select_for_update(skip_locked=True).first()
        if invitation is None:
            return None
        invitation.attempts += 1
        invitation.due_at = now + min(timedelta(minutes=2 ** (invitation.attempts - 1)), LONGEST_WAIT)
        invitation.save(update_fields=["attempts", "due_at"])
        return Taken(invitation.pk, invitation.attempts >= MOST_ATTEMPTS)


def _attempt(organization_id: uuid.UUID, taken: Taken) -> bool:
    """Whether the server took the letter. Whatever stops one letter stops no other, and is tried again."""
    try:
        return _send(organization_id, taken.invitation_id)
    except mailing.Refused:
        _enter(organization_id, taken.invitation_id, has_failed=True)
    except Exception as error:
        logger.warning("an invitation waits", organization=str(organization_id), error=type(error).__name__)
        if taken.is_last_attempt:
            _enter(organization_id, taken.invitation_id, has_failed=True)
    return False


def _send(organization_id: uuid.UUID, invitation_id: uuid.UUID) -> bool:
    letter = _letter(organization_id, invitation_id)
    if letter is None:
        return False
    mailing.send(written(Organization.objects.get(pk=organization_id), letter), lambda: None)
    _enter(organization_id, invitation_id, has_failed=False)
    return True


def _letter(organization_id: uuid.UUID, invitation_id: uuid.UUID) -> Letter | None:
    """What is written, with a new secret; nothing if the invitation was taken back meanwhile."""
    with tenancy.tenant(organization_id, PURPOSE):
        waiting = Invitation.objects.filter(pk=invitation_id, accepted_at=None, revoked_at=None)
        invitation = waiting.select_for_update().first()
        if invitation is None:
            return None
        token = invitations.with_new_secret(invitation)
        return Letter(invitation.pk, invitation.email, Role(invitation.role), token)


def _enter(organization_id: uuid.UUID, invitation_id: uuid.UUID, *, has_failed: bool) -> None:
    now = timezone.now()
    became = {"failed_at": now} if has_failed else {"mailed_at": now, "failed_at": None}
    with tenancy.tenant(organization_id, PURPOSE):
        Invitation.objects.filter(pk=invitation_id).update(due_at=None, **became)
        outcome = "failed" if has_failed else "taken"
        audit.record(Event.INVITATION_MAILED, invitation=invitation_id, outcome=outcome)


def _in(locale: str, write: Callable[[], str]) -> str:
    with translation.override(locale):
        return write()


def _subject(organization: Organization) -> str:
    return gettext("%(organization)s invites you to IVA") % {"organization": one_line.flat(organization.name)}


def _body(organization: Organization, letter: Letter) -> str:
    context = {
        "organization": organization,
        "role": ROLE_NAMES[letter.role],
        "link": f"{settings.IVA_SITE_URL}/invitations/{letter.token}/",
        "days": invitations.GOOD_FOR.days,
        "provider": provider.provider(translation.get_language() or LOCALES[0]),
    }
    return render_to_string("accounts/invitation.txt", context).strip()
