"""Organizations (controllers), their people, the keys their integrators sign in with, and our operators."""

from accounts.models.api_keys import ApiKey
from accounts.models.factors import Authenticator, RecoveryCode
from accounts.models.organizations import KEPT_AFTER_CONTRACT, Organization
from accounts.models.people import Invitation, Member, Membership, Person
from accounts.models.users import User

__all__ = [
    "KEPT_AFTER_CONTRACT",
    "ApiKey",
    "Authenticator",
    "Invitation",
    "Member",
    "Membership",
    "Organization",
    "Person",
    "RecoveryCode",
    "User",
]
