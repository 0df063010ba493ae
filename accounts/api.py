"""The API of the organization itself: who am I, through which channels, and what has been recorded."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Organization
from accounts.scopes import Scope
from iva.audit.models import AuditEvent
from iva.doors import (
    OF_A_PAGE,
    PAGE_PARAMETERS,
    OrganizationView,
    SequenceCursor,
    cursor_of,
    limit_of,
    page,
    present,
)

TAG = ["Organization"]


class OrganizationSerializer(serializers.Serializer[Any]):
    """The organization the key belongs to, and what the key may do."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    slug = serializers.CharField()
    time_zone = serializers.CharField()
    api_key_id = serializers.UUIDField()
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=[scope.value for scope in Scope]))


class AuditEventSerializer(serializers.Serializer[AuditEvent]):
    """One link of the chain: ids and counts only."""

    sequence = serializers.IntegerField()
    id = serializers.UUIDField()
    event = serializers.CharField()
    actor = serializers.CharField()
    occurred_at = serializers.DateTimeField()
    ids = serializers.CharField(help_text="canonical JSON, exactly as it was hashed")
    digest = serializers.SerializerMethodField()

    def get_digest(self, event: AuditEvent) -> str:
        return bytes(event.digest).hex()


class AuditPage(serializers.Serializer[Any]):
    results = AuditEventSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class OrganizationSelfView(OrganizationView):
    scopes = {"GET": Scope.CHANNELS_READ}

    @extend_schema(
        operation_id="organization_read",
        summary="Read your organization and what your key may do",
        tags=TAG,
        responses=OrganizationSerializer,
    )
    def get(self, request: Request) -> Response:
        principal = self.principal
        organization = Organization.objects.get(pk=principal.organization_id)
        return Response(
            {
                "id": organization.pk,
                "name": organization.name,
                "slug": organization.slug,
                "time_zone": organization.time_zone,
                "api_key_id": principal.api_key_id,
                "scopes": sorted(principal.scopes),
            }
        )


class AuditEventsView(OrganizationView):
    """The audit trail, newest first, enough to recompute the chain oneself."""

    scopes = {"GET": Scope.AUDIT_READ}
    parameters = OF_A_PAGE
    purpose = "legal.requirement"

    @extend_schema(
        operation_id="audit_events_list",
        summary="Read the audit trail, the newest event first",
        tags=TAG,
        parameters=PAGE_PARAMETERS,
        responses=AuditPage,
    )
    def get(self, request: Request) -> Response:
        limit, before = limit_of(request), cursor_of(request, SequenceCursor)
        found = AuditEvent.objects.order_by("-sequence")
        if before:
            found = found.filter(sequence__lt=before[0])
        events = list(found[:limit])
        data = present(AuditEventSerializer, events)
        return page(data, limit, [events[-1].sequence] if events else None)
