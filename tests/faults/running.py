"""The programs that serve, as real processes that a test may kill."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from iva.local import processes
from iva.local.folder import CHECKOUT, free_port
from iva.local.unprivileged import Account

PATIENCE = 120.0
"""Seconds after which something that should happen counts as never happening."""

WORKER = ["-W", "ignore:::celery.platforms", "-m", "celery", "--quiet", "-A", "iva", "worker"]
WORKER += ["--concurrency", "2", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"]
BEAT = ["-m", "celery", "--quiet", "-A", "iva", "beat", "--loglevel", "WARNING", "--pidfile="]
WEB = ["-m", "granian", "--interface", "wsgi", "--no-ws", "--host", "127.0.0.1", "--workers", "2"]
WEB += ["--blocking-threads", "4", "--backlog", "1024", "iva.wsgi:application"]
LIVE = ["-m", "granian", "--interface", "asgi", "--no-ws", "--host", "127.0.0.1", "--backlog", "1024"]
LIVE += ["--respawn-failed-workers", "--workers-kill-timeout", "5", "iva.asgi:application"]


def eventually(happened: Callable[[], bool], what: str) -> None:
    """Wait until it has happened; a failure says what did not."""
    assert processes.wait_until(happened, PATIENCE), f"never: {what}"


class Running:
    """One program and whatever it has started."""

    def __init__(self, arguments: list[str], environment: Mapping[str, str], log: Path) -> None:
        self._arguments, self._environment, self._log = arguments, environment, log
        self._start()

    def _start(self) -> None:
        with self._log.open("ab") as output:
            self._process = processes.start(
                [sys.executable, *self._arguments],
                account=Account(os.geteuid(), os.getegid()),
                dying=signal.SIGKILL,
                cwd=CHECKOUT,
                environment=self._environment,
                output=output,
            )

    def revive(self) -> None:
        """Start it again if it has ended, as whatever supervises a deployment does."""
        if self._process.poll() is not None:
            self._start()

    def kill(self) -> None:
        """As a power cut would: all of it at once, without a chance to tidy up."""
        processes.kill_group(self._process)
        self._process.wait()

    def stop(self) -> int:
        """As a deployment does: asked to, with time to tidy up. The exit code."""
        self._process.terminate()
        return self._process.wait()

    def kill_a_child(self) -> None:
        """As the kernel does when memory runs out: one of the processes that do the work."""
        os.kill(self.children()[0], signal.SIGKILL)

    def children(self) -> list[int]:
        """Process ids of what it has started and what still runs."""
        files = Path(f"/proc/{self._process.pid}/task").glob("*/children")
        return sorted(int(child) for file in files for child in file.read_text().split())


class Programs:
    """Starts workers, beats and web servers for one pair of servers, and ends them all."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        """`environment` holds the `IVA_*` variables of the servers; logs and schedules go to `folder`."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("IVA_OWNER")}
        self.environment = {**inherited, **environment}
        self.environment.pop("IVA_OWNER_DATABASE_URL", None)
        self._folder = folder
        self._started: list[Running] = []

    def worker(self, *, lease_seconds: int = 2) -> Running:
        """A Celery worker with two processes; what it leases is free again after so many seconds."""
        return self._start("worker", WORKER, IVA_LEASE_SECONDS=str(lease_seconds))

    def beat(self, schedule: str = "schedule") -> Running:
        """A Celery beat; with the same `schedule` it is the same one started again, otherwise another."""
        return self._start("beat", [*BEAT, "--schedule", str(self._folder / schedule)])

    def web(self, port: int | None = None, **settings: str) -> str:
        """A web server of two processes with four threads each; its `host:port` once it answers."""
        port = port or free_port()
        self._start("web", [*WEB, "--port", str(port)], **settings)
        address = f"127.0.0.1:{port}"
        eventually(lambda: is_alive(address), "the web server answers")
        return address

    def live(self, port: int | None = None, **settings: str) -> str:
        """A process of live streams; its `host:port` once it answers."""
        port = port or free_port()
        self.streaming = self._start("live", [*LIVE, "--port", str(port)], **settings)
        address = f"127.0.0.1:{port}"
        eventually(lambda: is_alive(address), "the live process answers")
        return address

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One `manage.py` command to its end."""
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command, cwd=CHECKOUT, env=self.environment, capture_output=True, text=True, check=False
        )

    def revive(self) -> None:
        """Start again what has ended: a worker does when Valkey dies under it (docs/operations.md)."""
        for program in self._started:
            program.revive()

    def end(self) -> None:
        """Kill what still runs and show the last words of each, for the report of a failed test."""
        for program in self._started:
            program.kill()
        for log in sorted(self._folder.glob("*.log")):
            print(f"--- {log.name}\n{processes.last_lines(log, 40)}")

    def _start(self, name: str, arguments: list[str], **settings: str) -> Running:
        program = Running(arguments, {**self.environment, **settings}, self._folder / f"{name}.log")
        self._started.append(program)
        return program


def is_alive(address: str) -> bool:
    connection = HTTPConnection(address, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
