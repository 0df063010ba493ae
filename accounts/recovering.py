"""A forgotten password: a link to the person's address, and a new password by it.

Whoever asks gets the same answer after the same statements. The link proves the address and nothing more: a
second factor is still asked for, at the next sign-in like at any other (NIST SP 800-63B 4.2; P53). An address
that nobody has confirmed gets the letter that does: a new password alone confirms no sign-up.
"""

import uuid

from accounts import household, letters, links, people, sign_ins, signing_in, throttling
from accounts.addresses import AddressInvalid
from accounts.links import LinkInvalid
from accounts.models import LetterKind, Person, User

RESET = LetterKind.RESET_PASSWORD


def ask(email: str, from_address: str) -> None:
    """Write to whoever has this address, or to nobody, and not more often than a mailbox bears.

    Raises Throttled for the connection only: who has asked too often for one address is not told.
    """
    throttling.count_sign_in(from_address)
    household.found()
    with household.at_home():
        if throttling.may_write(people.sought(email), from_address):
            person = _whose(email)
            waits = person is not None and person.verified_at is None
            letters.write(LetterKind.CONFIRM_ADDRESS if waits else RESET, person.pk if person else None)


def look_at(token: str) -> uuid.UUID:
    """Whose password the link changes. Raises LinkInvalid."""
    with household.at_home():
        return _confirmed(links.look_at(RESET, token))


def reset(token: str, new: str) -> uuid.UUID:
    """Set a new password and end every sign-in. Raises LinkInvalid and PasswordRefused.

    A password that is refused does not use up the link.
    """
    with household.at_home():
        user_id = _confirmed(links.use(RESET, token))
        signing_in.change_password(user_id, new)
        sign_ins.end_all(user_id)
        return user_id


def _confirmed(user_id: uuid.UUID) -> uuid.UUID:
    if people.person(user_id).verified_at is None:
        raise LinkInvalid
    return user_id


def _whose(email: str) -> Person | None:
    try:
        person = people.find(email)
    except AddressInvalid:
        return None
    if person is None or not User.objects.filter(pk=person.pk, is_active=True).exists():
        return None
    return person
