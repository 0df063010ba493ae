"""Organizations (controllers), their people and keys, our operators, and what all have agreed to."""

from accounts.models.address_changes import AddressChange
from accounts.models.allow_lists import AllowList
from accounts.models.api_keys import ApiKey
from accounts.models.cookie_choices import CookieChoice
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
from accounts.models.letters import Letter, LetterKind
from accounts.models.organizations import KEPT_AFTER_CONTRACT, Organization
from accounts.models.passkeys import Passkey
from accounts.models.people import Invitation, Member, Membership, Person, Theme
from accounts.models.sign_ins import SignIn
from accounts.models.usage import UsageRecord
from accounts.models.users import User

__all__ = [
    "KEPT_AFTER_CONTRACT",
    "Acceptance",
    "Acknowledgement",
    "AddressChange",
    "AllowList",
    "ApiKey",
    "Authenticator",
    "CookieChoice",
    "Invitation",
    "Kind",
    "LegalDocument",
    "Letter",
    "LetterKind",
    "Member",
    "Membership",
    "Method",
    "Notice",
    "Organization",
    "Passkey",
    "Person",
    "RecoveryCode",
    "SignIn",
    "Significance",
    "Theme",
    "UsageRecord",
    "User",
]
