"""Who a request of the operators' pages speaks for: whoever the sign-in says, and nobody by any other way."""

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from accounts.models import User
from iva.audit.actors import Actor, ActorKind


class NobodyUntilTheDoor(AuthenticationMiddleware):
    """Instead of Django's own, which believes a user id in a session; here a living sign-in counts."""

    def process_request(self, request: HttpRequest) -> None:
        request.user = AnonymousUser()


def become(request: HttpRequest) -> None:
    """Put the operator whom the door has let in on the request, as Django's admin expects."""
    request.user = User.objects.get(pk=request.visit.user_id)  # type: ignore[attr-defined]


def operator(request: HttpRequest) -> Actor:
    """The signed-in operator as an actor of the audit trail."""
    return Actor(ActorKind.OPERATOR, request.user.pk)
