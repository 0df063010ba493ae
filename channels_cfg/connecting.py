"""Connecting and disabling channels."""

import uuid
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from channels_cfg.models import Channel, ChannelKind
from iva import tenancy
from iva.audit import log as audit
from iva.audit.actors import Actor
from iva.audit.events import Event

MOST = 200


class NoSuchChannel(LookupError):
    """The organization has no such channel, or it is disabled."""


class ChannelNameTaken(Exception):
    """The organization calls another channel by this name."""


def connect(kind: ChannelKind, name: str, *, actor: Actor) -> Channel:
    """Open a channel for the active organization. Raises ChannelNameTaken."""
    try:
        with transaction.atomic():
            channel = Channel.objects.create(kind=kind, name=name)
    except IntegrityError:
        raise ChannelNameTaken from None
    audit.record(Event.CHANNEL_CONNECTED, actor=actor, channel=channel.pk, kind=kind)
    return channel


def disable(channel: Channel, *, actor: Actor) -> None:
    """Take nothing in through the channel from now on; what came before stays readable."""
    if not Channel.objects.filter(pk=channel.pk, disabled_at=None).update(disabled_at=timezone.now()):
        return
    audit.record(Event.CHANNEL_DISABLED, actor=actor, channel=channel.pk)


def named(channel_id: uuid.UUID) -> Channel:
    """A channel of the active organization, disabled or not. Raises NoSuchChannel."""
    channel = Channel.objects.filter(pk=channel_id).first()
    if channel is None:
        raise NoSuchChannel
    return channel


def connected() -> list[Channel]:
    """The channels of the active organization: those in use first, in the order of their connection."""
    in_use_first = F("disabled_at").desc(nulls_first=True)
    return list(Channel.objects.order_by(in_use_first, "connected_at", "id")[:MOST])


FIND_ENABLED = """
SELECT id FROM channels_cfg_channel
WHERE organization_id = %(organization)s AND disabled_at IS NULL
  AND CASE WHEN %(channel)s::uuid IS NULL THEN kind = 'api' ELSE id = %(channel)s::uuid END
ORDER BY connected_at, id LIMIT 1
"""


def send_find_enabled(cursor: Any, channel_id: uuid.UUID | None) -> None:
    """Ask for the named channel, or the first API channel; `found_enabled` reads the answer."""
    cursor.execute(FIND_ENABLED, {"organization": tenancy.active().organization_id, "channel": channel_id})


def found_enabled(cursor: Any) -> uuid.UUID:
    """The id of the channel that was asked for. Raises NoSuchChannel."""
    row = cursor.fetchone()
    if row is None:
        raise NoSuchChannel
    channel_id: uuid.UUID = row[0]
    return channel_id
