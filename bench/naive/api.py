"""Baseline (a): the REST framework's serializers over the ORM, the token looked up through the ORM.

Twice: with what our receipt promises (the End User is recognized, a repeated delivery changes nothing), and
the leanest that can be called the same endpoint. Neither meters, audits, queues, limits or encrypts.
"""

from typing import Any, ClassVar

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.utils import timezone
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.parsers import JSONParser
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bench.naive.models import Conversation, EndUser, Message, Organization, Token


class TokenAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Any, Token]:
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            return AnonymousUser(), Token.objects.select_related("organization").get(key=key)
        except Token.DoesNotExist:
            raise AuthenticationFailed from None


class SenderSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(required=False, max_length=200)
    phone = serializers.CharField(max_length=32)


class MessageSerializer(serializers.Serializer[Message]):
    external_id = serializers.CharField(max_length=200)
    sender = SenderSerializer(write_only=True)
    text = serializers.CharField(max_length=10_000)
    sent_at = serializers.DateTimeField(required=False, allow_null=True)
    id = serializers.UUIDField(read_only=True)
    conversation_id = serializers.UUIDField(read_only=True)
    kept_at = serializers.DateTimeField(read_only=True)

    def create(self, validated_data: dict[str, Any]) -> Message:
        organization: Organization = self.context["organization"]
        now, sender = timezone.now(), validated_data.pop("sender")
        end_user, _ = EndUser.objects.get_or_create(
            organization=organization, phone=sender["phone"], defaults={"name": sender.get("name", "")}
        )
        conversation, _ = Conversation.objects.get_or_create(
            organization=organization, end_user=end_user, closed_at=None, defaults={"last_message_at": now}
        )
        message, is_new = Message.objects.get_or_create(
            organization=organization,
            external_id=validated_data.pop("external_id"),
            defaults={"conversation": conversation, **validated_data},
        )
        if is_new:
            conversation.last_message_at = now
            conversation.save(update_fields=["last_message_at"])
        return message


class LeanestSerializer(MessageSerializer):
    """Nobody is met, nothing is recognized again: everybody's conversation has to be there."""

    def create(self, validated_data: dict[str, Any]) -> Message:
        organization: Organization = self.context["organization"]
        phone = validated_data.pop("sender")["phone"]
        conversation = Conversation.objects.get(
            organization=organization, end_user__phone=phone, closed_at=None
        )
        message = Message.objects.create(
            organization=organization, conversation=conversation, **validated_data
        )
        conversation.last_message_at = message.kept_at
        conversation.save(update_fields=["last_message_at"])
        return message


class MessagesView(APIView):
    authentication_classes = [TokenAuthentication]
    permission_classes = [AllowAny]
    throttle_classes = []
    parser_classes = [JSONParser]
    renderer_classes = [JSONRenderer]
    serializer_class: ClassVar[type[MessageSerializer]] = MessageSerializer

    @transaction.atomic
    def post(self, request: Request) -> Response:
        token: Any = request.auth
        serializer = self.serializer_class(data=request.data, context={"organization": token.organization})
        serializer.is_valid(raise_exception=True)
        serializer.save()
        return Response(serializer.data, status=201)


class LeanestView(MessagesView):
    serializer_class = LeanestSerializer
