"""Signing up: an organization, its responsible employee and what they accept come into being together (P6).

One transaction founds the organization, writes the acceptance of the exact documents that count now, and
makes the employee its owner: there is no organization without its acceptance. The login is made just before
it, in the household; one that was begun and never verified nor used is nobody's yet, and gives way.
"""

import secrets
import uuid
from contextlib import suppress
from typing import NamedTuple

from django.contrib.auth import hashers
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from accounts import agreements, household, letters, links, organizations, passwords, people, throttling
from accounts.addresses import normal_email, normal_phone
from accounts.agreements import Where
from accounts.models import LetterKind, Membership, Organization, User
from accounts.models.documents import Method
from accounts.people import AlreadyKnown, Profile
from accounts.roles import Role
from iva import tenancy
from iva.personal_data import Purpose

CHANCE = "abcdefghjkmnpqrstuvwxyz23456789"
LONGEST_LATIN = 40
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


class _OnlyRehearsed(Exception):
    """Everything was done as for somebody new, and nothing is kept."""


def ask(name: str, profile: Profile, password: str, accepted: Accepted, where: Where) -> None:
    """Sign up, or let whoever has the address know that they have a login; the caller learns neither.

    For an address that has a login the same is done, hash and statements, and rolled back. The short name is
    made of the name and chance: one that somebody could take would tell whether it was taken. Once a mailbox
    was written to often enough, nothing is done at all, and nobody is told.
    Raises DocumentsChanged, NothingInEffect, AddressInvalid and PasswordRefused.
    """
    _refuse_stale(accepted)
    _refuse_what_cannot_be(profile, password)
    household.found()
    with household.at_home():
        if not throttling.may_write(people.sought(profile.email), where.ip_address or ""):
            return
    user_id: uuid.UUID | None
    try:
        user_id = sign_up(name, short_name(name), profile, password, accepted, where).user_id
        kind = LetterKind.CONFIRM_ADDRESS
    except AlreadyKnown as known:
        user_id, kind = known.user_id, LetterKind.ALREADY_KNOWN
    with household.at_home():
        letters.write(kind, user_id)


def confirm(token: str) -> uuid.UUID:
    """The link that was sent to an address has been followed: it is theirs. Raises LinkInvalid."""
    with household.at_home():
        user_id = links.use(LetterKind.CONFIRM_ADDRESS, token)
        people.verify(user_id)
        return user_id


def write_again(user_id: uuid.UUID, from_address: str) -> None:
    """Send the link to the address once more, unless it was sent often enough."""
    with household.at_home():
        person = people.person(user_id)
        is_allowed = throttling.may_write(people.sought(person.email), from_address)
        if is_allowed and person.verified_at is None:
            letters.write(LetterKind.CONFIRM_ADDRESS, user_id)


def short_name(name: str) -> str:
    """`acme-bank-k3m9q`: the name in Latin letters, and five characters that make it nobody else's."""
    latin = slugify("".join(LATIN.get(letter, letter) for letter in name.casefold()))
    chance = "".join(secrets.choice(CHANCE) for _ in range(5))
    return f"{latin[:LONGEST_LATIN].strip('-') or 'org'}-{chance}"


def sign_up(
    name: str, slug: str, profile: Profile, password: str, accepted: Accepted, where: Where | None = None
) -> Founded:
    """Found an organization with its responsible employee as owner, or nothing at all.

    Raises DocumentsChanged (carrying what counts now), NothingInEffect, AlreadyKnown, NameTaken,
    AddressInvalid and PasswordRefused.
    """
    _refuse_stale(accepted)
    try:
        user_id = _login(profile, password)
    except AlreadyKnown as known:
        if known.user_id is None:
            raise
        hashers.make_password(password)
        _rehearse(name, profile, accepted, where, known.user_id)
        raise
    return _found(name, slug, profile, accepted, where, user_id)


def _rehearse(
    name: str, profile: Profile, accepted: Accepted, where: Where | None, user_id: uuid.UUID
) -> None:
    with suppress(_OnlyRehearsed):
        _found(name, short_name(name), profile, accepted, where, user_id, is_rehearsal=True)


def _found(
    name: str,
    slug: str,
    profile: Profile,
    accepted: Accepted,
    where: Where | None,
    user_id: uuid.UUID,
    *,
    is_rehearsal: bool = False,
) -> Founded:
    actor, organization_id = household.oneself(user_id), tenancy.new_id()
    with tenancy.tenant(organization_id, Purpose.ACCOUNT_MANAGE):
        try:
            with transaction.atomic():
                organization = organizations.found(name, slug, actor, id=organization_id)
        except IntegrityError:
            raise NameTaken from None
        agreements.accept(
            user_id,
            terms=accepted.terms,
            privacy_policy=accepted.privacy_policy,
            locale=profile.locale,
            method=Method.REGISTRATION,
            where=where,
            actor=actor,
        )
        membership = people.join(user_id, Role.OWNER, profile, actor=actor, is_responsible=True)
        if is_rehearsal:
            raise _OnlyRehearsed
    return Founded(organization, membership, user_id)


def _refuse_stale(accepted: Accepted) -> None:
    current = agreements.current()
    if accepted != Accepted(current.terms.digest, current.privacy_policy.digest):
        raise agreements.DocumentsChanged(current)


def _refuse_what_cannot_be(profile: Profile, password: str) -> None:
    """Said to everybody alike, before anybody is looked for."""
    address = normal_email(profile.email)
    if profile.phone:
        normal_phone(profile.phone)
    passwords.refuse_weak(password, about=[address])


def _login(profile: Profile, password: str) -> uuid.UUID:
    try:
        return people.meet(profile.email, password, locale=profile.locale)
    except AlreadyKnown:
        return _take_over_what_is_nobodys(profile.email, password)


def _take_over_what_is_nobodys(email: str, password: str) -> uuid.UUID:
    """Raises AlreadyKnown for a login that somebody has verified or joined an organization with."""
    with household.at_home():
        person = people.find(email)
        if person is None:
            raise AlreadyKnown
        if person.verified_at or Membership.objects.filter(user_id=person.pk).exists():
            raise AlreadyKnown(person.pk)
        passwords.refuse_weak(password, about=[person.email])
        user = User.objects.select_for_update().get(pk=person.pk)
        user.set_password(password)
        user.save(update_fields=["password"])
        return person.pk
