"""Signing up: an organization, its responsible employee and what they accept come into being together (P6).

One transaction founds the organization, writes the acceptance of the exact documents that count now, and
makes the employee its owner: there is no organization without its acceptance. The login is made just before
it, in the household, without a password: that is chosen by the link in the letter, so that whoever signs
somebody else's address up knows nothing that opens anything. A login that was never verified nor used is
nobody's yet, and is taken: the newest sign-up counts, what waited under the address is closed, and its links
are taken back. Whoever confirms is shown what waits, and confirms that and nothing else.
"""

import secrets
import uuid
from collections.abc import Collection
from typing import NamedTuple

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from accounts import (
    agreements,
    household,
    lapsing,
    letters,
    links,
    organizations,
    people,
    sign_ins,
    signing_in,
    throttling,
)
from accounts.addresses import AddressInvalid, normal_email, normal_phone
from accounts.agreements import Where
from accounts.links import LinkInvalid
from accounts.models import LetterKind, Member, Membership, Organization, Person, User
from accounts.models.documents import Method
from accounts.people import AlreadyKnown, Profile
from accounts.roles import Role
from iva import tenancy
from iva.personal_data import Purpose

CHANCE = "abcdefghjkmnpqrstuvwxyz23456789"
LONGEST_LATIN = 40
DIGITS_SHOWN = 4
CONFIRM = LetterKind.CONFIRM_ADDRESS
LATIN = dict(zip("абвгдеёжзийклмноөпрстуүфхцчшщъыьэюя", [
    *("a", "b", "v", "g", "d", "ye", "yo", "j", "z", "i", "i", "k", "l", "m", "n", "o", "u"),
    *("p", "r", "s", "t", "u", "u", "f", "kh", "ts", "ch", "sh", "sh", "", "y", "", "e", "yu", "ya"),
], strict=True))  # fmt: skip
"""Mongolian Cyrillic as it is usually written in Latin letters."""


class NameTaken(Exception):
    """Another organization goes by this short name."""


class Accepted(NamedTuple):
    """The digests of the documents that were shown and accepted."""

    terms: str
    privacy_policy: str


class Founded(NamedTuple):
    """A new organization and its first owner, whose e-mail address is still to be verified."""

    organization: Organization
    membership: Membership
    user_id: uuid.UUID


class Waiting(NamedTuple):
    """What whoever confirms is asked about: what was typed, of the phone its last digits."""

    organization_id: uuid.UUID
    organization: str
    name: str
    position: str
    phone: str


class _Login(NamedTuple):
    """Whose address it is: theirs once somebody has verified it. Until then what waits is given up."""

    user_id: uuid.UUID
    is_verified: bool
    waiting: Collection[uuid.UUID] = ()


def ask(name: str, profile: Profile, accepted: Accepted, where: Where) -> None:
    """Sign up, or let whoever has the address know that they have a login; the caller learns neither.

    For an address that has a login the same is done, with the same statements, and rolled back. The short
    name is made of the name and chance: one that somebody could take would tell whether it was taken. Once a
    mailbox was written to often enough, nothing is done at all, and nobody is told.
    Raises DocumentsChanged, NothingInEffect and AddressInvalid.
    """
    agreements.refuse_stale(*accepted)
    _refuse_what_cannot_be(profile)
    household.found()
    with household.at_home():
        if not throttling.may_write(people.sought(profile.email), where.ip_address or ""):
            return
    user_id: uuid.UUID | None
    try:
        user_id = sign_up(name, short_name(name), profile, accepted, where).user_id
    except AlreadyKnown as known:
        user_id = known.user_id
    with household.at_home():
        is_known = Person.objects.filter(pk=user_id, verified_at__isnull=False).exists()
        if user_id is not None:
            links.take_back(CONFIRM, user_id)
        letters.write(LetterKind.ALREADY_KNOWN if is_known else CONFIRM, user_id)


def look_at(token: str) -> uuid.UUID:
    """Whose address the link confirms. Raises LinkInvalid."""
    with household.at_home():
        return links.look_at(CONFIRM, token)


def waiting(user_id: uuid.UUID) -> list[Waiting]:
    """What becomes theirs with the address; outside any tenant."""
    return [_waiting(membership) for membership in people.memberships_of(user_id)]


def confirm(
    token: str,
    password: str,
    shown: Collection[uuid.UUID] = (),
    accepted: Accepted | None = None,
    where: Where | None = None,
) -> uuid.UUID:
    """The link that was sent to an address has been followed: it is theirs, with the password they choose.

    `shown` are the organizations that were shown to become theirs; `accepted` is what they were shown with
    them. Nothing that was known or begun before opens it. Raises LinkInvalid, also where meanwhile something
    else waits, PasswordRefused, and for organizations DocumentsChanged and NothingInEffect; what is refused
    does not use up the link.
    """
    if shown:
        agreements.refuse_stale(*(accepted or Accepted("", "")))
    with household.at_home():
        user_id = links.use(CONFIRM, token)
        signing_in.choose_password(user_id, password)
        if {each.organization_id for each in people.memberships_of(user_id)} != set(shown):
            raise LinkInvalid
        people.verify(user_id)
        sign_ins.end_all(user_id)
        locale = people.person(user_id).locale
    for organization_id in shown if accepted else ():
        _accept(organization_id, user_id, accepted, locale, where)  # type: ignore[arg-type]
    return user_id


def write_again(email: str, from_address: str) -> None:
    """Send the link once more to who has not confirmed this address; the answer is the same for everybody.

    Raises Throttled for the connection only.
    """
    throttling.count_sign_in(from_address)
    household.found()
    with household.at_home():
        if throttling.may_write(people.sought(email), from_address):
            letters.write(CONFIRM, _unconfirmed(email))


def short_name(name: str) -> str:
    """`acme-bank-k3m9q`: the name in Latin letters, and five characters that make it nobody else's."""
    latin = slugify("".join(LATIN.get(letter, letter) for letter in name.casefold()))
    chance = "".join(secrets.choice(CHANCE) for _ in range(5))
    return f"{latin[:LONGEST_LATIN].strip('-') or 'org'}-{chance}"


def sign_up(
    name: str, slug: str, profile: Profile, accepted: Accepted, where: Where | None = None
) -> Founded:
    """Found an organization with its responsible employee as owner, or nothing at all.

    Raises DocumentsChanged (carrying what counts now), NothingInEffect, AlreadyKnown, NameTaken and
    AddressInvalid.
    """
    agreements.refuse_stale(*accepted)
    founded, given_up = _found(name, slug, profile, accepted, where, _login(profile))
    for membership in given_up:
        lapsing.close(membership)
    return founded


def _found(
    name: str, slug: str, profile: Profile, accepted: Accepted, where: Where | None, login: _Login
) -> tuple[Founded, list[Membership]]:
    """Everything is done for every address, and for a login that is somebody's nothing of it is kept."""
    actor, organization_id = household.oneself(login.user_id), tenancy.new_id()
    with tenancy.tenant(organization_id, Purpose.ACCOUNT_MANAGE):
        is_somebodys = _is_taken(login)
        try:
            with transaction.atomic():
                organization = organizations.found(name, slug, actor, id=organization_id)
        except IntegrityError:
            raise NameTaken from None
        _accept(organization_id, login.user_id, accepted, profile.locale, where)
        given_up = lapsing.give_up(login.user_id, but=())
        membership = people.join(login.user_id, Role.OWNER, profile, actor=actor, is_responsible=True)
        if is_somebodys:
            raise AlreadyKnown(login.user_id)
    return Founded(organization, membership, login.user_id), given_up


def _is_taken(login: _Login) -> bool:
    """Holds the login until the transaction ends: of two who found with one address, one comes second.

    Only who has confirmed the address has a password.
    """
    user = User.objects.select_for_update().get(pk=login.user_id)
    elsewhere = Membership.objects.filter(user_id=user.pk, ended_at=None)
    belongs = elsewhere.exclude(organization_id__in=login.waiting).exists()
    return belongs or login.is_verified or user.has_usable_password() or not user.is_active


def _accept(
    organization_id: uuid.UUID, user_id: uuid.UUID, accepted: Accepted, locale: str, where: Where | None
) -> None:
    with tenancy.tenant(organization_id, Purpose.ACCOUNT_MANAGE):
        agreements.accept(
            user_id,
            **accepted._asdict(),
            locale=locale,
            method=Method.REGISTRATION,
            where=where,
            actor=household.oneself(user_id),
        )


def _waiting(membership: Membership) -> Waiting:
    with tenancy.tenant(membership.organization_id, Purpose.ACCOUNT_MANAGE):
        member = Member.objects.get(pk=membership.pk)
        phone = f"•••• {member.phone[-DIGITS_SHOWN:]}" if member.phone else ""
        name = membership.organization.name
        return Waiting(membership.organization_id, name, member.name, member.position or "", phone)


def _refuse_what_cannot_be(profile: Profile) -> None:
    """Said to everybody alike, before anybody is looked for."""
    normal_email(profile.email)
    if profile.phone:
        normal_phone(profile.phone)


def _login(profile: Profile) -> _Login:
    """The login with this address, a new one if there is none. Raises AddressInvalid."""
    try:
        return _Login(people.meet(profile.email, None, locale=profile.locale), is_verified=False)
    except AlreadyKnown:
        with household.at_home():
            person = people.find(profile.email)
        if person is None:
            raise
        if person.verified_at is not None:
            return _Login(person.pk, is_verified=True)
        return _Login(person.pk, is_verified=False, waiting=lapsing.sign_ups_of(person.pk))


def _unconfirmed(email: str) -> uuid.UUID | None:
    try:
        person = people.find(email)
    except AddressInvalid:
        return None
    return person.pk if person and person.verified_at is None else None
