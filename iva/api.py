"""Every door of `/api/v1/` on one page, and its OpenAPI document."""

from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularSwaggerSplitView

from accounts.api import AuditEventsView, OrganizationSelfView
from agent.api import KnowledgeEntryView, KnowledgeView
from channels_cfg.api import ChannelsView
from conversations.api import (
    ConversationMessagesView,
    ConversationsView,
    ConversationView,
    HandoverView,
    ResolutionView,
)
from conversations.posting import PostBatchView, PostMessageView
from privacy.api import EndUserErasureView, EndUserSearchView, EndUserView, ErasuresView, ErasureView

PROBLEM = {
    "type": "object",
    "description": "A problem document (RFC 9457).",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "for machines; does not change"},
        "detail": {"type": "string", "description": "for people; may change"},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
}

DOCUMENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@csrf_exempt
@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document, built once in each process."""
    return HttpResponse(_document(), content_type=OpenApiYamlRenderer.media_type)


@cache
def _document() -> bytes:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    rendered: bytes = OpenApiYamlRenderer().render(schema, renderer_context={})
    return rendered


class DocumentView(SpectacularSwaggerSplitView):
    """Swagger UI from our own packages; it styles itself inline, so its policy allows that and no more."""

    throttle_classes = ()

    @extend_schema(exclude=True)
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().get(request, *args, **kwargs)
        response["Content-Security-Policy"] = DOCUMENT_POLICY
        return response


urlpatterns = [
    path("messages/", PostMessageView.as_view()),
    path("messages/batch/", PostBatchView.as_view()),
    path("conversations/", ConversationsView.as_view()),
    path("conversations/<uuid:conversation_id>/", ConversationView.as_view()),
    path("conversations/<uuid:conversation_id>/messages/", ConversationMessagesView.as_view()),
    path("conversations/<uuid:conversation_id>/handover/", HandoverView.as_view()),
    path("conversations/<uuid:conversation_id>/resolution/", ResolutionView.as_view()),
    path("end-users/search/", EndUserSearchView.as_view()),
    path("end-users/<uuid:end_user_id>/", EndUserView.as_view()),
    path("end-users/<uuid:end_user_id>/erasure/", EndUserErasureView.as_view()),
    path("erasures/", ErasuresView.as_view()),
    path("erasures/<uuid:erasure_id>/", ErasureView.as_view()),
    path("knowledge/", KnowledgeView.as_view()),
    path("knowledge/<uuid:entry_id>/", KnowledgeEntryView.as_view()),
    path("channels/", ChannelsView.as_view()),
    path("organization/", OrganizationSelfView.as_view()),
    path("audit-events/", AuditEventsView.as_view()),
]

document_urlpatterns = [
    path("openapi.yaml", openapi, name="openapi"),
    path("docs/", csrf_exempt(require_safe(DocumentView.as_view(url_name="openapi"))), name="api-docs"),
]


CLOSED = ("MessageBodyRequest", "SenderRequest", "BatchItemRequest", "BatchRequest")


def describe_problems(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Every operation may answer with a problem document; the message doors refuse unknown members."""
    result["components"].setdefault("schemas", {})["Problem"] = PROBLEM
    for name in CLOSED:
        result["components"]["schemas"][name]["additionalProperties"] = False
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["responses"]["default"] = {"description": "A problem", "content": content}
    return result
