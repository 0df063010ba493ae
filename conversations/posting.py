"""The hot door: `POST /api/v1/messages/` and `/messages/batch/`.

A thin view in front of `receiving.receive`, documented in the same OpenAPI document: the REST
framework's request, parser and serializers would cost more than everything else together (DESIGN 9).
What it may not skip it calls: the same credentials, scopes, limits and problem documents.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar

import msgspec
from django.db import connection
from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import MethodNotAllowed, UnsupportedMediaType
from rest_framework.views import APIView

from accounts import permissions, throttling
from accounts.authentication import principal_of
from accounts.scopes import Scope
from channels_cfg.connecting import NoSuchChannel
from conversations import receiving
from iva import problems
from iva.crypto import keys
from iva.problems import Problem
from iva.strict_json import refuse_nul
from privacy import handles, subjects

LONGEST_TEXT = Annotated[str, msgspec.Meta(min_length=1, max_length=receiving.LONGEST_BODY)]
LONGEST_HANDLE = Annotated[str, msgspec.Meta(min_length=1, max_length=handles.LONGEST)]
LONGEST_NAME = Annotated[str, msgspec.Meta(max_length=subjects.LONGEST_NAME)]
MOMENT = Annotated[datetime, msgspec.Meta(tz=True)]
EXTERNAL_ID = Annotated[str, msgspec.Meta(min_length=1, max_length=receiving.LONGEST_EXTERNAL_ID)]


EARLIEST_YEAR, LATEST_YEAR = 2000, 2100
RETRY_AFTER_SECONDS = 5


class SenderBody(msgspec.Struct, forbid_unknown_fields=True):
    """Who wrote: at least one handle."""

    name: LONGEST_NAME | None = None
    phone: LONGEST_HANDLE | None = None
    email: LONGEST_HANDLE | None = None
    messenger_id: LONGEST_HANDLE | None = None
    customer_number: LONGEST_HANDLE | None = None


class MessageBody(msgspec.Struct, forbid_unknown_fields=True):
    """One delivered message."""

    external_id: EXTERNAL_ID
    sender: SenderBody
    text: LONGEST_TEXT
    sent_at: MOMENT | None = None
    channel: uuid.UUID | None = None


class BatchItem(msgspec.Struct, forbid_unknown_fields=True):
    """One message of a batch."""

    external_id: EXTERNAL_ID
    sender: SenderBody
    text: LONGEST_TEXT
    sent_at: MOMENT | None = None


class BatchBody(msgspec.Struct, forbid_unknown_fields=True):
    """Up to a hundred messages of one channel, each read by itself: one that does not fit spoils no other."""

    messages: Annotated[list[msgspec.Raw], msgspec.Meta(min_length=1, max_length=receiving.MOST_AT_ONCE)]
    channel: uuid.UUID | None = None


class SenderSerializer(serializers.Serializer[Any]):
    """Who wrote: at least one handle. Phones are Mongolian unless they carry a country code."""

    name = serializers.CharField(required=False, allow_null=True, max_length=subjects.LONGEST_NAME)
    phone = serializers.CharField(required=False, allow_null=True, max_length=handles.LONGEST)
    email = serializers.CharField(required=False, allow_null=True, max_length=handles.LONGEST)
    messenger_id = serializers.CharField(required=False, allow_null=True, max_length=handles.LONGEST)
    customer_number = serializers.CharField(required=False, allow_null=True, max_length=handles.LONGEST)


class BatchItemSerializer(serializers.Serializer[Any]):
    """`external_id` is the sending system's own id: repeating it changes nothing."""

    external_id = serializers.CharField(max_length=receiving.LONGEST_EXTERNAL_ID)
    sender = SenderSerializer()
    text = serializers.CharField(max_length=receiving.LONGEST_BODY)
    sent_at = serializers.DateTimeField(required=False, allow_null=True)


class MessageBodySerializer(BatchItemSerializer):
    """A message and the channel it came through (the organization's API channel when left out)."""

    channel = serializers.UUIDField(required=False, allow_null=True)


class BatchSerializer(serializers.Serializer[Any]):
    """Up to a hundred messages of one channel."""

    channel = serializers.UUIDField(required=False, allow_null=True)
    messages = serializers.ListField(
        child=BatchItemSerializer(), min_length=1, max_length=receiving.MOST_AT_ONCE
    )


class ReceiptSerializer(serializers.Serializer[Any]):
    """The message is durable. `is_new` is false for a repeated delivery."""

    message_id = serializers.UUIDField()
    conversation_id = serializers.UUIDField()
    end_user_id = serializers.UUIDField()
    kept_at = serializers.DateTimeField()
    is_new = serializers.BooleanField()


class BatchOutcomeSerializer(serializers.Serializer[Any]):
    """In the order of the messages: a receipt, or the `code` of what was wrong with that one."""

    results = serializers.ListField(child=serializers.JSONField())


class HotDoor(APIView):
    """What both doors share. `scopes` is read by the architecture tests like any other view's."""

    scopes: ClassVar[dict[str, str]] = {"POST": Scope.MESSAGES_WRITE}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return self._answer(request)
        except MethodNotAllowed as error:
            response = problems.respond_to(error)
            response["Allow"] = "POST"
            return response
        except Exception as error:
            return problems.respond_to(error)

    def _answer(self, request: HttpRequest) -> HttpResponse:
        principal = principal_of(request.META)
        if request.method != "POST":
            raise MethodNotAllowed(str(request.method))
        throttling.count_request(str(principal.api_key_id))
        permissions.refuse(principal, Scope.MESSAGES_WRITE)
        if request.content_type != "application/json":
            raise UnsupportedMediaType(request.content_type or "", code="unsupported_media_type")
        connection.health_check_done = True  # type: ignore[attr-defined]
        status, body = self.keep(principal, request.body)
        return HttpResponse(msgspec.json.encode(body), status=status, content_type="application/json")

    def keep(self, principal: Any, raw: bytes) -> tuple[int, Any]:
        raise Problem("method_not_allowed", "This door is closed.", 405)


class PostMessageView(HotDoor):
    @extend_schema(
        operation_id="messages_post",
        summary="Post an End User's message",
        description="Durable when it answers. The reply appears in the conversation a moment later.",
        tags=["Messages"],
        request=MessageBodySerializer,
        responses={201: ReceiptSerializer, 200: ReceiptSerializer},
    )
    def post(self, request: HttpRequest) -> None:
        """Described here, answered by `keep`."""

    def keep(self, principal: Any, raw: bytes) -> tuple[int, Any]:
        body = decode(raw, MessageBody)
        outcome = _receive(principal, body.channel, [_inbound(body)])[0]
        if isinstance(outcome, receiving.Receipt):
            return (201 if outcome.is_new else 200), outcome._asdict()
        raise _problem_of(outcome)


class PostBatchView(HotDoor):
    @extend_schema(
        operation_id="messages_post_batch",
        summary="Post up to a hundred messages at once",
        description="All that fits is kept in one transaction; each message has its own outcome.",
        tags=["Messages"],
        request=BatchSerializer,
        responses={200: BatchOutcomeSerializer},
    )
    def post(self, request: HttpRequest) -> None:
        """Described here, answered by `keep`."""

    def keep(self, principal: Any, raw: bytes) -> tuple[int, Any]:
        body = decode(raw, BatchBody)
        results: list[Any] = [None] * len(body.messages)
        inbound = []
        for position, item in enumerate(body.messages):
            try:
                inbound.append((position, _inbound(decode(bytes(item), BatchItem))))
            except Problem as problem:
                results[position] = {"code": problem.code, "detail": str(problem.detail)}
        outcomes = _receive(principal, body.channel, [message for _, message in inbound]) if inbound else []
        for (position, _), outcome in zip(inbound, outcomes, strict=True):
            results[position] = _result(outcome)
        return 200, {"results": results}


def decode(raw: bytes, shape: type[Any]) -> Any:
    """Parse a body into its shape. Raises Problem 400 (malformed_json) or 422 (invalid, nul_character)."""
    try:
        value = _DECODERS[shape].decode(raw)
    except msgspec.ValidationError as error:
        raise Problem("invalid", f"The body does not fit: {error}.", 422) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Problem("malformed_json", "The body is not valid JSON in UTF-8.") from None
    if shape is not BatchBody and (b"\\u0000" in raw or b"\x00" in raw):
        refuse_nul(msgspec.to_builtins(value))
    return value


_DECODERS = {shape: msgspec.json.Decoder(shape) for shape in (MessageBody, BatchBody, BatchItem)}


def _inbound(body: MessageBody | BatchItem) -> receiving.InboundMessage:
    sender, sent_at = body.sender, body.sent_at
    if sent_at is not None and not EARLIEST_YEAR <= sent_at.year <= LATEST_YEAR:
        raise Problem("sent_at_out_of_range", "`sent_at` is no time at which a message can be written.", 422)
    try:
        known = tuple(
            handles.normalize(kind, value)
            for kind in handles.HandleKind
            if (value := getattr(sender, kind.value)) is not None
        )
        who = subjects.Sender(known, sender.name)
    except handles.HandleInvalid as error:
        detail = f"`sender.{error.kind}` is not {handles.EXPECTED[error.kind]}."
        raise Problem("handle_invalid", detail, 422) from None
    except subjects.NoHandle:
        detail = "`sender` needs a phone, an email, a messenger_id or a customer_number."
        raise Problem("sender_unknown", detail, 422) from None
    return receiving.InboundMessage(who, body.text, body.external_id, sent_at)


def _receive(
    principal: Any, channel: uuid.UUID | None, messages: Sequence[receiving.InboundMessage]
) -> list[receiving.Outcome]:
    try:
        return receiving.receive(principal.organization_id, channel, messages, actor=principal.actor)
    except NoSuchChannel:
        raise Problem(
            "channel_not_found", "The organization has no such channel that is enabled.", 404
        ) from None
    except keys.KeyShredded:
        raise _busy("Their erasure is just being completed. Try again.") from None
    except receiving.Contention:
        raise _busy("The conversation is being opened elsewhere. Try again.") from None


def _busy(detail: str) -> Problem:
    problem = Problem("busy", detail, 503)
    problem.wait = RETRY_AFTER_SECONDS
    return problem


def _result(outcome: receiving.Outcome) -> dict[str, Any]:
    if isinstance(outcome, receiving.Receipt):
        return outcome._asdict()
    problem = _problem_of(outcome)
    return {"code": problem.code, "detail": str(problem.detail)}


def _problem_of(outcome: Exception) -> Problem:
    if isinstance(outcome, receiving.ExternalIdReused):
        return Problem("external_id_reused", "This external_id belongs to another message.", 409)
    return Problem("identity_conflict", "The handles belong to different End Users.", 409)
