"""Following an invitation: as somebody new, or with the login one has.

The link came by e-mail, so who follows it reads that mailbox: a login made here is confirmed from the first
moment on. One that somebody began with the address and never confirmed becomes theirs, under their password,
and without what was signed up with it: the invitation did not name that.
"""

import uuid
from enum import StrEnum

from accounts import agreements, household, invitations, lapsing, passwords, people, sign_ins, signing_in
from accounts.invitations import Agreeing, Offer
from accounts.models import Membership, Person
from accounts.people import AlreadyKnown, Profile


class Standing(StrEnum):
    """How whoever holds the link stands to it."""

    NEW = "new"
    KNOWN = "known"
    SIGNED_IN = "signed_in"
    ANOTHER = "another"


def standing(offer: Offer, user_id: uuid.UUID | None) -> Standing:
    """`user_id` is who is signed in, if anybody is."""
    with household.at_home():
        invited = people.find(offer.email)
        if user_id is not None:
            is_them = invited is not None and invited.pk == user_id
            return Standing.SIGNED_IN if is_them else Standing.ANOTHER
        return Standing.KNOWN if invited and invited.verified_at else Standing.NEW


def join_as_new(token: str, profile: Profile, password: str, agreeing: Agreeing) -> Membership:
    """Make the login and join with it; what is accepted is what was shown.

    Raises InvitationInvalid, AlreadyKnown, PasswordRefused, DocumentsChanged and NothingInEffect. Where
    joining fails, the login is theirs all the same, and they join with it.
    """
    email = invitations.look_at(token).email
    agreements.refuse_stale(agreeing.terms, agreeing.privacy_policy)
    passwords.refuse_weak(password, about=[email, profile.name])
    user_id = own_login(email, password, profile.locale)
    return invitations.accept(token, user_id, profile, agreeing)


def own_login(email: str, password: str, locale: str) -> uuid.UUID:
    """The login of an address that is known to be theirs, new or begun by a stranger and taken over.

    Made and confirmed in one transaction, so that nobody finds it unconfirmed; what was signed up with it is
    given up in the same one. Raises AlreadyKnown, AddressInvalid and PasswordRefused.
    """
    household.found()
    known = _begun(email)
    but = lapsing.others_of(known) if known else set()
    given_up: list[Membership] = []
    with household.at_home():
        try:
            user_id = people.meet(email, password, locale=locale)
        except AlreadyKnown:
            user_id = _taken_over(email, password)
            given_up = lapsing.give_up(user_id, but=but)
        people.verify(user_id)
    for membership in given_up:
        lapsing.close(membership)
    return user_id


def _begun(email: str) -> uuid.UUID | None:
    with household.at_home():
        person = people.find(email)
        return person.pk if person and person.verified_at is None else None


def _taken_over(email: str, password: str) -> uuid.UUID:
    """Held while it is taken, so that it cannot lapse meanwhile, and nobody founds anything with it."""
    known = people.find(email)
    person = Person.objects.select_for_update().filter(pk=known and known.pk, verified_at=None).first()
    if person is None:
        raise AlreadyKnown
    signing_in.choose_password(person.pk, password)
    sign_ins.end_all(person.pk)
    return person.pk


def join(token: str, user_id: uuid.UUID, profile: Profile) -> Membership:
    """Join with a login one has. Raises InvitationInvalid, MeantForAnother and AlreadyMember."""
    membership = invitations.accept(token, user_id, profile)
    people.verify(user_id)
    return membership
