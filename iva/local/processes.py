"""Starting programs that die with us, stopping them, and finding those an earlier, killed run left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO

from iva.local.unprivileged import Account

_LAUNCH = Path(__file__).with_name("launch.py")

# The kernel counts the *thread* that forked as the parent: all children come from this one, which lasts.
_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="iva-local-spawner")


class ServerDidNotStart(Exception):
    """A server ended or stayed silent while starting; the message ends with its last log lines."""


def start(
    command: list[str],
    *,
    account: Account,
    dying: signal.Signals,
    cwd: Path,
    environment: Mapping[str, str],
    output: IO[bytes] | int,
) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own; the kernel sends it `dying` when we end, however we end."""
    numbers = [os.getpid(), int(dying), account.uid, account.gid]
    launch = [sys.executable, "-I", "-S", str(_LAUNCH), *map(str, numbers), *command]
    return _spawner.submit(
        subprocess.Popen[bytes],
        launch,
        cwd=cwd,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ).result()


def stop(process: subprocess.Popen[bytes], how: signal.Signals, patience: float) -> None:
    """Ask with signal `how`, wait, and after `patience` seconds insist."""
    if process.poll() is None:
        process.send_signal(how)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End whatever the process started too (its session's group)."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def are_visible() -> bool:
    """Whether this system lets us look for processes by the folder they work in (Linux)."""
    return Path("/proc/self/cwd").exists()


def working_in(folder: Path, program: str) -> list[int]:
    """Ids of the processes of `program` whose current folder is `folder`. Empty where there is no /proc."""
    return sorted(int(each.name) for each in Path("/proc").glob("[0-9]*") if _works_in(each, folder, program))


def _works_in(process: Path, folder: Path, program: str) -> bool:
    try:
        return (process / "cwd").readlink() == folder and (process / "exe").readlink().name.startswith(
            program
        )
    except OSError:
        return False


def stop_leftovers(folder: Path, program: str, main: int | None, how: signal.Signals) -> None:
    """Stop what a killed run left working in `folder`: process `main` politely, then the rest."""
    left = working_in(folder, program)
    if main is not None and main in left:
        _signal(main, how)
        wait_until(lambda: not working_in(folder, program), patience=60)
    kill_working_in(folder, program)


def kill_working_in(folder: Path, program: str) -> None:
    """SIGKILL to every process of `program` working in `folder`, until there is none."""
    while left := working_in(folder, program):
        for pid in left:
            _signal(pid, signal.SIGKILL)
        time.sleep(0.02)


def _signal(pid: int, how: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, how)


def wait_until(happened: Callable[[], bool], patience: float) -> bool:
    """Poll until `happened()` or `patience` seconds have passed; whether it happened."""
    deadline = time.monotonic() + patience
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.03)
    return True


def last_lines(log: Path, count: int = 15) -> str:
    """The end of a log file, for an error message."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join(lines[-count:])
