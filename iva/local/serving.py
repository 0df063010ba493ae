"""The programs that serve: web, live, worker, beat. Each is started, watched, restarted and stopped alike."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from iva.local import output, processes
from iva.local.folder import CHECKOUT
from iva.local.unprivileged import Account

MANAGE = [sys.executable, "manage.py"]
_QUICK = 5.0  # seconds; a program that ends sooner than this after its start has not really started
_QUICK_ENDS = 3


class WillNotStay(Exception):
    """A program ended right after its start several times in a row."""


class Program:
    """One command under supervision, its output relayed under `name`."""

    def __init__(self, name: str, command: list[str]) -> None:
        self.name = name
        self.command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._quick_ends = 0

    def start(self, environment: Mapping[str, str]) -> None:
        self._started_at = time.monotonic()
        self._process = spawn(self.name, self.command, environment).process

    def restart_if_ended(self, environment: Callable[[], Mapping[str, str]]) -> None:
        """Start again what has ended; raises WillNotStay when that keeps happening at once."""
        if self._process is None or self._process.poll() is None:
            return
        quick = time.monotonic() - self._started_at < _QUICK
        self._quick_ends = self._quick_ends + 1 if quick else 0
        if self._quick_ends == _QUICK_ENDS:
            raise WillNotStay(
                f"{self.name} ended {_QUICK_ENDS} times right after its start; see its output above"
            )
        output.say(self.name, f"ended ({_reason(self._process)}); starting it again")
        processes.kill_group(self._process)
        self.start(environment())

    def ask_to_stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """End it and whatever it started."""
        if self._process is not None:
            processes.kill_group(self._process)
            self._process.wait()
            self._process = None


class Spawned(NamedTuple):
    process: subprocess.Popen[bytes]
    reader: threading.Thread

    def finish(self) -> int:
        """Wait for the end and for its last words; returns the exit code."""
        self.process.wait()
        self.reader.join()
        return self.process.returncode


def spawn(name: str, command: list[str], environment: Mapping[str, str]) -> Spawned:
    """Start a command of the checkout as ourselves, its output relayed under `name`."""
    process = processes.start(
        command,
        account=Account(os.geteuid(), os.getegid()),
        dying=signal.SIGTERM,
        cwd=CHECKOUT,
        environment=environment,
        output=subprocess.PIPE,
    )
    assert process.stdout is not None
    return Spawned(process, output.relay(name, process.stdout))


def programs(port: int, live_port: int, schedule: Path) -> list[Program]:
    """The programs of a running IVA; the commands of docker-compose.yml but for sizes and paths."""
    python = [sys.executable, "-m"]
    web = ["granian", "--interface", "wsgi", "--no-ws", "--host", "127.0.0.1", "--port", str(port)]
    size = ["--workers", "2", "--blocking-threads", "4", "--respawn-failed-workers"]
    live = ["granian", "--interface", "asgi", "--no-ws", "--host", "127.0.0.1", "--port", str(live_port)]
    patient = ["--respawn-failed-workers", "--workers-kill-timeout", "5"]
    # Under root Celery warns about pickle, which is switched off, in ten lines.
    quietly = [sys.executable, "-W", "ignore:::celery.platforms", "-m"]
    worker = ["celery", "--quiet", "-A", "iva", "worker", "--concurrency", "2", "--loglevel", "INFO"]
    beat = ["celery", "--quiet", "-A", "iva", "beat", "--loglevel", "INFO", "--pidfile="]
    return [
        Program("web", [*python, *web, *size, "iva.wsgi:application"]),
        Program("live", [*python, *live, *patient, "iva.asgi:application"]),
        Program("worker", [*quietly, *worker, "--without-gossip", "--without-mingle"]),
        Program("beat", [*python, *beat, "--schedule", str(schedule)]),
    ]


def _reason(process: subprocess.Popen[bytes]) -> str:
    code = process.returncode
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
