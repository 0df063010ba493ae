"""Whom a command means."""

from django.core.management.base import CommandError

from accounts import operators
from accounts.addresses import AddressInvalid
from accounts.models import Organization
from accounts.operators import NoSuchOperator
from iva.audit.actors import Actor, ActorKind


def organization_called(slug: str) -> Organization:
    """Raises CommandError."""
    organization = Organization.objects.filter(slug=slug).first()
    if organization is None:
        raise CommandError(f"there is no organization called {slug}")
    return organization


def operator_called(email: str) -> Actor:
    """The operator as an actor of the audit trail. Raises CommandError."""
    try:
        return Actor(ActorKind.OPERATOR, operators.find(email))
    except (NoSuchOperator, AddressInvalid):
        raise CommandError(f"there is no operator with the address {email}") from None
