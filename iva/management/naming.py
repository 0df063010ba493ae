"""Whom a command means."""

from django.core.management.base import CommandError

from accounts.models import Organization, User
from iva.audit.actors import Actor, ActorKind


def organization_called(slug: str) -> Organization:
    """Raises CommandError."""
    organization = Organization.objects.filter(slug=slug).first()
    if organization is None:
        raise CommandError(f"there is no organization called {slug}")
    return organization


def operator_called(email: str) -> Actor:
    """The operator as an actor of the audit trail. Raises CommandError."""
    operator = User.objects.filter(email=email.lower(), is_staff=True, is_active=True).first()
    if operator is None:
        raise CommandError(f"there is no operator with the address {email}")
    return Actor(ActorKind.OPERATOR, operator.pk)
