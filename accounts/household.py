"""What belongs to a person and not to one organization: login, e-mail address, factors.

It is kept before any organization is named, so it needs a place of its own: an organization of the
platform's, with the same wall, keys and audit trail as all others. The operator of the platform is the
controller of account data (P11).
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError

from accounts import organizations
from accounts.models import Organization
from iva import tenancy
from iva.audit.actors import Actor, ActorKind
from iva.personal_data import Purpose

HOUSEHOLD = uuid.UUID("019aa000-0000-7000-8000-000000000001")
SLUG = "iva"


@contextmanager
def at_home(purpose: str = Purpose.ACCOUNT_AUTHENTICATE) -> Iterator[tenancy.Tenancy]:
    """A transaction in which people's logins can be seen, and no organization's rows."""
    with tenancy.tenant(HOUSEHOLD, purpose) as active:
        yield active


def oneself(person_id: uuid.UUID) -> Actor:
    """The person as an actor of the audit trail, whatever organization they act in."""
    return Actor(ActorKind.PERSON, person_id)


def found() -> None:
    """Found the household unless it exists; may be called at any time, by several processes at once."""
    if Organization.objects.filter(pk=HOUSEHOLD).exists():
        return
    try:
        organizations.found("IVA", SLUG, id=HOUSEHOLD)
    except IntegrityError:
        if not Organization.objects.filter(pk=HOUSEHOLD).exists():
            raise
