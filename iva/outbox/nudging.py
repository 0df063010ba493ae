"""Waking a worker without queueing a task for every message.

`SET NX` lets one nudge through until a worker has begun to drain: the worker deletes the mark before it
looks, so work committed after its look sets the mark again, and work committed before it is seen.
Losing a nudge loses nothing: the sweeper looks every few seconds.
"""

import os
import threading
import time
from collections.abc import Callable

import redis
import structlog
from django.conf import settings
from kombu.exceptions import KombuError

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


class _Asker:
    """One thread of the process asks for all: whoever commits sets a flag, and goes on."""

    def __init__(self) -> None:
        self._wanted, self._lock = threading.Event(), threading.Lock()
        self._thread: threading.Thread | None = None

    def want(self) -> None:
        self._wanted.set()
        if self._thread is None or not self._thread.is_alive():
            with self._lock:
                self._begin()

    def _begin(self) -> None:
        """Where no thread can be had just now, the next nudge tries again; the sweeper looks anyway."""
        if self._thread is not None and self._thread.is_alive():
            return
        thread = threading.Thread(target=self._ask_for_ever, name="nudging", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            logger.warning("nudge failed", error=type(error).__name__)
        else:
            self._thread = thread

    def _ask_for_ever(self) -> None:
        while self._wanted.wait():
            self._wanted.clear()
            try:
                _ask()
            except Exception:
                logger.exception("nudge failed")
            time.sleep(BREATH)


def nudge() -> None:
    """Have a worker woken, a few milliseconds from now at the latest. Never fails and never waits."""
    _asker.want()


def _begin_anew() -> None:
    """A forked child has no threads."""
    global _asker
    _asker = _Asker()


BREATH = 0.005
_asker = _Asker()
os.register_at_fork(after_in_child=_begin_anew)


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
