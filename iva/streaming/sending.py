"""Server-sent events over ASGI (WHATWG HTML 9.2): one stream from its first word to its last."""

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from iva.streaming.hub import News, Stream

TOGETHER = 0.2
"""Seconds in which changes gather into one event; the first is sent at once."""
HEARTBEAT = 15.0
PATIENCE = 10.0
"""Seconds a reader may take for what it was sent."""
LONGEST, SPREAD = 600.0, 120.0
"""Seconds after which a stream ends, to come again through the door."""
RETRY_MILLISECONDS = 3000

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class ReaderTooSlow(Exception):
    """The reader did not take what it was sent; nothing more is kept for it."""


async def send_all(stream: Stream, receive: Receive, send: Send) -> None:
    """Send until the stream ends, the reader leaves or falls behind. Raises ReaderTooSlow."""
    leaving = asyncio.create_task(_when_gone(stream, receive))
    until = time.monotonic() + LONGEST + random.uniform(0, SPREAD)  # noqa: S311
    try:
        while not leaving.done():
            if time.monotonic() > until:
                stream.end("age")
            news = stream.news()
            await _write(send, _as_events(news) or b":\n\n")
            if news.farewell is not None:
                return
            await asyncio.sleep(0 if stream.has_ended else TOGETHER)
            await _woken(stream)
    finally:
        leaving.cancel()


async def _when_gone(stream: Stream, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.end("gone")


async def _woken(stream: Stream) -> None:
    try:
        await asyncio.wait_for(stream.woken.wait(), HEARTBEAT)
    except TimeoutError:
        return


async def _write(send: Send, chunk: bytes) -> None:
    try:
        await asyncio.wait_for(
            send({"type": "http.response.body", "body": chunk, "more_body": True}), PATIENCE
        )
    except TimeoutError:
        raise ReaderTooSlow from None


def _as_events(news: News) -> bytes:
    """The news as text, nothing for no news; each with the time, from which a page asks again."""
    events = []
    if news.is_greeting:
        events.append(_event("hello", {"live": news.is_live}, retry=RETRY_MILLISECONDS))
    elif news.is_live is not None:
        events.append(_event("state", {"live": news.is_live}))
    if news.conversations is None or news.conversations:
        events += [_event("inbox", {}), _event("conversation", {"ids": news.conversations})]
    if news.farewell is not None:
        events.append(_event("end", {"why": news.farewell}))
    return "".join(events).encode()


def _event(name: str, data: dict[str, Any], retry: int | None = None) -> str:
    first = "" if retry is None else f"retry: {retry}\n"
    return f"{first}id: {int(time.time())}\nevent: {name}\ndata: {json.dumps(data)}\n\n"
