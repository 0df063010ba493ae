"""The API's front door: `Authorization: Bearer iva_…`."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request

from accounts import api_keys, throttling

SCHEME = "bearer"


class ApiKeyAuthentication(BaseAuthentication):
    """Recognizes API keys; failures are counted for each address and slowed down."""

    def authenticate(self, request: Request) -> tuple[api_keys.Principal, api_keys.Principal] | None:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        principal = principal_of(header, throttling.address(request.META))
        return principal, principal

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="IVA API"'


def principal_of(header: str, address: str) -> api_keys.Principal:
    """Who the header speaks for. Raises NotAuthenticated, AuthenticationFailed, Throttled."""
    if not header:
        raise NotAuthenticated("Send `Authorization: Bearer` with an API key.")
    try:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != SCHEME:
            raise api_keys.InvalidApiKey
        return api_keys.recognize(token.strip())
    except api_keys.InvalidApiKey:
        throttling.count_failure(address)
        raise AuthenticationFailed("The API key is not valid.", code="invalid_api_key") from None


class ApiKeyScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI document describes the credential."""

    target_class = ApiKeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "iva_…"}
