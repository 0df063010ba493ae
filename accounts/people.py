"""People: meeting them, their memberships, and what a change of roles may never do.

A person is met in the household and joins organizations one by one. An organization never loses its last
owner: whoever changes an owner's membership holds all of them, so that two owners cannot leave at once.
"""

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from accounts import household, links, one_line, passwords, roles, vouching
from accounts.addresses import AddressInvalid, normal_email, normal_phone
from accounts.models import LetterKind, Member, Membership, Person, User
from accounts.roles import NotPermitted, Permission, Role
from iva import tenancy
from iva.audit import log as audit
from iva.audit.actors import Actor, ActorKind
from iva.audit.events import Event
from iva.crypto import blind_index, bulk, keys
from iva.live import announcing as live

LONGEST_NAME = 200
MEMBERS_A_PAGE = 100
_ACTIVE = models.Q(ended_at=None, user__is_active=True, organization__suspended_at=None)


class AlreadyKnown(Exception):
    """Somebody with this e-mail address has a login; who, if that was to be found out."""

    def __init__(self, user_id: uuid.UUID | None = None) -> None:
        self.user_id = user_id
        super().__init__()


class AlreadyMember(Exception):
    """They belong to the organization."""


class NoSuchMember(LookupError):
    """Nobody of that id belongs to the organization, or no longer."""


class LastOwner(Exception):
    """An organization has at least one owner."""


class NobodyResponsible(Exception):
    """An organization has at least one responsible employee."""


class Profile(NamedTuple):
    """What an organization knows of a member (P18)."""

    name: str
    email: str
    position: str | None = None
    phone: str | None = None
    locale: str = "mn"


class Responsible(NamedTuple):
    """Who answers for the organization, and where to write to them."""

    user_id: uuid.UUID
    email: str
    locale: str


@dataclass(frozen=True, slots=True)
class Acting:
    """A member who is signed in to an organization. `proved_at` is when they last gave a second factor."""

    membership_id: uuid.UUID
    user_id: uuid.UUID
    organization_id: uuid.UUID
    role: Role
    proved_at: datetime | None = None

    @property
    def actor(self) -> Actor:
        return Actor(ActorKind.MEMBER, self.membership_id)

    def may(self, permission: Permission) -> bool:
        return roles.grants(self.role, permission)

    def require(self, permission: Permission) -> None:
        """Raises NotPermitted, and StepUpNeeded where the second factor is older than five minutes."""
        if not self.may(permission):
            raise NotPermitted(permission)
        if permission in roles.STEP_UP and not self._has_proved():
            raise roles.StepUpNeeded(permission)

    def may_hand_out(self, role: Role) -> bool:
        return roles.hands_out(self.role, role)

    def require_to_hand_out(self, role: Role) -> None:
        """Raises NotPermitted and StepUpNeeded."""
        self.require(Permission.MEMBERS_MANAGE)
        for permission in roles.lacking(self.role, role):
            raise NotPermitted(permission)

    def _has_proved(self) -> bool:
        return self.proved_at is not None and timezone.now() - self.proved_at <= roles.FRESH


def meet(email: str, password: str | None, *, locale: str = "mn") -> uuid.UUID:
    """A login for somebody new; returns the user's id.

    Raises AlreadyKnown, AddressInvalid and PasswordRefused. The address counts as theirs only after `verify`.
    """
    address = normal_email(email)
    if password is not None:
        passwords.refuse_weak(password, about=[address])
    household.found()
    with household.at_home():
        person = Person(email_bidx=_token(address), email=address, locale=locale)  # type: ignore[misc]
        if Person.objects.filter(email_bidx=person.email_bidx).exists():
            raise AlreadyKnown
        user = User(id=person.pk)
        user.set_password(password)
        try:
            with transaction.atomic():
                user.save(force_insert=True)
                keys.create(person.pk)
                person.save(force_insert=True)
        except IntegrityError:
            raise AlreadyKnown from None
        audit.record(Event.PERSON_MET, person=person.pk)
    return person.pk


def find(email: str) -> Person | None:
    """The person with this address, or None; inside `household.at_home()`. Raises AddressInvalid."""
    return Person.objects.filter(email_bidx=_token(normal_email(email))).first()


def sought(email: str) -> str:
    """A name for whoever is looked for, known or not, that does not say who it is; inside the household."""
    try:
        return _token(normal_email(email)).hex()
    except AddressInvalid:
        return "nobody"


def person(user_id: uuid.UUID) -> Person:
    """The person with this login; inside `household.at_home()`. Raises Person.DoesNotExist."""
    return Person.objects.get(pk=user_id)


def verify(person_id: uuid.UUID) -> None:
    """Their e-mail address is theirs: they have followed a link that was sent there.

    No other link that was sent to confirm it opens anything any more.
    """
    with household.at_home():
        links.take_back(LetterKind.CONFIRM_ADDRESS, person_id)
        if Person.objects.filter(pk=person_id, verified_at=None).update(verified_at=timezone.now()):
            audit.record(Event.PERSON_VERIFIED, actor=household.oneself(person_id), person=person_id)


def join(
    user_id: uuid.UUID, role: Role, profile: Profile, *, actor: Actor, is_responsible: bool = False
) -> Membership:
    """Make somebody a member of the active organization. Raises AlreadyMember and AddressInvalid."""
    organization_id = tenancy.active().organization_id
    phone = normal_phone(profile.phone) if profile.phone else None
    try:
        with transaction.atomic():
            membership = Membership.objects.create(
                user_id=user_id, organization_id=organization_id, role=role
            )
            keys.create(membership.pk)
    except IntegrityError:
        raise AlreadyMember from None
    Member.objects.create(
        pk=membership.pk,
        user_id=user_id,
        is_responsible=is_responsible,
        locale=profile.locale,
        name=one_line.flat(profile.name)[:LONGEST_NAME],
        position=profile.position and one_line.flat(profile.position),
        email=normal_email(profile.email),
        phone=phone,
    )
    audit.record(Event.MEMBER_JOINED, actor=actor, member=membership.pk, role=role)
    return membership


def memberships_of(user_id: uuid.UUID) -> list[Membership]:
    """Where somebody may enter now, with the organizations."""
    active = Membership.objects.filter(user_id=user_id, ended_at=None, organization__suspended_at=None)
    return list(active.select_related("organization").order_by("organization__name", "id"))


def zone_of(user_id: uuid.UUID) -> ZoneInfo:
    """In which zone times are told to somebody outside any organization: that of the first of theirs."""
    memberships = memberships_of(user_id)
    return ZoneInfo(memberships[0].organization.time_zone if memberships else settings.TIME_ZONE)


def members() -> list[tuple[Membership, Member]]:
    """The members of the active organization, in the order in which they joined."""
    active = {m.pk: m for m in _memberships().order_by("joined_at", "id")}
    known = {member.pk: member for member in Member.objects.filter(pk__in=active)}
    return [(membership, known[pk]) for pk, membership in active.items() if pk in known]


def memberships_with(wanted: Iterable[Role]) -> models.QuerySet[Membership]:
    """The memberships of the active organization that have one of these roles."""
    return _memberships().filter(role__in=[role.value for role in wanted])


def page_of_members(after: uuid.UUID | None = None) -> list[tuple[Membership, Member]]:
    """A hundred members in the order in which they joined, opened; `after` is the last of the page before."""
    found = _memberships().order_by("joined_at", "id")
    known_here = Membership.objects.filter(organization_id=tenancy.active().organization_id)
    last = known_here.filter(pk=after).first() if after else None
    if last is not None:
        later = models.Q(joined_at__gt=last.joined_at) | models.Q(joined_at=last.joined_at, id__gt=last.pk)
        found = found.filter(later)
    active = {membership.pk: membership for membership in found[:MEMBERS_A_PAGE]}
    known = {member.pk: member for member in Member.objects.filter(pk__in=active)}
    bulk.reveal(list(known.values()), "name", "email", "position", "phone")
    return [(membership, known[pk]) for pk, membership in active.items() if pk in known]


def member(membership_id: uuid.UUID) -> tuple[Membership, Member]:
    """One member of the active organization. Raises NoSuchMember."""
    membership = _memberships().filter(pk=membership_id).first()
    known = Member.objects.filter(pk=membership_id).first()
    if membership is None or known is None:
        raise NoSuchMember
    return membership, known


def names_of(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """What people of the active organization are called, by the id of their membership and of their login.

    Knows those who have left, too. Two queries, whoever is asked for.
    """
    known = list(Member.objects.filter(models.Q(pk__in=ids) | models.Q(user_id__in=ids)))
    bulk.reveal(known, "name")
    return {id: member.name for member in known for id in (member.user_id, member.pk)}


def login_of(membership_id: uuid.UUID) -> list[uuid.UUID]:
    """The id of a member's login, also of one who has left; nothing for who never belonged."""
    return list(Member.objects.filter(pk=membership_id).values_list("user_id", flat=True))


def responsible_names() -> list[str]:
    """What the responsible employees are called."""
    marked = list(Member.objects.filter(is_responsible=True))
    active = set(_memberships().filter(pk__in=[member.pk for member in marked]).values_list("id", flat=True))
    known = [member for member in marked if member.pk in active]
    bulk.reveal(known, "name")
    return [member.name for member in known]


def count() -> int:
    """How many members the active organization has."""
    return _memberships().count()


def responsible() -> Sequence[Responsible]:
    """Who gets the notices of the active organization: its responsible employees."""
    return [
        Responsible(member.user_id, member.email, member.locale)
        for _, member in members()
        if member.is_responsible
    ]


def belonged(organization_id: uuid.UUID, since: datetime) -> set[uuid.UUID]:
    """The logins of those who belong to an organization since then, and have confirmed their address."""
    with household.at_home():
        there = Membership.objects.filter(organization_id=organization_id, joined_at__lte=since)
        confirmed = Person.objects.filter(verified_at__isnull=False).values("pk")
        return set(there.filter(_ACTIVE, user_id__in=confirmed).values_list("user_id", flat=True))


def change_role(membership_id: uuid.UUID, role: Role, *, by: Acting) -> None:
    """Give a member another role.

    Raises NotPermitted, StepUpNeeded, NoSuchMember and LastOwner. Nobody hands out what they may not do
    themselves, so that only owners make owners; and only owners touch them.
    """
    by.require(Permission.MEMBERS_MANAGE)
    membership = _held(membership_id)
    if membership.role == Role.OWNER:
        by.require(Permission.OWNERS_MANAGE)
    if membership.role == role:
        return
    by.require_to_hand_out(role)
    _refuse_to_lose_the_last_owner(membership)
    Membership.objects.filter(pk=membership_id).update(role=role)
    vouching.take_back(membership_id, role, actor=by.actor)
    transaction.on_commit(lambda: live.access_changed(membership.user_id))
    audit.record(
        Event.MEMBER_ROLE_CHANGED,
        actor=by.actor,
        member=membership_id,
        before=membership.role,
        after=role,
    )


def hand_responsibility(membership_id: uuid.UUID, is_responsible: bool, *, by: Acting) -> None:
    """Say whether a member answers for the organization and gets its notices (P18, P94).

    Raises NobodyResponsible for the last one, NotPermitted, StepUpNeeded and NoSuchMember.
    """
    by.require(Permission.MEMBERS_MANAGE)
    membership = _held(membership_id)
    if membership.role == Role.OWNER:
        by.require(Permission.OWNERS_MANAGE)
    if not is_responsible and not _others_responsible(membership_id):
        raise NobodyResponsible
    changed = Member.objects.filter(pk=membership_id).exclude(is_responsible=is_responsible)
    if changed.update(is_responsible=is_responsible):
        event = Event.MEMBER_MADE_RESPONSIBLE if is_responsible else Event.MEMBER_RELIEVED
        audit.record(event, actor=by.actor, member=membership_id)


def revoke(membership_id: uuid.UUID, *, by: Acting) -> uuid.UUID:
    """End somebody's membership; their next request is refused. Raises like `change_role`.

    Returns whose login it was.
    """
    by.require(Permission.MEMBERS_MANAGE)
    membership = _held(membership_id)
    if membership.role == Role.OWNER:
        by.require(Permission.OWNERS_MANAGE)
    _end(membership, Event.MEMBER_REVOKED, by.actor)
    return membership.user_id


def leave(*, by: Acting) -> None:
    """End one's own membership. Raises LastOwner and NoSuchMember."""
    _end(_held(by.membership_id), Event.MEMBER_LEFT, by.actor)


def enter(user_id: uuid.UUID, organization_id: uuid.UUID, proved_at: datetime | None = None) -> Acting:
    """What somebody is to an organization just now; asked anew with each request. Raises NoSuchMember."""
    membership = (
        Membership.objects.filter(user_id=user_id, organization_id=organization_id).filter(_ACTIVE).first()
    )
    if membership is None:
        raise NoSuchMember
    return Acting(membership.pk, user_id, organization_id, Role(membership.role), proved_at)


def roles_of(membership_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Role]:
    """What these memberships are just now; those that have ended are missing."""
    active = Membership.objects.filter(pk__in=list(membership_ids)).filter(_ACTIVE)
    return {pk: Role(role) for pk, role in active.values_list("pk", "role")}


def require(actor: Actor, permissions: Iterable[Permission]) -> None:
    """Raises NotPermitted for who is no member of the active organization that may do all of this.

    What an actor may is asked anew, so that no caller can claim a role; fresh factors are the doors' to ask.
    """
    id = actor.id if actor.kind is ActorKind.MEMBER and isinstance(actor.id, uuid.UUID) else None
    held = _memberships().filter(_ACTIVE, pk=id).first() if id else None
    for permission in permissions:
        if held is None or not roles.grants(Role(held.role), permission):
            raise NotPermitted(permission)


def _memberships() -> models.QuerySet[Membership]:
    return Membership.objects.filter(organization_id=tenancy.active().organization_id, ended_at=None)


def _held(membership_id: uuid.UUID) -> Membership:
    """The membership, and every owner's, locked in the order of their ids until the transaction ends."""
    owners_and_them = _memberships().filter(models.Q(role=Role.OWNER) | models.Q(pk=membership_id))
    locked = {m.pk: m for m in owners_and_them.order_by("id").select_for_update(of=("self",))}
    try:
        return locked[membership_id]
    except KeyError:
        raise NoSuchMember from None


def _refuse_to_lose_the_last_owner(membership: Membership) -> None:
    others = _memberships().filter(role=Role.OWNER).exclude(pk=membership.pk)
    if membership.role == Role.OWNER and not others.exists():
        raise LastOwner


def _end(membership: Membership, event: Event, actor: Actor) -> None:
    _refuse_to_lose_the_last_owner(membership)
    Membership.objects.filter(pk=membership.pk, ended_at=None).update(ended_at=timezone.now())
    audit.record(event, actor=actor, member=membership.pk, role=membership.role)
    transaction.on_commit(lambda: live.access_changed(membership.user_id))
    vouching.take_back(membership.pk, None, actor=actor)
    _pass_responsibility_on(membership, actor)


def _pass_responsibility_on(gone: Membership, actor: Actor) -> None:
    """Somebody is always told of changes: after the last responsible one, the owner of longest standing."""
    was = Member.objects.filter(pk=gone.pk, is_responsible=True).update(is_responsible=False)
    heir = _memberships().filter(role=Role.OWNER).order_by("joined_at", "id").first()
    if was and heir is not None and not _others_responsible(gone.pk):
        Member.objects.filter(pk=heir.pk).update(is_responsible=True)
        audit.record(Event.MEMBER_MADE_RESPONSIBLE, actor=actor, member=heir.pk)


def _others_responsible(membership_id: uuid.UUID) -> bool:
    marked = Member.objects.filter(is_responsible=True).exclude(pk=membership_id)
    return _memberships().filter(pk__in=list(marked.values_list("id", flat=True))).exists()


def _token(address: str) -> bytes:
    return blind_index.token("person.email", address)
