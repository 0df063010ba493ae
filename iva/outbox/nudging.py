"""Waking a worker without queueing a task for every message.

`SET NX` lets one nudge through until a worker has begun to drain: the worker deletes the mark before it
looks, so work committed after its look sets the mark again, and work committed before it is seen.
Losing a nudge loses nothing: the sweeper looks every few seconds.
"""

import functools
import time
from collections.abc import Callable

import redis
import structlog
from django.conf import settings
from kombu.exceptions import KombuError

from iva.soon import Soon

MARK = "iva:outbox:nudged"
MARK_MILLISECONDS = 2_000
PAUSE_AFTER_FAILURE = 1.0

logger = structlog.get_logger("iva.outbox")
_client = redis.Redis.from_url(
    settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5, health_check_interval=30
)
_quiet_until = 0.0
_wake: list[Callable[[], object]] = []


def wake_with(send: Callable[[], object]) -> None:
    """Name what puts a worker to work; the Celery task registers itself here."""
    _wake[:] = [send]


def nudge() -> None:
    """Have a worker woken, a few milliseconds from now at the latest. Never fails and never waits."""
    _asker.want()


BREATH = 0.005
_Asker = functools.partial(
    Soon, "nudging", lambda: _ask(), BREATH
)  # which `_ask`, is looked up with each call
_asker = _Asker()


def _ask() -> None:
    """Wake a worker unless one has been woken and has not yet looked."""
    global _quiet_until
    if time.monotonic() < _quiet_until:
        return
    try:
        if _client.set(MARK, 1, nx=True, px=MARK_MILLISECONDS):
            for send in _wake:
                send()
    except (redis.RedisError, KombuError, OSError) as error:
        _quiet_until = time.monotonic() + PAUSE_AFTER_FAILURE
        logger.warning("nudge failed", error=type(error).__name__)


def begin_looking() -> None:
    """A worker is about to look: whatever is committed from now on needs a nudge of its own."""
    try:
        _client.delete(MARK)
    except (redis.RedisError, OSError) as error:
        logger.warning("mark not deleted", error=type(error).__name__)
