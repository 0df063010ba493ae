"""Housekeeping of access, and of the documents it rests on."""

import uuid

import structlog
from celery import shared_task
from django.core.management import call_command
from django.utils import timezone

from accounts import (
    agreements,
    announcing,
    changing_address,
    forgetting,
    inviting,
    lapsing,
    organizations,
    people,
)
from accounts.agreements import acknowledging
from accounts.mailing import MailNotConfigured

logger = structlog.get_logger("accounts.tasks")


@shared_task(name="accounts.clear_sessions")
def clear_sessions() -> None:
    """Delete the sessions that have expired."""
    call_command("clearsessions")


@shared_task(name="accounts.forget_usage")
def forget_usage(organization_id: str) -> None:
    """Shorten and delete what is old enough in one organization, or in the household."""
    count = forgetting.forget_usage(uuid.UUID(organization_id))
    if count:
        logger.info("usage forgotten", organization=organization_id, count=count)


@shared_task(name="accounts.forget_usage_everywhere")
def forget_usage_everywhere() -> None:
    """Visit every organization in turn; the household is one of them and has more to forget."""
    for organization_id in organizations.every_id():
        forget_usage.delay(str(organization_id))
    forgetting.forget_of_the_household()


@shared_task(name="accounts.let_sign_ups_lapse")
def let_sign_ups_lapse() -> None:
    """Forget the logins that nobody confirmed, and close the organizations that were founded with them."""
    count = lapsing.lapse()
    if count:
        logger.info("sign-ups lapsed", count=count)


@shared_task(name="accounts.send_address_letters")
def send_address_letters() -> None:
    """Send the letters of changes of address that are due."""
    try:
        changing_address.send_letters()
    except MailNotConfigured:
        logger.error("mail is not configured")


@shared_task(name="accounts.mail_invitations")
def mail_invitations(organization_id: str) -> None:
    """Send the invitations of one organization that are due."""
    try:
        inviting.mail(uuid.UUID(organization_id))
    except MailNotConfigured:
        logger.error("mail is not configured", organization=organization_id)


@shared_task(name="accounts.mail_invitations_everywhere")
def mail_invitations_everywhere() -> None:
    """Visit every organization in turn."""
    try:
        inviting.mail_everywhere()
    except MailNotConfigured:
        logger.error("mail is not configured")


@shared_task(name="accounts.announce")
def announce(organization_id: str, document_id: str) -> None:
    """Write to one organization's responsible employees about one significant change."""
    try:
        announcing.announce(uuid.UUID(organization_id), uuid.UUID(document_id), people.responsible)
    except MailNotConfigured:
        logger.error("mail is not configured", organization=organization_id)


@shared_task(name="accounts.announce_everywhere")
def announce_everywhere() -> None:
    """Visit every party in turn, for each significant change that has not taken effect."""
    for document in acknowledging.ahead():
        for organization_id in organizations.parties_since(timezone.now()):
            announce.delay(str(organization_id), str(document.pk))


@shared_task(name="accounts.take_effect")
def take_effect() -> None:
    """Let what is due, and announced, take effect."""
    moved = agreements.take_effect(
        lambda document: announcing.is_announced(document, people.responsible, people.belonged)
    )
    if moved:
        logger.info("legal documents took effect", count=len(moved))
