"""Organizations (controllers), the keys of their integrators, our operators, and what all have agreed to."""

from accounts.models.api_keys import ApiKey
from accounts.models.documents import Acceptance, Kind, LegalDocument, Method, Notice, Significance
from accounts.models.organizations import KEPT_AFTER_CONTRACT, Organization
from accounts.models.users import User

__all__ = [
    "KEPT_AFTER_CONTRACT",
    "Acceptance",
    "ApiKey",
    "Kind",
    "LegalDocument",
    "Method",
    "Notice",
    "Organization",
    "Significance",
    "User",
]
