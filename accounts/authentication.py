"""The API's front door: `Authorization: Bearer iva_…`."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, PermissionDenied
from rest_framework.request import Request

from accounts import admitting, api_keys, throttling

SCHEME = "bearer"


class ApiKeyAuthentication(BaseAuthentication):
    """Recognizes API keys; failures are counted for each address and slowed down."""

    def authenticate(self, request: Request) -> tuple[api_keys.Principal, api_keys.Principal] | None:
        principal = principal_of(request.META)
        return principal, principal

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="IVA API"'


def principal_of(meta: Mapping[str, Any]) -> api_keys.Principal:
    """Who a request speaks for, and from where they may.

    Raises NotAuthenticated, AuthenticationFailed, Throttled, and PermissionDenied for a network that the
    organization's allow-list does not name.
    """
    header = meta.get("HTTP_AUTHORIZATION", "")
    if not header:
        raise NotAuthenticated("Send `Authorization: Bearer` with an API key.")
    try:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != SCHEME:
            raise api_keys.InvalidApiKey
        principal = api_keys.recognize(token.strip())
    except api_keys.InvalidApiKey:
        throttling.count_failure(throttling.address(meta))
        raise AuthenticationFailed("The API key is not valid.", code="invalid_api_key") from None
    try:
        admitting.admit(principal.organization_id, meta, principal.actor, door="api")
    except admitting.AddressNotAllowed:
        raise PermissionDenied(
            "The organization does not allow requests from this network.", code="address_not_allowed"
        ) from None
    return principal


class ApiKeyScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI document describes the credential."""

    target_class = ApiKeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "iva_…"}
