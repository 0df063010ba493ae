"""What every API door does the same way: find the tenant, open one transaction, answer.

A view declares `scopes = {"GET": Scope.…}` and, where it is not running the service itself, `purpose`.
"""

import base64
import binascii
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar

import msgspec
from django.utils import translation
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api_keys import Principal
from iva import tenancy
from iva.problems import Problem

LANGUAGE = "en"
"""Of every sentence in the API, whatever the caller's browser prefers."""

LARGEST_PAGE = 100
USUAL_PAGE = 50
OF_A_PAGE = frozenset({"cursor", "limit"})

PAGE_PARAMETERS = [
    OpenApiParameter("cursor", OpenApiTypes.STR, description="`next` of the previous page"),
    OpenApiParameter("limit", OpenApiTypes.INT, description=f"1 to {LARGEST_PAGE}, {USUAL_PAGE} by default"),
]


class Text(serializers.CharField):
    """A string, and nothing that would have to be made into one; measured as it was sent."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return super().to_internal_value(data)


class OrganizationView(APIView):
    """A door of the API. The handler runs in a transaction that sees the key's organization only.

    Like `APIView.dispatch`, with the tenant named between the credential and the handler; whatever the
    handler raises rolls everything back.
    """

    scopes: ClassVar[dict[str, str]] = {}
    parameters: ClassVar[frozenset[str]] = frozenset()
    purpose: ClassVar[str] = tenancy.SERVICE_OPERATE
    opens_its_own_transactions: ClassVar[bool] = False

    @property
    def principal(self) -> Principal:
        """Who the request speaks for; authentication has put it there."""
        principal: Principal = self.request.auth  # type: ignore[assignment]
        return principal

    @property
    def allowed_methods(self) -> list[str]:
        """What `Allow` names: exactly the methods that have a scope."""
        return sorted(self.scopes)

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        self.args, self.kwargs = args, kwargs
        request = self.request = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        with translation.override(LANGUAGE):
            try:
                self.initial(request, *args, **kwargs)
                self._refuse_unknown_parameters(request)
                response = self._handle(request, *args, **kwargs)
            except Exception as error:
                response = self.handle_exception(error)
        self.response = self.finalize_response(request, response, *args, **kwargs)
        return self.response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Like the framework's, but a request is counted before it is asked what it may do."""
        self.format_kwarg = None
        renderer, media_type = self.perform_content_negotiation(request)
        request.accepted_renderer, request.accepted_media_type = renderer, media_type
        self.perform_authentication(request)
        self.check_throttles(request)
        self.check_permissions(request)

    def _refuse_unknown_parameters(self, request: Request) -> None:
        """A filter that is not ours would show everybody's rows to who asked for somebody's."""
        known = self.parameters if request.method == "GET" else frozenset()
        if set(request.query_params) - known:
            answered = ", ".join(sorted(known)) or "none"
            raise Problem("unknown_parameter", f"Parameters of this address: {answered}.")

    def _handle(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        handler = getattr(self, (request.method or "").lower(), self.http_method_not_allowed)
        if self.opens_its_own_transactions:
            return handler(request, *args, **kwargs)
        with tenancy.tenant(self.principal.organization_id, self.purpose):
            return handler(request, *args, **kwargs)

    def permission_denied(self, request: Request, message: str | None = None, code: str | None = None) -> Any:
        """An unsupported method is 405, not a missing permission."""
        if (request.method or "") not in self.scopes:
            self.http_method_not_allowed(request)
        super().permission_denied(request, message, code)

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return self.http_method_not_allowed(request)


def read(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The validated body. Raises ValidationError (422)."""
    if not isinstance(request.data, dict):
        raise Problem("invalid", "The body must be a JSON object.", 422)
    reader = serializer(data=request.data)
    reader.is_valid(raise_exception=True)
    return reader.validated_data


def present(serializer: type[serializers.Serializer[Any]], rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Rows as the API shows them."""
    shown: Any = serializer(rows, many=True).data
    return list(shown)


def limit_of(request: Request) -> int:
    """How many rows the caller wants. Raises Problem(400, invalid_limit)."""
    text = request.query_params.get("limit", str(USUAL_PAGE))
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= LARGEST_PAGE):
        raise Problem("invalid_limit", f"`limit` is a number from 1 to {LARGEST_PAGE}.")
    return int(text)


def cursor_of(request: Request, shape: Any) -> Any:
    """Where the page begins, in the given shape, or None. Raises Problem(400, invalid_cursor)."""
    text = request.query_params.get("cursor")
    if text is None:
        return None
    try:
        padding = b"=" * (-len(text) % 4)
        raw = base64.b64decode(text.encode("ascii") + padding, altchars=b"-_", validate=True)
        return msgspec.json.decode(raw, type=shape)
    except (UnicodeError, binascii.Error, msgspec.MsgspecError):
        raise Problem("invalid_cursor", "`cursor` is not one that we gave.") from None


def id_of(request: Request, name: str) -> uuid.UUID | None:
    """An optional id in the query. Raises Problem(400, invalid_id)."""
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Problem("invalid_id", f"`{name}` is not an id.") from None


def page(results: Sequence[Any], limit: int, last: Sequence[Any] | None) -> Response:
    """A page and the cursor of the next one, null at the end. `last` is the position of the last row."""
    more = len(results) == limit and last is not None
    following = base64.urlsafe_b64encode(msgspec.json.encode(last)).rstrip(b"=").decode() if more else None
    return Response({"results": results, "next": following})


InboxCursor = tuple[Annotated[datetime, msgspec.Meta(tz=True)], uuid.UUID]
SequenceCursor = tuple[Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]]
