"""The ASGI application of the live stream: `GET /live/` and `/healthz`, nothing else."""

import asyncio
import json
import signal
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs

import structlog

from iva import problems
from iva.streaming import doubting, hearing, passes, sending
from iva.streaming.hub import Hub, Stream, TooMany, TooManyOfOnes
from iva.streaming.passes import Admitted, Refused
from iva.streaming.sending import ReaderTooSlow, Receive, Send

THREADS = 4
MOST_AT_THE_DOOR = 200
RETRY_AFTER = "15"
LONGEST_NUMBER = 12

Scope = dict[str, Any]
Headers = list[tuple[bytes, bytes]]
logger = structlog.get_logger("iva.streaming")

ALWAYS: Headers = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"vary", b"Origin, Cookie"),
]


class Application:
    """One for each process; its hub lives as long as the server does."""

    def __init__(self) -> None:
        self.hub = Hub()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="door")
        self._at_the_door = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._tasks = [
            asyncio.create_task(hearing.listen(self.hub)),
            asyncio.create_task(doubting.doubt_for_ever(self.hub, self._still_admitted)),
        ]
        _when_asked_to_stop(self._close)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for task in self._tasks:
            task.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)
        await send({"type": "lifespan.shutdown.complete"})

    def _close(self) -> None:
        """The server waits for its streams, so they must end first."""
        self.hub.is_closing = True
        self.hub.end_all("closing")

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope["path"] == "/healthz":
                await _send_json(send, 200, {"status": "alive"})
            else:
                await self._stream(scope, receive, send)
        except Refused as refused:
            await _refuse(send, refused)
        except Exception:
            logger.exception("a stream failed")
            await _refuse(send, Refused(503, "unavailable", "Please try again in a moment."))

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        _refuse_other_requests(scope)
        since = _since(scope)
        admitted = await self._admitted(scope)
        stream = self._opened(admitted, since)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _of_stream(admitted.origin)})
            await sending.send_all(stream, receive, send)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except ReaderTooSlow:
            logger.info("a reader was too slow", organization=str(admitted.listener.organization_id))
        except Exception as error:
            logger.info("a stream broke", error=type(error).__name__)
        finally:
            self.hub.close(stream)

    def _opened(self, admitted: Admitted, since: float | None) -> Stream:
        try:
            return self.hub.open(admitted.listener, since)
        except TooManyOfOnes:
            raise Refused(429, "too_many_streams", "This person has too many pages open.") from None
        except TooMany:
            raise Refused(503, "too_many_streams", "Please try again in a moment.") from None

    async def _admitted(self, scope: Scope) -> Admitted:
        if self.hub.is_closing or self._at_the_door >= MOST_AT_THE_DOOR:
            raise Refused(503, "too_many_streams", "Please try again in a moment.")
        self._at_the_door += 1
        try:
            return await self._in_a_thread(passes.admit, scope)
        finally:
            self._at_the_door -= 1

    def _still_admitted(self, listeners: Any) -> Awaitable[Any]:
        return self._in_a_thread(passes.still_admitted, listeners)

    def _in_a_thread(self, question: Callable[[Any], Any], about: Any) -> Awaitable[Any]:
        return asyncio.get_running_loop().run_in_executor(self._threads, question, about)


def _when_asked_to_stop(act: Callable[[], None]) -> None:
    """Beside the server's own handlers, which asyncio calls through the wake-up descriptor as ever."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(act))


def _refuse_other_requests(scope: Scope) -> None:
    if scope["path"] != "/live/":
        raise Refused(404, "not_found", "There is nothing here.")
    if scope["method"] != "GET":
        raise Refused(405, "method_not_allowed", "This address answers GET.")


def _since(scope: Scope) -> float | None:
    """The second from which the page wants to be told. Raises Refused."""
    try:
        given = parse_qs(scope["query_string"].decode("ascii")).get("since")
    except ValueError:
        given = [""]
    if given is None:
        return None
    if not (given[0].isascii() and given[0].isdigit() and len(given[0]) <= LONGEST_NUMBER):
        raise Refused(400, "invalid_cursor", "`since` is not a number of seconds.")
    return float(given[0])


def _of_stream(origin: str | None) -> Headers:
    headers = [
        *ALWAYS,
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cross-origin-resource-policy", b"same-site" if origin else b"same-origin"),
        (b"x-accel-buffering", b"no"),
    ]
    if origin:
        headers.append((b"access-control-allow-origin", origin.encode()))
        headers.append((b"access-control-allow-credentials", b"true"))
    return headers


async def _refuse(send: Send, refused: Refused) -> None:
    body = problems.document(refused.status, refused.code, refused.detail)
    extra: Headers = []
    if refused.status in (429, 503):
        extra.append((b"retry-after", RETRY_AFTER.encode()))
    if refused.status == 405:
        extra.append((b"allow", b"GET"))
    await _send_json(send, refused.status, body, problems.MEDIA_TYPE, extra)


async def _send_json(
    send: Send, status: int, body: object, media_type: str = "application/json", extra: Headers | None = None
) -> None:
    headers = [*ALWAYS, (b"content-type", media_type.encode()), *(extra or [])]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode(), "more_body": False})
