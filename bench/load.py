"""Sending requests and counting answers: many keep-alive connections, one thread, next to no CPU.

`http.client` would take as long for a request as the server does for the answer, on the same cores.
"""

import selectors
import socket
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

LONGEST_WAIT = 60.0


class NoAnswer(RuntimeError):
    """The server answered nothing for a minute, or hung up in the middle of an answer."""


@dataclass
class Load:
    """What came back: how many answers of which status, in how many seconds, after how long each."""

    statuses: Counter[int] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def answered(self) -> int:
        return self.statuses.total()

    @property
    def failed(self) -> int:
        return sum(count for status, count in self.statuses.items() if not 200 <= status < 300)

    @property
    def per_second(self) -> float:
        return self.answered / self.seconds

    @property
    def median_milliseconds(self) -> float:
        return statistics.median(self.waits) * 1000


class _Connection:
    """One keep-alive connection with at most one request under way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=LONGEST_WAIT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent_at = 0.0
        self._received = b""

    def send(self, request: bytes) -> None:
        self._received = b""
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> int | None:
        """The status once the whole answer is there. Raises NoAnswer."""
        more = self.socket.recv(262_144)
        if not more:
            raise NoAnswer("the server closed the connection")
        self._received += more
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found or len(body) < _content_length(head):
            return None
        return int(head[9:12])


def _content_length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.split(b"\r\n", 1)[0]) if found else 0


def send(port: int, requests: Iterator[bytes], *, connections: int = 8, seconds: float | None = None) -> Load:
    """Keep every connection busy until the requests or the seconds run out. Raises NoAnswer."""
    load, busy = Load(), selectors.DefaultSelector()
    started = time.perf_counter()
    until = float("inf") if seconds is None else started + seconds
    for _ in range(connections):
        connection = _Connection(port)
        if (request := next(requests, None)) is not None:
            busy.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send(request)
    while busy.get_map():
        ready = busy.select(LONGEST_WAIT)
        if not ready:
            raise NoAnswer("the server answers nothing")
        for key, _ in ready:
            _go_on(key.data, busy, requests, load, until)
    load.seconds = time.perf_counter() - started
    busy.close()
    return load


def _go_on(
    connection: _Connection,
    busy: selectors.BaseSelector,
    requests: Iterator[bytes],
    load: Load,
    until: float,
) -> None:
    status = connection.receive()
    if status is None:
        return
    now = time.perf_counter()
    load.statuses[status] += 1
    load.waits.append(now - connection.sent_at)
    request = next(requests, None) if now < until else None
    if request is None:
        busy.unregister(connection.socket)
        connection.socket.close()
    else:
        connection.send(request)


def post(path: str, token: str, body: bytes) -> bytes:
    """A whole request."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
