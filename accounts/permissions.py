"""Default deny: a route that does not declare its scope admits nobody (P50)."""

from typing import Any

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.api_keys import Principal
from accounts.scopes import RIGHTS, Scope

NOT_ACCEPTED = (
    "Nobody of the organization has accepted the Terms and the Privacy Policy that count now. "
    "Sign in to the dashboard and accept them; /legal/ has the texts."
)


class HasDeclaredScope(BasePermission):
    """The key carries the scope that the view declares for the method: `scopes = {"GET": Scope.…}`."""

    def has_permission(self, request: Request, view: Any) -> bool:
        declared: dict[str, Scope] = getattr(view, "scopes", {})
        needed = declared.get(request.method or "")
        if needed is None:
            return False
        refuse(request.auth, needed)  # type: ignore[arg-type]
        return True


def refuse(principal: Principal, needed: Scope) -> None:
    """Raises PermissionDenied: `scope_missing`, or `policy_acceptance_required` (P7)."""
    if needed not in principal.scopes:
        raise PermissionDenied(f"The API key lacks the scope {needed}.", code="scope_missing")
    if not principal.is_bound and needed not in RIGHTS:
        raise PermissionDenied(NOT_ACCEPTED, code="policy_acceptance_required")
