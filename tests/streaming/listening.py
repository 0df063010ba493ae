"""Many open streams in one test: sockets that speak just enough HTTP, read by one thread."""

import json
import re
import selectors
import socket
import threading
from typing import Any, NamedTuple

from tests.faults.running import eventually

CHUNK = re.compile(rb"[0-9a-f]+\r\n")


class Event(NamedTuple):
    """One server-sent event."""

    name: str
    data: Any


class Reader:
    """One stream, and what has come of it so far."""

    def __init__(self, address: str, cookie: str, query: str = "", **headers: str) -> None:
        host, _, port = address.partition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=30)
        given = {"Host": address, "Cookie": f"session={cookie}", "Accept": "text/event-stream", **headers}
        lines = [f"GET /live/{query} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self.raw = b""
        self.has_ended = False

    def read(self) -> None:
        """Take what is there."""
        try:
            more = self.socket.recv(65_536)
        except ConnectionError:
            more = b""
        self.raw += more
        if not more or self.raw.endswith(b"0\r\n\r\n"):
            self.has_ended = True

    @property
    def status(self) -> int | None:
        return int(self.raw[9:12]) if b"\r\n\r\n" in self.raw else None

    @property
    def headers(self) -> dict[str, str]:
        lines = self.raw.partition(b"\r\n\r\n")[0].decode().splitlines()[1:]
        return dict(line.split(": ", 1) for line in lines)

    @property
    def events(self) -> list[Event]:
        text = CHUNK.sub(b"", self.raw.partition(b"\r\n\r\n")[2]).replace(b"\r\n", b"").decode()
        found = re.findall(r"event: (\w+)\ndata: (.+)\n", text)
        return [Event(name, json.loads(data)) for name, data in found]

    @property
    def heard(self) -> set[str]:
        """The conversations it was told of; "everything" where they could not be named."""
        told = [event.data["ids"] for event in self.events if event.name == "conversation"]
        return {id_ for ids in told for id_ in (["everything"] if ids is None else ids)}

    @property
    def is_live(self) -> bool:
        said = [event.data["live"] for event in self.events if event.name in ("hello", "state")]
        return bool(said and said[-1])

    @property
    def why(self) -> str | None:
        """Why it ended, if it was told."""
        said = [event.data["why"] for event in self.events if event.name == "end"]
        return said[-1] if said else None


class Crowd:
    """Readers that all listen at once."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.readers: list[Reader] = []
        self._selector = selectors.DefaultSelector()
        self._lock, self._left = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def open(self, cookie: str, query: str = "", **headers: str) -> Reader:
        reader = Reader(self.address, cookie, query, **headers)
        self.readers.append(reader)
        with self._lock:
            self._selector.register(reader.socket, selectors.EVENT_READ, reader)
        return reader

    def opened(self, cookie: str, query: str = "", **headers: str) -> Reader:
        """A stream that has been greeted and hears of changes."""
        reader = self.open(cookie, query, **headers)
        eventually(lambda: reader.is_live or reader.has_ended, "the stream is live")
        assert reader.status == 200, reader.raw
        return reader

    def _listen(self) -> None:
        while not self._left.is_set():
            with self._lock:
                ready = self._selector.select(0.05) if self._selector.get_map() else []
            if not ready:
                self._left.wait(0.01)
            for key, _ in ready:
                key.data.read()
                if key.data.has_ended:
                    with self._lock:
                        self._selector.unregister(key.fileobj)

    def leave(self) -> None:
        self._left.set()
        self._thread.join()
        for reader in self.readers:
            reader.socket.close()
        self._selector.close()
