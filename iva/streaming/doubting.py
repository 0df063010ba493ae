"""Looking again who may listen: at least every ten seconds, and at once when somebody's access changes."""

import asyncio
from collections.abc import Awaitable, Callable, Collection

import structlog

from iva.streaming.hub import Hub
from iva.streaming.passes import Listener

LOOK_EVERY = 8.0
GATHERING = 0.05
FAILURES_BORNE = 1

Ask = Callable[[Collection[Listener]], Awaitable[set[Listener]]]
logger = structlog.get_logger("iva.streaming")


async def doubt_for_ever(hub: Hub, ask: Ask) -> None:
    """End the streams of those who may no longer listen; twice without an answer, everybody's."""
    failures = 0
    while True:
        await _next_doubt(hub)
        try:
            await _look(hub, ask)
            failures = 0
        except Exception as error:
            failures += 1
            logger.warning("nobody can say who may listen", error=type(error).__name__)
            if failures > FAILURES_BORNE:
                hub.end_all("unsure")


async def _next_doubt(hub: Hub) -> None:
    try:
        await asyncio.wait_for(hub.doubted.wait(), LOOK_EVERY)
        await asyncio.sleep(GATHERING)
    except TimeoutError:
        pass
    hub.doubted.clear()


async def _look(hub: Hub, ask: Ask) -> None:
    streams = list(hub)
    if not streams:
        return
    admitted = await ask({stream.listener for stream in streams})
    for stream in streams:
        if stream.listener not in admitted:
            stream.end("access")
