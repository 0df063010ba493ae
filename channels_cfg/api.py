"""The API of channels."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.scopes import Scope
from channels_cfg.models import Channel, ChannelKind
from iva.doors import LARGEST_PAGE, OrganizationView, present


class ChannelSerializer(serializers.Serializer[Channel]):
    """A way in which End Users reach the organization."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=ChannelKind.choices)
    name = serializers.CharField()
    connected_at = serializers.DateTimeField()
    is_enabled = serializers.BooleanField()


class ChannelList(serializers.Serializer[Any]):
    results = ChannelSerializer(many=True)


class ChannelsView(OrganizationView):
    scopes = {"GET": Scope.CHANNELS_READ}

    @extend_schema(
        operation_id="channels_list",
        summary="List your channels",
        tags=["Organization"],
        responses=ChannelList,
    )
    def get(self, request: Request) -> Response:
        channels = Channel.objects.order_by("connected_at", "id")[:LARGEST_PAGE]
        return Response({"results": present(ChannelSerializer, channels)})
