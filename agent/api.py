"""The API of the knowledge base (P22)."""

import uuid
from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.scopes import Scope
from agent import knowledge
from agent.models import KnowledgeEntry
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

TAG = ["Knowledge"]


class EntryBody(serializers.Serializer[Any]):
    """A question, other ways to ask it, its answer, and the title that is named as the source."""

    title = Text(max_length=knowledge.LONGEST_TITLE)
    question = Text(max_length=knowledge.LONGEST_QUESTION)
    alternatives = serializers.ListField(
        child=Text(max_length=knowledge.LONGEST_QUESTION),
        max_length=knowledge.MOST_ALTERNATIVES,
        required=False,
        default=list,
    )
    answer = Text(max_length=knowledge.LONGEST_ANSWER)


class EntrySerializer(serializers.Serializer[KnowledgeEntry]):
    id = serializers.UUIDField()
    title = serializers.CharField()
    question = serializers.CharField()
    alternatives = serializers.ListField(child=serializers.CharField())
    answer = serializers.CharField()
    version = serializers.IntegerField()
    published_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class EntryPage(serializers.Serializer[Any]):
    results = EntrySerializer(many=True)
    next = serializers.CharField(allow_null=True)


class KnowledgeView(OrganizationView):
    scopes = {"GET": Scope.KNOWLEDGE_READ, "POST": Scope.KNOWLEDGE_WRITE}
    parameters = OF_A_PAGE

    @extend_schema(
        operation_id="knowledge_list",
        summary="List published entries, the newest first",
        tags=TAG,
        parameters=PAGE_PARAMETERS,
        responses=EntryPage,
    )
    def get(self, request: Request) -> Response:
        limit, before = limit_of(request), cursor_of(request, tuple[uuid.UUID])
        entries = knowledge.page(before=before[0] if before else None, limit=limit)
        last = [entries[-1].pk] if entries else None
        return page(present(EntrySerializer, entries), limit, last)

    @extend_schema(
        operation_id="knowledge_publish",
        summary="Publish an entry; the agent answers from it at once",
        tags=TAG,
        request=EntryBody,
        responses={201: EntrySerializer},
    )
    def post(self, request: Request) -> Response:
        body, actor = read(EntryBody, request), self.principal.actor
        entry = _accepted(lambda: knowledge.publish(**body, actor=actor))
        return Response(EntrySerializer(entry).data, status=201)


class KnowledgeEntryView(OrganizationView):
    scopes = {"GET": Scope.KNOWLEDGE_READ, "PUT": Scope.KNOWLEDGE_WRITE, "DELETE": Scope.KNOWLEDGE_WRITE}

    @extend_schema(
        operation_id="knowledge_read", summary="Read an entry", tags=TAG, responses=EntrySerializer
    )
    def get(self, request: Request, entry_id: uuid.UUID) -> Response:
        return Response(EntrySerializer(_found(entry_id)).data)

    @extend_schema(
        operation_id="knowledge_revise",
        summary="Replace an entry by a new version of it",
        tags=TAG,
        request=EntryBody,
        responses=EntrySerializer,
    )
    def put(self, request: Request, entry_id: uuid.UUID) -> Response:
        body, actor = read(EntryBody, request), self.principal.actor
        entry = _accepted(lambda: knowledge.revise(_found(entry_id), **body, actor=actor))
        return Response(EntrySerializer(entry).data)

    @extend_schema(
        operation_id="knowledge_retire",
        summary="Take an entry out of use",
        tags=TAG,
        responses={204: None},
    )
    def delete(self, request: Request, entry_id: uuid.UUID) -> Response:
        knowledge.retire(_found(entry_id), actor=self.principal.actor)
        return Response(status=204)


def _accepted(change: Callable[[], KnowledgeEntry]) -> KnowledgeEntry:
    try:
        return change()
    except knowledge.EntryRefused as refusal:
        raise Problem("entry_refused", f"The entry cannot be published: {refusal}.", 422) from None
    except knowledge.NoSuchEntry:
        raise _no_such_entry() from None


def _found(entry_id: uuid.UUID) -> KnowledgeEntry:
    try:
        return knowledge.get(entry_id)
    except knowledge.NoSuchEntry:
        raise _no_such_entry() from None


def _no_such_entry() -> Problem:
    return Problem("entry_not_found", "The organization has no such entry.", 404)
