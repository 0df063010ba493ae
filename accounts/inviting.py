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

from accounts import invitations, mailing, organizations, provider
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


class Letter(NamedTuple):
    """What is needed to write to somebody."""

    invitation_id: uuid.UUID
    email: str
    role: Role
    token: str
    is_last_attempt: bool


def mail(organization_id: uuid.UUID) -> int:
    """Send the invitations of one organization that are due; returns how many the server took.

    May run as often and in as many workers as one likes. Raises MailNotConfigured.
    """
    if not (mailing.is_configured() and settings.IVA_SITE_URL):
        raise mailing.MailNotConfigured("IVA_EMAIL_URL and IVA_SITE_URL are needed to invite")
    sent = 0
    while (letter := _take(organization_id)) is not None:
        sent += _send(organization_id, letter)
    return sent


def mail_everywhere() -> None:
    """What a lost nudge or a mail server that was away has left. Raises MailNotConfigured."""
    for organization_id in organizations.every_id():
        mail(organization_id)


def written(organization: Organization, letter: Letter) -> EmailMessage:
    """The letter, in every language: nobody knows yet which one its reader prefers."""
    return EmailMessage(
        subject=" · ".join(_in(locale, lambda: _subject(organization)) for locale in LOCALES),
        body="\n\n—\n\n".join(_in(locale, lambda: _body(organization, letter)) for locale in LOCALES),
        to=[letter.email],
        headers={"Auto-Submitted": "auto-generated"},
    )


def _take(organization_id: uuid.UUID) -> Letter | None:
    """The next invitation that is due, with a new secret; nobody else takes it until it is due again."""
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
        return Letter(
            invitation.pk,
            invitation.email,
            Role(invitation.role),
            invitations.with_new_secret(invitation),
            invitation.attempts >= MOST_ATTEMPTS,
        )


def _send(organization_id: uuid.UUID, letter: Letter) -> bool:
    organization = Organization.objects.get(pk=organization_id)
    try:
        mailing.send(written(organization, letter), lambda: None)
    except mailing.Refused:
        _enter(organization_id, letter, has_failed=True)
        return False
    except (mailing.NotHandedOver, mailing.FateUnknown) as error:
        logger.warning("an invitation waits", organization=str(organization_id), error=type(error).__name__)
        if letter.is_last_attempt:
            _enter(organization_id, letter, has_failed=True)
        return False
    _enter(organization_id, letter, has_failed=False)
    return True


def _enter(organization_id: uuid.UUID, letter: Letter, *, has_failed: bool) -> None:
    now = timezone.now()
    became = {"failed_at": now} if has_failed else {"mailed_at": now, "failed_at": None}
    with tenancy.tenant(organization_id, PURPOSE):
        Invitation.objects.filter(pk=letter.invitation_id).update(due_at=None, **became)
        outcome = "failed" if has_failed else "taken"
        audit.record(Event.INVITATION_MAILED, invitation=letter.invitation_id, outcome=outcome)


def _in(locale: str, write: Callable[[], str]) -> str:
    with translation.override(locale):
        return write()


def _subject(organization: Organization) -> str:
    return gettext("%(organization)s invites you to IVA") % {"organization": organization.name}


def _body(organization: Organization, letter: Letter) -> str:
    context = {
        "organization": organization,
        "role": ROLE_NAMES[letter.role],
        "link": f"{settings.IVA_SITE_URL}/invitations/{letter.token}/",
        "days": invitations.GOOD_FOR.days,
        "provider": provider.provider(translation.get_language() or LOCALES[0]),
    }
    return render_to_string("accounts/invitation.txt", context).strip()
