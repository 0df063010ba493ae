"""The web server as production runs it: granian, WSGI, two workers of four threads."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from iva.local import Servers, processes
from iva.local.folder import CHECKOUT, free_port
from iva.local.unprivileged import Account

import sys

WORKERS, THREADS = 2, 4
PATIENCE = 60.0


@contextmanager
def serving(servers: Servers, application: str, **variables: str) -> Iterator[int]:
    """The port on which `application` ("module") answers, until the block ends."""
    port = free_port()
    environment = serving_environment(servers) | variables
    with servers.folder.log(application).open("ab") as output:
        process = processes.start(
            command(port, application),
            account=Account(os.geteuid(), os.getegid()),
            dying=signal.SIGTERM,
            cwd=CHECKOUT,
            environment=environment,
            output=output,
        )
    try:
        _wait_for(port, process, servers.folder.log(application))
        yield port
    finally:
        processes.stop(process, signal.SIGTERM, patience=20)


def command(port: int, application: str) -> list[str]:
    program = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--host", "127.0.0.1"]
    size = ["--workers", str(WORKERS), "--blocking-threads", str(THREADS)]
    return [*program, "--port", str(port), *size, f"{application}:application"]


def serving_environment(servers: Servers) -> dict[str, str]:
    """Without the owner's password, as everything that serves; limits out of the way of a load test."""
    ours = servers.environment()
    del ours["IVA_OWNER_DATABASE_URL"]
    return {
        **os.environ,
        **ours,
        "DJANGO_SETTINGS_MODULE": "bench.settings",
        "IVA_REQUESTS_PER_MINUTE": "100000000",
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
