"""Organizations (controllers), their people and keys, our operators, and what all have agreed to."""

from accounts.models.api_keys import ApiKey
from accounts.models.documents import Acceptance, Kind, LegalDocument, Method, Notice, Significance
from accounts.models.factors import Authenticator, RecoveryCode
from accounts.models.letters import Letter, LetterKind
from accounts.models.organizations import KEPT_AFTER_CONTRACT, Organization
from accounts.models.passkeys import Passkey
from accounts.models.people import Invitation, Member, Membership, Person
from accounts.models.sign_ins import SignIn
from accounts.models.users import User

__all__ = [
    "KEPT_AFTER_CONTRACT",
    "Acceptance",
    "ApiKey",
    "Authenticator",
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
    "User",
]
