"""Acme has an owner, Saraa; Globex has Dorj. Both have proved themselves a moment ago."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from accounts import people
from accounts.people import Acting, Profile
from accounts.roles import Role
from iva.audit.actors import SYSTEM
from tests.cast import Party

Hire = Callable[..., Acting]


@pytest.fixture
def hire(db: None) -> Hire:
    """Meet somebody new and make them a member."""

    def hire_one(party: Party, name: str, role: Role, *, is_responsible: bool = False) -> Acting:
        email = f"{name.lower()}@{party.organization.slug}.example.com"
        user_id = people.meet(email, "correct horse battery staple")
        with party.tenant("account.manage"):
            profile = Profile(name, email, "Менежер", "9911 2233")
            people.join(user_id, role, profile, actor=SYSTEM, is_responsible=is_responsible)
        return people.enter(user_id, party.id, timezone.now())

    return hire_one


@pytest.fixture
def saraa(acme: Party, hire: Hire) -> Acting:
    return hire(acme, "Saraa", Role.OWNER, is_responsible=True)


@pytest.fixture
def dorj(globex: Party, hire: Hire) -> Acting:
    return hire(globex, "Dorj", Role.OWNER)
