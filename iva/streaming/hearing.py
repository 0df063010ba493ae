"""Hearing of changes: one subscription of the process, made anew whenever it breaks."""

import asyncio
import json
import random
import time
import uuid
from typing import Any

import structlog
from django.conf import settings
from redis import asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from iva.live import announcing
from iva.streaming.hub import Hub

QUIET = 5.0
"""Seconds of silence after which Valkey is asked whether it is there; three times in vain, and it is not."""

logger = structlog.get_logger("iva.streaming")


async def listen(hub: Hub) -> None:
    """Tell the hub what is announced, until cancelled. Without Valkey the hub knows that it hears nothing."""
    pause = 0.1
    while True:
        try:
            async with _client() as client, client.pubsub() as subscription:
                await subscription.psubscribe(announcing.EVERYTHING)
                await _relay(subscription, hub)
        except (RedisError, OSError, TimeoutError) as error:
            pause = 0.1 if hub.is_live else min(pause * 2, 2.0)
            logger.warning("nothing is heard", error=type(error).__name__)
        except Exception:
            logger.exception("nothing is heard")
        hub.hearing(is_live=False)
        await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311  spreads out, hides nothing


def _client() -> Any:
    """Without the library's own retries: it would subscribe again and never say what was missed."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=QUIET,
        socket_connect_timeout=2.0,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )


async def _relay(subscription: Any, hub: Hub) -> None:
    heard_at = time.monotonic()
    while time.monotonic() - heard_at < 3 * QUIET:
        message = await subscription.get_message(timeout=QUIET)
        if message is None:
            await subscription.ping()
            continue
        heard_at = time.monotonic()
        if message["type"] == "psubscribe":
            hub.hearing(is_live=True)
        elif message["type"] == "pmessage":
            _tell(hub, message["channel"], message["data"])
    raise TimeoutError("Valkey says nothing")


def _tell(hub: Hub, channel: str, text: str) -> None:
    """Whatever is not what we announce is left out."""
    try:
        said = json.loads(text)
        if channel == announcing.ACCESS:
            hub.doubt([uuid.UUID(id_) for id_ in said])
        elif channel.startswith(announcing.CHANGES):
            hub.hear(uuid.UUID(said["organization"]), _named(said["changed"]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        logger.warning("not an announcement", error=type(error).__name__)


def _named(changed: Any) -> list[str] | None:
    return None if changed is None else [str(uuid.UUID(conversation)) for conversation, _ in changed]
