"""Sign-ups that nobody confirmed lapse after a week (P76).

The login goes, with the address, which is nobody's again; what the organization knew of its only member goes
too, and the organization is closed and past its contract. What was accepted and what the trail says stays:
neither can be deleted. Every step is a transaction of its own that may be repeated; what a crash leaves is
found again.

Whoever shows that an unconfirmed login is theirs, or signs up with it again, has nothing of what waits: they
`give_up` its sign-ups in the transaction in which they take it, and `close` them afterwards.
"""

import uuid
from collections.abc import Collection, Iterator
from datetime import timedelta

import structlog
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts import household, links, organizations, people, sign_ins
from accounts.models import Acceptance, Letter, LetterKind, Member, Membership, Organization, Person, User
from accounts.models.documents import Method
from iva import tenancy
from iva.audit import log as audit
from iva.audit.events import Event
from iva.personal_data import Purpose

CONFIRMED_WITHIN = timedelta(days=7)
BATCH = 500
PURPOSE = Purpose.ACCOUNT_MANAGE

logger = structlog.get_logger("accounts.lapsing")


def lapse() -> int:
    """Let every sign-up lapse that is due. How many logins went. What goes wrong with one stops no other."""
    gone = sum(_let_go(user_id) for user_id in _unconfirmed())
    for membership in _bereft():
        try:
            close(membership)
        except Exception as error:
            logger.error("a sign-up waits", membership=str(membership.pk), error=type(error).__name__)
    return gone


def sign_ups_of(user_id: uuid.UUID) -> set[uuid.UUID]:
    """The organizations that somebody has signed up and that nobody else belongs to; outside any tenant."""
    memberships = Membership.objects.filter(user_id=user_id, ended_at=None)
    return {each.organization_id for each in memberships if _is_a_sign_up(each.organization_id, user_id)}


def others_of(user_id: uuid.UUID) -> set[uuid.UUID]:
    """The organizations that somebody belongs to without having signed them up; outside any tenant."""
    active = Membership.objects.filter(user_id=user_id, ended_at=None)
    return set(active.values_list("organization_id", flat=True)) - sign_ups_of(user_id)


def give_up(user_id: uuid.UUID, *, but: Collection[uuid.UUID]) -> list[Membership]:
    """End what a login belongs to except for these organizations; what is then to be closed.

    The caller holds the login, and nobody has confirmed it.
    """
    given_up = Membership.objects.filter(user_id=user_id, ended_at=None).exclude(organization_id__in=but)
    memberships = list(given_up.order_by("pk"))
    given_up.update(ended_at=timezone.now())
    return memberships


def emptied(email: str) -> uuid.UUID:
    """The login of an address with which somebody signed up and nothing else, without what was signed up.

    Raises AlreadyKnown for every other login, and AddressInvalid.
    """
    with household.at_home(PURPOSE):
        found = people.find(email)
    if found is None or others_of(found.pk):
        raise people.AlreadyKnown
    with household.at_home(PURPOSE):
        if not Person.objects.select_for_update().filter(pk=found.pk, verified_at=None).exists():
            raise people.AlreadyKnown
        given_up = give_up(found.pk, but=())
    for membership in given_up:
        close(membership)
    return found.pk


def close(membership: Membership) -> None:
    """Forget the only member of an organization that nobody confirmed, and close it; outside any tenant."""
    with tenancy.tenant(membership.organization_id, PURPOSE):
        Membership.objects.filter(pk=membership.pk, ended_at=None).update(ended_at=timezone.now())
        Member.objects.filter(pk=membership.pk).delete()
        organizations.close(Organization.objects.get(pk=membership.organization_id))
        audit.record(Event.SIGN_UP_LAPSED, member=membership.pk)


def _unconfirmed() -> Iterator[uuid.UUID]:
    """The logins that are older than a week and were never confirmed, the oldest first.

    A link that is still good is waited for.
    """
    last = uuid.UUID(int=0)
    while True:
        with household.at_home(PURPOSE):
            before = timezone.now() - CONFIRMED_WITHIN
            waiting = Person.objects.filter(verified_at=None, first_seen_at__lt=before, pk__gt=last)
            batch = list(waiting.exclude(_has_a_link()).order_by("pk").values_list("pk", flat=True)[:BATCH])
        if not batch:
            return
        yield from batch
        last = batch[-1]


def _has_a_link() -> Exists:
    good = Letter.objects.filter(used_at=None, expires_at__gt=timezone.now())
    return Exists(good.filter(person_id=OuterRef("pk"), kind=LetterKind.CONFIRM_ADDRESS))


def _let_go(user_id: uuid.UUID) -> bool:
    try:
        return _only_signed_up(user_id) and _forget(user_id)
    except Exception as error:
        logger.error("a sign-up waits", person=str(user_id), error=type(error).__name__)
        return False


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
    """Memberships of logins that went, and those given up whose organization is still to be closed."""
    closed = Membership.objects.filter(ended_at=None, user__is_active=False)
    there = Membership.objects.filter(organization_id=OuterRef("organization_id"))
    left = Membership.objects.filter(ended_at__isnull=False, organization__contract_ended_at=None)
    left = left.exclude(Exists(there.filter(Q(ended_at=None) | ~Q(pk=OuterRef("pk")))))
    with household.at_home(PURPOSE):
        gone = list(closed.exclude(user_id__in=Person.objects.values("pk")).order_by("pk"))
    return gone + list(left.order_by("pk"))
