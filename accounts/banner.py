"""A context processor: the change of the terms that a member has not yet been shown (P95)."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.agreements import acknowledging
from accounts.models import LegalDocument
from accounts.people import Acting
from iva import tenancy
from iva.personal_data import Purpose


def context(request: HttpRequest) -> dict[str, Any]:
    """`coming_change`, looked up where a page of the dashboard shows it and nowhere else."""
    acting: Acting | None = getattr(request, "acting", None)
    if acting is None:
        return {}
    return {"coming_change": SimpleLazyObject(lambda: _unseen(acting) or "")}


def _unseen(acting: Acting) -> LegalDocument | None:
    with tenancy.tenant(acting.organization_id, Purpose.ACCOUNT_MANAGE):
        return acknowledging.unseen(acting.user_id)
