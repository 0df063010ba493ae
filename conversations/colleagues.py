"""The members of the organization as they are shown to each other: names, and who can take care."""

import uuid
from collections.abc import Iterable
from typing import NamedTuple

from accounts import people, roles
from accounts.models import Member
from accounts.roles import Permission, Role
from iva.crypto import bulk

ABLE = [role for role in Role if roles.grants(role, Permission.CONVERSATIONS_REPLY)]


class Colleague(NamedTuple):
    """A member who can be put in charge of a conversation."""

    id: uuid.UUID
    name: str


def names(membership_ids: Iterable[uuid.UUID | None]) -> dict[uuid.UUID, str]:
    """Names by membership, of those who have left too; one look at the keys for all of them."""
    wanted = {membership_id for membership_id in membership_ids if membership_id is not None}
    if not wanted:
        return {}
    found = list(Member.objects.filter(pk__in=wanted))
    bulk.reveal(found, "name")
    return {member.pk: member.name for member in found}


def who_can_reply() -> list[Colleague]:
    """Everybody in the organization whose role may answer, by name."""
    able = list(Member.objects.filter(pk__in=people.memberships_with(ABLE).values("pk")))
    bulk.reveal(able, "name")
    return sorted((Colleague(member.pk, member.name) for member in able), key=lambda one: one.name.casefold())


def can_reply(membership_id: uuid.UUID) -> bool:
    """Whether the member is here and may answer; they stay until the transaction ends."""
    found = people.memberships_with(ABLE).filter(pk=membership_id)
    return found.select_for_update(no_key=True).first() is not None
