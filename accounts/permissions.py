"""Default deny: a route that does not declare its scope admits nobody (P50)."""

from typing import Any

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.scopes import Scope


class UndeclaredScope(TypeError):
    """A view has no scope for a method it answers; the system check finds these before a request does."""


class HasDeclaredScope(BasePermission):
    """The key carries the scope that the view declares for the method: `scopes = {"GET": Scope.…}`."""

    def has_permission(self, request: Request, view: Any) -> bool:
        declared: dict[str, Scope] = getattr(view, "scopes", {})
        needed = declared.get(request.method or "")
        if needed is None:
            return False
        if needed not in request.auth.scopes:  # type: ignore[union-attr]
            raise PermissionDenied(f"The API key lacks the scope {needed}.", code="scope_missing")
        return True
