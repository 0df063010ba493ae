"""Inviting somebody into the active organization.

The link's token names the organization (`accounts/tokens.py`). It opens once, for a week, and only for the
address it was sent to, and only while whoever sent it could send it still.
"""

import hmac
import uuid
from datetime import timedelta
from typing import NamedTuple

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import agreements, household, people, roles, throttling, tokens
from accounts.addresses import normal_email
from accounts.agreements import Where
from accounts.models import Invitation, Membership, Person
from accounts.people import Acting, Profile
from accounts.roles import Permission, Role
from accounts.tokens import Token
from iva import tenancy
from iva.audit import log as audit
from iva.audit.events import Event
from iva.crypto import blind_index, bulk
from iva.personal_data import Purpose

PREFIX = "ivi_"
GOOD_FOR = timedelta(days=7)


class InvitationInvalid(Exception):
    """The link opens nothing. Why is not said: unknown, used, revoked, expired and left behind look alike."""


class AlreadyInvited(Exception):
    """There is an open invitation for this address; revoke it first."""


class MeantForAnother(Exception):
    """The invitation was sent to another address than the one of who is signed in."""


class Agreeing(NamedTuple):
    """What somebody new accepts together with the invitation: digests of what they were shown."""

    terms: str
    privacy_policy: str
    where: Where | None = None


class Offer(NamedTuple):
    """What an open invitation offers: shown before anything is accepted."""

    organization_id: uuid.UUID
    invitation_id: uuid.UUID
    email: str
    role: Role


def invite(email: str, role: Role, *, by: Acting) -> tuple[Invitation, str]:
    """An invitation and its token, which is mailed and kept nowhere.

    Raises NotPermitted for a role that grants more than one's own, StepUpNeeded, AddressInvalid,
    AlreadyInvited, TooManyLetters and TooManyInvitations.
    """
    by.require_to_hand_out(role)
    address, secret, now = normal_email(email), tokens.new_secret(), timezone.now()
    token = blind_index.token("invitation.email", address)
    waiting = Invitation.objects.filter(email_bidx=token, accepted_at=None, revoked_at=None)
    waiting.filter(expires_at__lte=now).update(revoked_at=now)
    try:
        with transaction.atomic():
            invitation = Invitation.objects.create(
                email=address,
                email_bidx=token,
                role=role,
                secret_hash=tokens.kept(secret),
                invited_by=by.membership_id,
                expires_at=now + GOOD_FOR,
                due_at=now,
            )
            _count(address, by)
    except IntegrityError:
        raise AlreadyInvited from None
    audit.record(Event.MEMBER_INVITED, actor=by.actor, invitation=invitation.pk, role=role)
    return invitation, tokens.pack(PREFIX, Token(invitation.organization_id, invitation.pk, secret))


def revoke(invitation_id: uuid.UUID, *, by: Acting) -> None:
    """Take an open invitation back; one of an owner only as an owner.

    Raises NotPermitted, StepUpNeeded and InvitationInvalid.
    """
    by.require(Permission.MEMBERS_MANAGE)
    if _held(invitation_id).role == Role.OWNER:
        by.require(Permission.OWNERS_MANAGE)
    Invitation.objects.filter(pk=invitation_id).update(revoked_at=timezone.now())
    audit.record(Event.INVITATION_REVOKED, actor=by.actor, invitation=invitation_id)


def renew(invitation_id: uuid.UUID, *, by: Acting) -> None:
    """Let an open invitation be mailed again, for another week; the link of the earlier letter opens no more.

    Raises NotPermitted, StepUpNeeded, InvitationInvalid, TooManyLetters and TooManyInvitations.
    """
    by.require(Permission.MEMBERS_MANAGE)
    invitation = _held(invitation_id)
    by.require_to_hand_out(Role(invitation.role))
    _count(invitation.email, by)
    now = timezone.now()
    invitation.expires_at, invitation.due_at, invitation.attempts = now + GOOD_FOR, now, 0
    invitation.failed_at = None
    invitation.save(update_fields=["expires_at", "due_at", "attempts", "failed_at"])
    audit.record(Event.INVITATION_RENEWED, actor=by.actor, invitation=invitation_id)


def with_new_secret(invitation: Invitation) -> str:
    """A token for an open invitation, instead of the one before; the caller holds the row."""
    secret = tokens.new_secret()
    invitation.secret_hash = tokens.kept(secret)
    invitation.save(update_fields=["secret_hash"])
    return tokens.pack(PREFIX, Token(invitation.organization_id, invitation.pk, secret))


def pending() -> list[Invitation]:
    """The open invitations of the active organization, the newest first, with their addresses opened."""
    waiting = Invitation.objects.filter(accepted_at=None, revoked_at=None, expires_at__gt=timezone.now())
    found = list(waiting.order_by("-id")[:500])
    bulk.reveal(found, "email")
    return found


def look_at(token: str) -> Offer:
    """What the link offers. Raises InvitationInvalid."""
    organization_id, invitation_id, secret = _unpack(token)
    with tenancy.tenant(organization_id, Purpose.ACCOUNT_MANAGE):
        invitation = _open(invitation_id, secret)
        return Offer(organization_id, invitation_id, invitation.email, Role(invitation.role))


def accept(token: str, user_id: uuid.UUID, profile: Profile, agreeing: Agreeing | None = None) -> Membership:
    """Join with the link, once, whoever else tries in the same moment.

    The e-mail address in the profile is the invited one, whatever the caller says; the documents are
    accepted in the same transaction or, without `agreeing`, asked for when they enter. Raises
    InvitationInvalid, MeantForAnother, AlreadyMember, AddressInvalid, DocumentsChanged and NothingInEffect.
    """
    organization_id, invitation_id, secret = _unpack(token)
    with household.at_home():
        person = Person.objects.filter(pk=user_id).first()
        address = person.email if person else None
    with tenancy.tenant(organization_id, Purpose.ACCOUNT_MANAGE):
        invitation = _open(invitation_id, secret)
        if invitation.email != address:
            raise MeantForAnother
        used = Invitation.objects.filter(pk=invitation_id, accepted_at=None, revoked_at=None)
        if not used.update(accepted_at=timezone.now()):
            raise InvitationInvalid
        actor = household.oneself(user_id)
        membership = people.join(
            user_id, Role(invitation.role), profile._replace(email=invitation.email), actor=actor
        )
        if agreeing is not None:
            agreements.accept(user_id, **agreeing._asdict(), locale=profile.locale, actor=actor)
        audit.record(Event.INVITATION_ACCEPTED, actor=actor, invitation=invitation_id, member=membership.pk)
    return membership


def _count(address: str, by: Acting) -> None:
    """The platform is nobody's mail bomb: counted for the mailbox, whoever writes, and the organization."""
    throttling.count_unasked_letter(address)
    throttling.count_invitation(str(by.organization_id))


def _held(invitation_id: uuid.UUID) -> Invitation:
    """An invitation that is neither used nor taken back, locked until the transaction ends."""
    held = Invitation.objects.select_for_update().filter(pk=invitation_id, accepted_at=None, revoked_at=None)
    invitation = held.first()
    if invitation is None:
        raise InvitationInvalid
    return invitation


def _open(invitation_id: uuid.UUID, secret: bytes) -> Invitation:
    invitation = Invitation.objects.filter(pk=invitation_id).first()
    stored = bytes(invitation.secret_hash) if invitation else bytes(32)
    if not hmac.compare_digest(stored, tokens.kept(secret)) or invitation is None:
        raise InvitationInvalid
    ended = invitation.accepted_at or invitation.revoked_at
    if ended is not None or invitation.expires_at <= timezone.now() or not _is_vouched_for(invitation):
        raise InvitationInvalid
    return invitation


def _is_vouched_for(invitation: Invitation) -> bool:
    """Whether who invited is still a member and could still give this role (`accounts.vouching`)."""
    own = people.roles_of([invitation.invited_by]).get(invitation.invited_by)
    return own is not None and roles.hands_out(own, Role(invitation.role))


def _unpack(token: str) -> Token:
    try:
        return tokens.unpack(PREFIX, token)
    except tokens.NotAToken:
        raise InvitationInvalid from None
