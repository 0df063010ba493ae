"""Operators: people of the household who may open the operators' pages, and what makes somebody one.

An operator signs in like everybody: address, password, second factor. Their login says `is_staff`; nothing
else about them is kept outside the wall.
"""

import uuid

from accounts import household, joining, people, sign_ins
from accounts.models import User
from iva.audit import log as audit
from iva.audit.actors import SYSTEM, Actor
from iva.audit.events import Event
from iva.personal_data import Purpose


class NoSuchOperator(LookupError):
    """Nobody with this address or id is an operator, or no longer."""


def appoint(email: str, password: str, *, locale: str = "mn", actor: Actor = SYSTEM) -> uuid.UUID:
    """A login for a new operator; returns its id. They enroll a second factor before they see anything.

    Raises AlreadyKnown, AddressInvalid and PasswordRefused. Whoever appoints vouches for the address:
    what a stranger began with it and nobody confirmed is given up.
    """
    user_id = joining.own_login(email, password, locale)
    with household.at_home(Purpose.ACCOUNT_MANAGE):
        User.objects.filter(pk=user_id).update(is_staff=True, is_superuser=True)
        audit.record(Event.OPERATOR_APPOINTED, actor=actor, person=user_id)
    return user_id


def dismiss(user_id: uuid.UUID, *, actor: Actor = SYSTEM) -> None:
    """From now on they open nothing; their sign-ins end. Raises NoSuchOperator."""
    with household.at_home(Purpose.ACCOUNT_MANAGE):
        dismissed = User.objects.filter(pk=user_id, is_staff=True)
        if not dismissed.update(is_staff=False, is_superuser=False):
            raise NoSuchOperator(str(user_id))
        audit.record(Event.OPERATOR_DISMISSED, actor=actor, person=user_id)
        sign_ins.end_all(user_id)


def find(email: str) -> uuid.UUID:
    """The operator with this address. Raises NoSuchOperator and AddressInvalid."""
    with household.at_home():
        person = people.find(email)
        if person is None or not User.objects.filter(pk=person.pk, is_staff=True, is_active=True).exists():
            raise NoSuchOperator
        return person.pk
