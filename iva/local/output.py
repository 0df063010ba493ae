"""One terminal for several programs: every line carries the time and the name of who wrote it."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import IO

_COLOURS = {"postgres": 34, "valkey": 35, "web": 32, "worker": 33, "beat": 36}
_WIDTH = 8
_writing = threading.Lock()


def say(name: str, text: str) -> None:
    """Print each line of `text` as `12:00:00 web | text`, coloured on a terminal unless NO_COLOR is set."""
    prefix = f"{time.strftime('%H:%M:%S')} {name:<{_WIDTH}} | "
    colour = _COLOURS.get(name)
    if colour and sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        prefix = f"\033[{colour}m{prefix}\033[0m"
    with _writing:
        for line in text.splitlines():
            print(f"{prefix}{line}", flush=True)


def relay(name: str, stream: IO[bytes]) -> threading.Thread:
    """Say everything that comes out of `stream` until it ends, in a thread of its own."""
    thread = threading.Thread(target=_relay, args=(name, stream), name=f"output of {name}", daemon=True)
    thread.start()
    return thread


def _relay(name: str, stream: IO[bytes]) -> None:
    with stream:
        for line in stream:
            say(name, line.decode(errors="replace"))
