"""The way back for whoever cannot give their second factor: it was lost, or somebody else's was enrolled.

Factors belong to a person, who may work for several organizations, so this is not for the owners of one: an
operator who has seen to it who asks takes every factor away. The password goes with them, because without a
factor whoever knows it would be in: what remains is the mailbox (NIST SP 800-63B 4.2).
"""

import uuid

from accounts import factors, household, letters, people, references, sign_ins
from accounts.models import LetterKind, Person, User
from iva.audit import log as audit
from iva.audit.actors import SYSTEM
from iva.audit.events import Event
from iva.personal_data import Purpose


class NobodyKnown(LookupError):
    """Nobody with this address has a login."""


def reset(email: str, reference: str) -> uuid.UUID:
    """Take away factors and password, end every sign-in, and write to the person, with a link; who it is.

    `reference` is the number of the ticket. Raises NotAReference, AddressInvalid and NobodyKnown.
    """
    code = references.read(reference)
    with household.at_home(Purpose.ACCOUNT_MANAGE):
        person_id = _locked(email)
        count = factors.remove(person_id)
        _close_password(person_id)
        sign_ins.end_all(person_id, actor=SYSTEM)
        letters.write(LetterKind.FACTOR_REMOVED, person_id)
        letters.write(LetterKind.RESET_PASSWORD, person_id)
        audit.record(Event.FACTORS_RESET, actor=SYSTEM, person=person_id, reference=code, count=count)
        return person_id


def _locked(email: str) -> uuid.UUID:
    found = people.find(email)
    if found is None:
        raise NobodyKnown
    return Person.objects.select_for_update().get(pk=found.pk).pk


def _close_password(person_id: uuid.UUID) -> None:
    user = User.objects.get(pk=person_id)
    user.set_unusable_password()
    user.save(update_fields=["password"])
