"""The servers as production runs them: granian; WSGI with two workers of four threads, ASGI with one."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench import processor
from iva.local import Servers, processes
from iva.local.folder import CHECKOUT, free_port
from iva.local.unprivileged import Account

WORKERS, THREADS = 2, 4
PATIENCE = 60.0


class Web(NamedTuple):
    """A running web server and what it needs."""

    port: int
    process: subprocess.Popen[bytes]
    servers: Servers

    def processor_seconds(self) -> float:
        """Of the web processes, PostgreSQL and Valkey together."""
        behind = self.servers.postgres.process, self.servers.valkey.process
        return processor.seconds(self.process.pid, *(process.pid for process in behind if process))


@contextmanager
def serving(servers: Servers, application: str, **variables: str) -> Iterator[Web]:
    """`application` (a module, `iva.asgi` for live streams) answers until the block ends."""
    port = free_port()
    log = servers.folder.log(application)
    with log.open("ab") as output:
        process = processes.start(
            _command(port, application),
            account=Account(os.geteuid(), os.getegid()),
            dying=signal.SIGTERM,
            cwd=CHECKOUT,
            environment=_environment(servers) | variables,
            output=output,
        )
    try:
        _wait_for(port, process, log)
        yield Web(port, process, servers)
    finally:
        processes.stop(process, signal.SIGTERM, patience=20)


def _command(port: int, application: str) -> list[str]:
    program = [sys.executable, "-m", "granian", "--no-ws", "--host", "127.0.0.1", "--port", str(port)]
    size = ["--interface", "wsgi", "--workers", str(WORKERS), "--blocking-threads", str(THREADS)]
    if application.endswith("asgi"):
        size = ["--interface", "asgi"]
    return [*program, *size, f"{application}:application"]


def _environment(servers: Servers) -> dict[str, str]:
    """Without the owner's password, as everything that serves; limits out of the way of a load test."""
    ours = {**os.environ, **servers.environment()}
    del ours["IVA_OWNER_DATABASE_URL"]
    return {
        **ours,
        "DJANGO_SETTINGS_MODULE": "bench.settings",
        "IVA_REQUESTS_PER_MINUTE": "100000000",
        "IVA_LOG_LEVEL": "INFO",
        "PYTHONWARNINGS": "ignore",
    }


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the web server did not start:\n{processes.last_lines(log)}")
