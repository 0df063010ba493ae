"""The folder a pair of servers lives in: what is remembered there, and the lock that only one run holds.

`data` is ours: passwords, the local key service's keyring, the erasure ledger. `home` is the servers': the
same folder, unless we are root and the servers' account could not get there; then in /var/lib/iva-local.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import random
import secrets
import socket
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from iva.local import unprivileged

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).resolve().parents[2]

# Below the range from which systems take the local ports of outgoing connections.
_PORTS = range(20_000, 32_000)


class AlreadyRunning(Exception):
    """Another run holds the folder."""


def default_data() -> Path:
    """`IVA_LOCAL_DATA`, or `.local/` in the checkout, or for root one per checkout in /var/lib/iva-local."""
    if given := os.environ.get("IVA_LOCAL_DATA"):
        return Path(given).absolute()
    if os.geteuid() == 0:
        return _system_folder(CHECKOUT)
    return CHECKOUT / ".local"


def _system_folder(path: Path) -> Path:
    return unprivileged.SYSTEM_HOME / hashlib.sha256(os.fsencode(path)).hexdigest()[:16]


class Folder:
    """One data folder, created on first use with mode 0700 (0711 where a lent account must pass through)."""

    def __init__(self, data: Path) -> None:
        self.account = unprivileged.account()
        self.data = _ours(data.absolute())
        self.home = self._home()

    def _home(self) -> Path:
        if not self.account.may_enter(self.data.parent):
            return self._elsewhere()
        if not self.account.may_enter(self.data):
            if any(self.data.iterdir()):
                return self._elsewhere()
            self.data.chmod(0o711)
        return self.data

    def _elsewhere(self) -> Path:
        unprivileged.SYSTEM_HOME.mkdir(mode=0o711, exist_ok=True)
        home = _system_folder(self.data)
        home.mkdir(mode=0o711, exist_ok=True)
        return home

    def server_folder(self, name: str) -> Path:
        """A folder the servers' account owns, closed to everybody else."""
        return self.account.owns(self.home / name)

    def own_folder(self, name: str) -> Path:
        """A folder only we can open: keys and ledgers are none of PostgreSQL's business."""
        folder = self.data / name
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    @property
    def was_moved(self) -> bool:
        return self.home != self.data

    def log(self, name: str) -> Path:
        return self.own_folder("logs") / f"{name}.log"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder; raises AlreadyRunning with the other run's own words about itself."""
        with (self.data / "lock").open("a+") as lock:
            Path(lock.name).chmod(0o600)
            _lock(lock)
            self.announce(f"process {os.getpid()}")
            yield

    def announce(self, who: str) -> None:
        """What a second run shall be told about this one."""
        (self.data / "lock").write_text(who)

    def recall(self, name: str, make: Callable[[], Any]) -> Any:
        """The value kept under `name`, made once. The file is readable by us alone (0600)."""
        kept = self._memory()
        if name not in kept:
            self.remember(name, make())
        return self._memory()[name]

    def remember(self, name: str, value: Any) -> None:
        _replace(self.data / "memory.json", json.dumps({**self._memory(), name: value}, indent=1))

    def _memory(self) -> dict[str, Any]:
        file = self.data / "memory.json"
        return dict(json.loads(file.read_text())) if file.exists() else {}

    def password(self, name: str) -> str:
        return str(self.recall(f"password of {name}", lambda: secrets.token_urlsafe(24)))

    def port(self, name: str) -> int:
        """A loopback port chosen once; chosen again when somebody else has taken it meanwhile."""
        key = f"port of {name}"
        port = int(self.recall(key, free_port))
        if not is_free(port):
            port = free_port()
            self.remember(key, port)
        return port

    def last_port(self, name: str) -> int:
        """The port the server was last started on."""
        return int(self.recall(f"port of {name}", free_port))


def _ours(data: Path) -> Path:
    data.parent.mkdir(
        mode=0o711 if data.parent == unprivileged.SYSTEM_HOME else 0o755, parents=True, exist_ok=True
    )
    data.mkdir(mode=0o700, exist_ok=True)
    return data.resolve()


def _lock(lock: IO[str]) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        who = lock.read() or "a process that is just starting"
        raise AlreadyRunning(f"already running: {who}") from None


def _replace(file: Path, text: str) -> None:
    new = file.with_suffix(".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(text)
        out.flush()
        os.fsync(descriptor)
    new.replace(file)


def free_port() -> int:
    """A loopback port nobody listens on."""
    return next(port for port in random.sample(_PORTS, len(_PORTS)) if is_free(port))


def is_free(port: int) -> bool:
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
