"""Sign-ups that nobody confirmed lapse after a week (P76).

The login goes, with the address, which is nobody's again; what the organization knew of its only member goes
too, and the organization is closed and past its contract. What was accepted and what the trail says stays:
neither can be deleted. Every step is a transaction of its own that may be repeated; what a crash leaves is
found again.
"""

import uuid
from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone

from accounts import household, links, organizations, sign_ins
from accounts.models import Acceptance, LetterKind, Member, Membership, Organization, Person, User
from accounts.models.documents import Method
from iva import tenancy
from iva.audit import log as audit
from iva.audit.events import Event
from iva.personal_data import Purpose

CONFIRMED_WITHIN = timedelta(days=7)
BATCH = 500
PURPOSE = Purpose.ACCOUNT_MANAGE


def lapse() -> int:
    """Let every sign-up lapse that is due. How many logins went."""
    gone = sum(_forget(user_id) for user_id in _unconfirmed() if _only_signed_up(user_id))
    for membership in _bereft():
        _close(membership)
    return gone


def _unconfirmed() -> Iterator[uuid.UUID]:
    """The logins that are older than a week and were never confirmed, the oldest first."""
    last = uuid.UUID(int=0)
    while True:
        with household.at_home(PURPOSE):
            before = timezone.now() - CONFIRMED_WITHIN
            waiting = Person.objects.filter(verified_at=None, first_seen_at__lt=before, pk__gt=last)
            batch = list(waiting.order_by("pk").values_list("pk", flat=True)[:BATCH])
        if not batch:
            return
        yield from batch
        last = batch[-1]


def _only_signed_up(user_id: uuid.UUID) -> bool:
    """Whether all they ever did is sign up: an operator may have founded an organization for them."""
    memberships = Membership.objects.filter(user_id=user_id)
    return all(_is_a_sign_up(each.organization_id, user_id) for each in memberships)


def _is_a_sign_up(organization_id: uuid.UUID, user_id: uuid.UUID) -> bool:
    if Membership.objects.filter(organization_id=organization_id).exclude(user_id=user_id).exists():
        return False
    with tenancy.tenant(organization_id, PURPOSE):
        return Acceptance.objects.filter(user_id=user_id, method=Method.REGISTRATION).exists()


def _forget(user_id: uuid.UUID) -> bool:
    """Delete the login, unless it is being confirmed: who follows the link holds it until they are done."""
    with household.at_home(PURPOSE):
        links.take_back(LetterKind.CONFIRM_ADDRESS, user_id)
        person = Person.objects.select_for_update().filter(pk=user_id, verified_at=None).first()
        if person is None:
            return False
        links.take_back(LetterKind.RESET_PASSWORD, user_id)
        sign_ins.end_all(user_id)
        User.objects.filter(pk=user_id).update(is_active=False)
        person.delete()
        audit.record(Event.SIGN_UP_LAPSED, person=user_id)
        return True


def _bereft() -> list[Membership]:
    """Memberships of logins that went."""
    closed = Membership.objects.filter(ended_at=None, user__is_active=False)
    with household.at_home(PURPOSE):
        return list(closed.exclude(user_id__in=Person.objects.values("pk")).order_by("pk"))


def _close(membership: Membership) -> None:
    with tenancy.tenant(membership.organization_id, PURPOSE):
        Membership.objects.filter(pk=membership.pk).update(ended_at=timezone.now())
        Member.objects.filter(pk=membership.pk).delete()
        organizations.close(Organization.objects.get(pk=membership.organization_id))
        audit.record(Event.SIGN_UP_LAPSED, member=membership.pk)
