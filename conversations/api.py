"""The API of conversations: post messages, read what was said, change who is in charge."""

import uuid
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.scopes import Scope
from conversations import delivering, handover, reading, replying, resolving
from conversations.models import Author, Conversation, Message, Resolution, State
from conversations.receiving import LONGEST_BODY
from iva.doors import (
    OF_A_PAGE,
    PAGE_PARAMETERS,
    InboxCursor,
    OrganizationView,
    Text,
    cursor_of,
    id_of,
    limit_of,
    page,
    present,
    read,
)
from iva.problems import Problem

TAG = ["Conversations"]


class ConversationSerializer(serializers.Serializer[Conversation]):
    """Metadata of a conversation (P26); the text is under `messages/`."""

    id = serializers.UUIDField()
    end_user_id = serializers.UUIDField()
    channel_id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=State.choices)
    opened_at = serializers.DateTimeField()
    last_message_at = serializers.DateTimeField()
    first_response_at = serializers.DateTimeField(allow_null=True)
    handed_over_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    duration_seconds = serializers.IntegerField()
    resolution = serializers.ChoiceField(choices=Resolution.choices, allow_blank=True)


class MessageSerializer(serializers.Serializer[Message]):
    """A message in the clear, for the organization whose End User wrote or received it."""

    id = serializers.UUIDField()
    author = serializers.ChoiceField(choices=Author.choices)
    text = serializers.CharField(source="body")
    sent_at = serializers.DateTimeField(allow_null=True)
    kept_at = serializers.DateTimeField()
    in_reply_to = serializers.UUIDField(allow_null=True)
    outcome = serializers.CharField(
        help_text="answer, choices, fallback, handover or small_talk; empty for people"
    )
    knowledge_entry_ids = serializers.ListField(child=serializers.UUIDField())


class ConversationPage(serializers.Serializer[Any]):
    results = ConversationSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class MessagePage(serializers.Serializer[Any]):
    results = MessageSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class ReplyBody(serializers.Serializer[Any]):
    text = Text(max_length=LONGEST_BODY)


class ResolutionBody(serializers.Serializer[Any]):
    resolution = serializers.ChoiceField(choices=Resolution.choices)


class ConversationsView(OrganizationView):
    """The inbox."""

    scopes = {"GET": Scope.CONVERSATIONS_READ}
    parameters = OF_A_PAGE | {"state", "channel", "end_user"}

    @extend_schema(
        operation_id="conversations_list",
        summary="List conversations, the most recently active first",
        tags=TAG,
        parameters=[
            *PAGE_PARAMETERS,
            OpenApiParameter("state", OpenApiTypes.STR, enum=State.values),
            OpenApiParameter("channel", OpenApiTypes.UUID),
            OpenApiParameter("end_user", OpenApiTypes.UUID),
        ],
        responses=ConversationPage,
    )
    def get(self, request: Request) -> Response:
        limit = limit_of(request)
        found = reading.inbox(
            state=_state(request),
            channel_id=id_of(request, "channel"),
            end_user_id=id_of(request, "end_user"),
            before=cursor_of(request, InboxCursor),
            limit=limit,
        )
        last = (found[-1].last_message_at, found[-1].pk) if found else None
        return page(present(ConversationSerializer, found), limit, last)


class ConversationView(OrganizationView):
    scopes = {"GET": Scope.CONVERSATIONS_READ}

    @extend_schema(
        operation_id="conversations_read",
        summary="Read a conversation's metadata",
        tags=TAG,
        responses=ConversationSerializer,
    )
    def get(self, request: Request, conversation_id: uuid.UUID) -> Response:
        return Response(ConversationSerializer(_found(conversation_id)).data)


class ConversationMessagesView(OrganizationView):
    scopes = {"GET": Scope.CONVERSATIONS_READ, "POST": Scope.CONVERSATIONS_WRITE}
    parameters = OF_A_PAGE

    @extend_schema(
        operation_id="conversations_messages",
        summary="Read a conversation's messages, the newest first",
        tags=TAG,
        parameters=PAGE_PARAMETERS,
        responses=MessagePage,
    )
    def get(self, request: Request, conversation_id: uuid.UUID) -> Response:
        limit, before = limit_of(request), cursor_of(request, tuple[uuid.UUID])
        found = reading.messages(
            _found(conversation_id),
            actor=self.principal.actor,
            before=before[0] if before else None,
            limit=limit,
        )
        delivering.take(found)
        return page(present(MessageSerializer, found), limit, [found[-1].pk] if found else None)

    @extend_schema(
        operation_id="conversations_reply",
        summary="Write to the End User as a member of the organization",
        tags=TAG,
        request=ReplyBody,
        responses={201: MessageSerializer},
    )
    def post(self, request: Request, conversation_id: uuid.UUID) -> Response:
        text = read(ReplyBody, request)["text"]
        conversation = _found(conversation_id, for_update=True)
        if conversation.closed_at is not None:
            raise _closed()
        actor = self.principal.actor
        message = replying.reply(conversation, text, author=Author.MEMBER, actor=actor)
        return Response(MessageSerializer(message).data, status=201)


class HandoverView(OrganizationView):
    scopes = {"PUT": Scope.CONVERSATIONS_WRITE, "DELETE": Scope.CONVERSATIONS_WRITE}

    @extend_schema(
        operation_id="conversations_hand_over",
        summary="Put people in charge: the agent stays silent",
        tags=TAG,
        request=None,
        responses=ConversationSerializer,
    )
    def put(self, request: Request, conversation_id: uuid.UUID) -> Response:
        return self._change(request, conversation_id, handover.hand_over)

    @extend_schema(
        operation_id="conversations_hand_back",
        summary="Put the agent in charge again",
        tags=TAG,
        responses={200: ConversationSerializer},
    )
    def delete(self, request: Request, conversation_id: uuid.UUID) -> Response:
        return self._change(request, conversation_id, handover.hand_back)

    def _change(self, request: Request, conversation_id: uuid.UUID, change: Any) -> Response:
        conversation = _found(conversation_id, for_update=True)
        try:
            change(conversation, actor=self.principal.actor)
        except handover.ConversationClosed:
            raise _closed() from None
        return Response(ConversationSerializer(conversation).data)


class ResolutionView(OrganizationView):
    scopes = {"PUT": Scope.CONVERSATIONS_WRITE}

    @extend_schema(
        operation_id="conversations_resolve",
        summary="End a conversation",
        tags=TAG,
        request=ResolutionBody,
        responses=ConversationSerializer,
    )
    def put(self, request: Request, conversation_id: uuid.UUID) -> Response:
        resolution = Resolution(read(ResolutionBody, request)["resolution"])
        conversation = _found(conversation_id, for_update=True)
        try:
            resolving.resolve(conversation, resolution, actor=self.principal.actor)
        except resolving.ResolvedOtherwise:
            detail = f"The conversation has ended already, as {conversation.resolution}."
            raise Problem("resolved_otherwise", detail, 409) from None
        return Response(ConversationSerializer(conversation).data)


def _found(conversation_id: uuid.UUID, *, for_update: bool = False) -> Conversation:
    try:
        return reading.get_for_update(conversation_id) if for_update else reading.get(conversation_id)
    except reading.NoSuchConversation:
        raise Problem("conversation_not_found", "The organization has no such conversation.", 404) from None


def _closed() -> Problem:
    return Problem("conversation_closed", "The conversation has ended; a new message opens another.", 409)


def _state(request: Request) -> State | None:
    text = request.query_params.get("state")
    if text is not None and text not in State.values:
        raise Problem("invalid_state", f"`state` is one of {', '.join(State.values)}.")
    return State(text) if text else None
