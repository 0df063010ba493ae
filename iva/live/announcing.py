"""Announcing changes, after the commit, to the process that holds the live streams.

Nobody waits for it and nothing depends on it: a page that hears nothing asks (`/live/changes/`). One thread
of the process publishes what has gathered, at most every 20 ms and once for each organization. While Valkey
is away announcements are dropped.
"""

import json
import os
import threading
import time
import uuid
from collections.abc import Mapping

import redis
import structlog
from django.conf import settings

from iva.soon import Soon

EVERYTHING = "iva:live:*"
CHANGES = "iva:live:changes:"
"""A channel for each organization: `{"organization": id, "changed": [[conversation, message or null], …]}`,
or `"changed": null` for more than can be named."""
ACCESS = "iva:live:access"
"""`[id, …]` of persons and organizations whose access has changed: look again."""

MOST_NAMED = 200
MOST_WAITING = 1000
BREATH = 0.02
PAUSE_AFTER_FAILURE = 1.0

Changed = dict[uuid.UUID, uuid.UUID | None]

logger = structlog.get_logger("iva.live")
_client = redis.Redis.from_url(
    settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5, health_check_interval=30
)
_lock = threading.Lock()
_changes: dict[uuid.UUID, Changed | None] = {}
_access: set[uuid.UUID] = set()
_quiet_until = 0.0


def changed(organization_id: uuid.UUID, conversations: Mapping[uuid.UUID, uuid.UUID | None]) -> None:
    """These conversations have changed, each by a message or otherwise. Never fails and never waits."""
    with _lock:
        known = _changes.setdefault(organization_id, {}) if len(_changes) < MOST_WAITING else None
        if known is not None:
            known.update(conversations)
            if len(known) > MOST_NAMED:
                _changes[organization_id] = None
    _announcer.want()


def access_changed(person_or_organization_id: uuid.UUID) -> None:
    """A sign-in, a membership or what an organization demands of those who enter has changed: look again."""
    with _lock:
        if len(_access) < MOST_WAITING:
            _access.add(person_or_organization_id)
    _announcer.want()


def _publish() -> None:
    global _quiet_until
    messages = _taken()
    if time.monotonic() < _quiet_until:
        return
    try:
        with _client.pipeline(transaction=False) as pipeline:
            for channel, text in messages:
                pipeline.publish(channel, text)
            pipeline.execute()
    except (redis.RedisError, OSError) as error:
        _quiet_until = time.monotonic() + PAUSE_AFTER_FAILURE
        logger.warning("announcement dropped", error=type(error).__name__)


def _taken() -> list[tuple[str, str]]:
    """What has gathered, as it is published."""
    with _lock:
        changes, access = dict(_changes), [str(each) for each in _access]
        _changes.clear()
        _access.clear()
    messages = [
        (CHANGES + str(organization), _described(organization, each))
        for organization, each in changes.items()
    ]
    return [*messages, (ACCESS, json.dumps(access))] if access else messages


def _described(organization_id: uuid.UUID, conversations: Changed | None) -> str:
    pairs = None
    if conversations is not None:
        pairs = [(str(id_), message and str(message)) for id_, message in conversations.items()]
    return json.dumps({"organization": str(organization_id), "changed": pairs})


def _begin_anew() -> None:
    """A forked child announces its own changes; its parent's are its parent's."""
    global _lock
    _lock = threading.Lock()
    _changes.clear()
    _access.clear()


_announcer = Soon("announcing", lambda: _publish(), BREATH)
os.register_at_fork(after_in_child=_begin_anew)
