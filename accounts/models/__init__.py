"""Organizations (controllers), their people and keys, our operators, and what all have agreed to."""

from accounts.models.allow_lists import AllowList
from accounts.models.api_keys import ApiKey
from accounts.models.documents import (
    Acceptance,
    Acknowledgement,
    Kind,
    LegalDocument,
    Method,
    Notice,
    Significance,
)
from accounts.models.factors import Authenticator, RecoveryCode
from accounts.models.organizations import KEPT_AFTER_CONTRACT, Organization
from accounts.models.people import Invitation, Member, Membership, Person
from accounts.models.sign_ins import SignIn
from accounts.models.users import User

__all__ = [
    "KEPT_AFTER_CONTRACT",
    "Acceptance",
    "Acknowledgement",
    "AllowList",
    "ApiKey",
    "Authenticator",
    "Invitation",
    "Kind",
    "LegalDocument",
    "Member",
    "Membership",
    "Method",
    "Notice",
    "Organization",
    "Person",
    "RecoveryCode",
    "SignIn",
    "Significance",
    "User",
]
