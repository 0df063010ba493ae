"""Following an invitation: as somebody new, or with the login one has.

The link came by e-mail, so who follows it reads that mailbox: a login made here is confirmed.
"""

import uuid
from enum import StrEnum

from accounts import household, invitations, passwords, people
from accounts.invitations import Agreeing, Offer
from accounts.models import Membership
from accounts.people import Profile


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
        return Standing.KNOWN if invited else Standing.NEW


def join_as_new(token: str, profile: Profile, password: str, agreeing: Agreeing) -> Membership:
    """Make the login and join with it; what is accepted is what was shown.

    Raises InvitationInvalid, AlreadyKnown, PasswordRefused, DocumentsChanged and NothingInEffect. Where
    joining fails, the login made for it is nobody's, and gives way (`signing_up`).
    """
    email = invitations.look_at(token).email
    passwords.refuse_weak(password, about=[email, profile.name])
    user_id = people.meet(email, password, locale=profile.locale)
    membership = invitations.accept(token, user_id, profile, agreeing)
    people.verify(user_id)
    return membership


def join(token: str, user_id: uuid.UUID, profile: Profile) -> Membership:
    """Join with a login one has. Raises InvitationInvalid, MeantForAnother and AlreadyMember."""
    membership = invitations.accept(token, user_id, profile)
    people.verify(user_id)
    return membership
