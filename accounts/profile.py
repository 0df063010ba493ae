"""What a member sees and corrects of themselves (P18, P84): in each organization, and of their login.

A correction replaces the ciphertext: the old value is kept nowhere in clear. The trail says which fields
changed, never to what.
"""

import uuid
from typing import NamedTuple

from accounts import household, one_line, people
from accounts.addresses import normal_phone
from accounts.models import Member, Membership, Organization, Person, Theme
from accounts.models.documents import LOCALES
from iva import tenancy
from iva.audit import log as audit
from iva.audit.actors import Actor, ActorKind
from iva.audit.events import Event
from iva.personal_data import Purpose

LONGEST_NAME = people.LONGEST_NAME


class NameMissing(ValueError):
    """A member has a name."""


class Card(NamedTuple):
    """What one organization knows of a member."""

    organization: Organization
    role: str
    name: str
    position: str
    email: str
    phone: str


class Login(NamedTuple):
    """What belongs to the person, whatever organization they work for."""

    email: str
    locale: str
    theme: str


def login(person_id: uuid.UUID) -> Login:
    """The person's address and how they like the dashboard. Raises Person.DoesNotExist."""
    with household.at_home(Purpose.ACCOUNT_MANAGE):
        person = people.person(person_id)
        return Login(person.email, person.locale, person.theme)


def cards(person_id: uuid.UUID) -> list[Card]:
    """The member as each organization they belong to knows them, by its name."""
    return [_card(membership) for membership in people.memberships_of(person_id)]


def correct(
    person_id: uuid.UUID, organization_id: uuid.UUID, *, name: str, position: str, phone: str
) -> list[str]:
    """Correct what an organization knows of oneself; the names of the fields that changed.

    Raises NoSuchMember, NameMissing and AddressInvalid.
    """
    membership_id = people.enter(person_id, organization_id).membership_id
    wanted = {
        "name": one_line.flat(name)[:LONGEST_NAME],
        "position": one_line.flat(position)[:LONGEST_NAME] or None,
        "phone": normal_phone(phone) if phone.strip() else None,
    }
    if not wanted["name"]:
        raise NameMissing
    with tenancy.tenant(organization_id, Purpose.ACCOUNT_MANAGE):
        return _replace(membership_id, wanted, Actor(ActorKind.MEMBER, membership_id))


def follow_address(person_id: uuid.UUID, email: str) -> None:
    """Every organization's copy of the person's address becomes this one; repeating changes nothing."""
    for membership in people.memberships_of(person_id):
        with tenancy.tenant(membership.organization_id, Purpose.ACCOUNT_MANAGE):
            _replace(membership.pk, {"email": email}, household.oneself(person_id))


def speak(person_id: uuid.UUID, locale: str) -> None:
    """From now on this language, in the dashboard and in every organization's letters.

    Raises ValueError for one that IVA does not speak.
    """
    if locale not in LOCALES:
        raise ValueError(f"IVA does not speak {locale}")
    with household.at_home(Purpose.ACCOUNT_MANAGE):
        _prefer(person_id, locale=locale)
    for membership in people.memberships_of(person_id):
        with tenancy.tenant(membership.organization_id, Purpose.ACCOUNT_MANAGE):
            Member.objects.filter(pk=membership.pk).update(locale=locale)


def look(person_id: uuid.UUID, theme: str) -> None:
    """From now on light, dark, or as the system does. Raises ValueError."""
    with household.at_home(Purpose.ACCOUNT_MANAGE):
        _prefer(person_id, theme=Theme(theme).value)


def _prefer(person_id: uuid.UUID, **preference: str) -> None:
    if Person.objects.filter(pk=person_id).exclude(**preference).update(**preference):
        fields = ".".join(preference)
        audit.record(
            Event.PERSON_CORRECTED, actor=household.oneself(person_id), person=person_id, fields=fields
        )


def _card(membership: Membership) -> Card:
    with tenancy.tenant(membership.organization_id, Purpose.ACCOUNT_MANAGE):
        member = Member.objects.get(pk=membership.pk)
        return Card(
            membership.organization,
            membership.role,
            member.name,
            member.position or "",
            member.email,
            member.phone or "",
        )


def _replace(membership_id: uuid.UUID, wanted: dict[str, str | None], actor: Actor) -> list[str]:
    member = Member.objects.select_for_update().get(pk=membership_id)
    changed = [field for field, value in wanted.items() if getattr(member, field) != value]
    for field in changed:
        setattr(member, field, wanted[field])
    if changed:
        member.save(update_fields=changed)
        audit.record(
            Event.MEMBER_CORRECTED, actor=actor, member=membership_id, fields=".".join(sorted(changed))
        )
    return changed
