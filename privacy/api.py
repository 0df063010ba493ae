"""The API of End Users: find one, read one, erase one."""

import uuid
from contextlib import suppress
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.scopes import Scope
from iva import tenancy
from iva.audit import log as audit
from iva.audit.events import Event
from iva.doors import (
    OF_A_PAGE,
    PAGE_PARAMETERS,
    OrganizationView,
    Text,
    cursor_of,
    limit_of,
    page,
    present,
    read,
)
from iva.problems import Problem
from privacy import erasure, subjects
from privacy.grounds import CAN_BE_ASKED_FOR, Ground
from privacy.handles import LONGEST, HandleInvalid, HandleKind
from privacy.models import EndUser, EndUserIdentity, ErasureRecord
from retention.holds import LegalHoldInForce

TAG = ["End Users"]
INLINE_BATCHES = 2


class HandleSerializer(serializers.Serializer[EndUserIdentity]):
    kind = serializers.ChoiceField(choices=HandleKind.choices)
    value = serializers.CharField(source="handle")


class EndUserSerializer(serializers.Serializer[EndUser]):
    """A person who writes to the organization."""

    id = serializers.UUIDField()
    name = serializers.CharField(allow_null=True)
    first_seen_at = serializers.DateTimeField()
    handles = HandleSerializer(many=True)


class SearchBody(serializers.Serializer[Any]):
    """Exactly one handle, in any spelling."""

    phone = Text(required=False, max_length=LONGEST)
    email = Text(required=False, max_length=LONGEST)
    messenger_id = Text(required=False, max_length=LONGEST)
    customer_number = Text(required=False, max_length=LONGEST)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError("Name exactly one handle.", code="one_handle")
        return attrs


class SearchResult(serializers.Serializer[Any]):
    results = EndUserSerializer(many=True)


class ErasureBody(serializers.Serializer[Any]):
    """Why the deletion is lawful."""

    ground = serializers.ChoiceField(choices=CAN_BE_ASKED_FOR)


class ErasureSerializer(serializers.Serializer[ErasureRecord]):
    """The three times of an erasure: reads fail, rows are gone, no older backup can open anything."""

    id = serializers.UUIDField()
    end_user_id = serializers.UUIDField()
    ground = serializers.ChoiceField(choices=Ground.choices)
    requested_by = serializers.CharField()
    unreadable_at = serializers.DateTimeField()
    disposed_at = serializers.DateTimeField(allow_null=True)
    sealed_at = serializers.DateTimeField(allow_null=True)
    disposed_rows = serializers.DictField(child=serializers.IntegerField())


class ErasurePage(serializers.Serializer[Any]):
    results = ErasureSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class EndUserSearchView(OrganizationView):
    """Search by handle. A POST, so that no handle ever stands in a URL or an access log (ASVS 14.2.1)."""

    scopes = {"POST": Scope.END_USERS_READ}

    @extend_schema(
        operation_id="end_users_search",
        summary="Find an End User by phone, e-mail, messenger id or customer number",
        tags=TAG,
        request=SearchBody,
        responses={200: SearchResult},
    )
    def post(self, request: Request) -> Response:
        ((kind, value),) = read(SearchBody, request).items()
        try:
            actor = self.principal.actor
            found = subjects.search(HandleKind(kind), value, actor=actor)
        except HandleInvalid:
            raise Problem("handle_invalid", f"`{kind}` cannot be what it claims to be.", 422) from None
        return Response({"results": [_present(found)] if found else []})


class EndUserView(OrganizationView):
    scopes = {"GET": Scope.END_USERS_READ}

    @extend_schema(
        operation_id="end_users_read", summary="Read an End User", tags=TAG, responses=EndUserSerializer
    )
    def get(self, request: Request, end_user_id: uuid.UUID) -> Response:
        try:
            end_user = subjects.get(end_user_id)
        except subjects.NoSuchEndUser:
            raise _nobody() from None
        audit.record(Event.END_USER_READ, actor=self.principal.actor, end_user=end_user_id)
        return Response(_present(end_user))


class EndUserErasureView(OrganizationView):
    """Erase an End User. Opens its own transactions: the first makes everything unreadable at once."""

    scopes = {"POST": Scope.END_USERS_ERASE}
    opens_its_own_transactions = True

    @extend_schema(
        operation_id="end_users_erase",
        summary="Erase an End User",
        description=(
            "When this answers, nothing of the End User can be read any more: their key is destroyed. "
            "200: the rows are gone too. 202: there are so many rows that they are still being deleted; "
            "follow `GET /api/v1/erasures/{id}/`."
        ),
        tags=TAG,
        request=ErasureBody,
        responses={200: ErasureSerializer, 202: ErasureSerializer},
    )
    def post(self, request: Request, end_user_id: uuid.UUID) -> Response:
        ground = Ground(read(ErasureBody, request)["ground"])
        principal = self.principal
        record = _erase(principal, end_user_id, ground)
        with suppress(LegalHoldInForce):
            erasure.finish(principal.organization_id, record.pk, most_batches=INLINE_BATCHES)
        with tenancy.tenant(principal.organization_id):
            record = ErasureRecord.objects.get(pk=record.pk)
            return Response(ErasureSerializer(record).data, status=200 if record.disposed_at else 202)


class ErasuresView(OrganizationView):
    scopes = {"GET": Scope.END_USERS_READ}
    parameters = OF_A_PAGE

    @extend_schema(
        operation_id="erasures_list",
        summary="List erasures, the newest first",
        tags=TAG,
        parameters=PAGE_PARAMETERS,
        responses=ErasurePage,
    )
    def get(self, request: Request) -> Response:
        limit, before = limit_of(request), cursor_of(request, tuple[uuid.UUID])
        found = ErasureRecord.objects.order_by("-id")
        if before:
            found = found.filter(id__lt=before[0])
        records = list(found[:limit])
        data = present(ErasureSerializer, records)
        return page(data, limit, [records[-1].pk] if records else None)


class ErasureView(OrganizationView):
    scopes = {"GET": Scope.END_USERS_READ}

    @extend_schema(
        operation_id="erasures_read", summary="Read an erasure", tags=TAG, responses=ErasureSerializer
    )
    def get(self, request: Request, erasure_id: uuid.UUID) -> Response:
        record = ErasureRecord.objects.filter(pk=erasure_id).first()
        if record is None:
            raise Problem("erasure_not_found", "The organization has no such erasure.", 404)
        return Response(ErasureSerializer(record).data)


def _erase(principal: Any, end_user_id: uuid.UUID, ground: Ground) -> ErasureRecord:
    try:
        with tenancy.tenant(principal.organization_id):
            return erasure.erase(end_user_id, ground, actor=principal.actor)
    except subjects.NoSuchEndUser:
        raise _nobody() from None
    except LegalHoldInForce:
        with tenancy.tenant(principal.organization_id):
            erasure.refuse(end_user_id, "legal_hold", actor=principal.actor)
        raise Problem("legal_hold_in_force", "A legal hold forbids the erasure.", 409) from None


def _present(end_user: EndUser) -> dict[str, Any]:
    handles = present(HandleSerializer, subjects.handles_of(end_user))
    return {
        "id": end_user.pk,
        "name": end_user.name,
        "first_seen_at": end_user.first_seen_at,
        "handles": handles,
    }


def _nobody() -> Problem:
    return Problem("end_user_not_found", "The organization has no such End User.", 404)
