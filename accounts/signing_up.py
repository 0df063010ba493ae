"""Signing up: an organization, its responsible employee and what they accept come into being together (P6).

One transaction founds the organization, writes the acceptance of the exact documents that count now, and
makes the employee its owner: there is no organization without its acceptance. The login is made just before
it, in the household; one that was begun and never verified nor used is nobody's yet, and gives way.
"""

import uuid
from typing import NamedTuple

from django.db import IntegrityError, transaction

from accounts import agreements, household, organizations, passwords, people
from accounts.agreements import Where
from accounts.models import Membership, Organization, User
from accounts.models.documents import Method
from accounts.people import AlreadyKnown, Profile
from accounts.roles import Role
from iva import tenancy
from iva.personal_data import Purpose


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


def sign_up(
    name: str, slug: str, profile: Profile, password: str, accepted: Accepted, where: Where | None = None
) -> Founded:
    """Found an organization with its responsible employee as owner, or nothing at all.

    Raises DocumentsChanged (carrying what counts now), NothingInEffect, AlreadyKnown, NameTaken,
    AddressInvalid and PasswordRefused.
    """
    current = agreements.current()
    if accepted != Accepted(current.terms.digest, current.privacy_policy.digest):
        raise agreements.DocumentsChanged(current)
    user_id = _login(profile, password)
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
    return Founded(organization, membership, user_id)


def _login(profile: Profile, password: str) -> uuid.UUID:
    try:
        return people.meet(profile.email, password, locale=profile.locale)
    except AlreadyKnown:
        return _take_over_what_is_nobodys(profile.email, password)


def _take_over_what_is_nobodys(email: str, password: str) -> uuid.UUID:
    """Raises AlreadyKnown for a login that somebody has verified or joined an organization with."""
    with household.at_home():
        person = people.find(email)
        if person is None or person.verified_at or Membership.objects.filter(user_id=person.pk).exists():
            raise AlreadyKnown
        passwords.refuse_weak(password, about=[person.email])
        user = User.objects.select_for_update().get(pk=person.pk)
        user.set_password(password)
        user.save(update_fields=["password"])
        return person.pk
