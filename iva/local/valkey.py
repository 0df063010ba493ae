"""One Valkey of our own, the broker and cache. Its append-only file makes queued ids survive."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import redis

from iva.local import processes
from iva.local.folder import Folder
from iva.local.processes import ServerDidNotStart
from iva.local.wheels import Programs

_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
_PATIENCE = 120  # seconds; the append-only file is read before it answers
_STARTS = 5


class Valkey:
    """A server in `<home>/valkey`, on one loopback port, with a password. Not durable: nothing is written."""

    def __init__(self, folder: Folder, programs: Programs, *, durable: bool) -> None:
        self.folder = folder
        self.programs = programs
        self.durable = durable
        self.data = folder.home / "valkey"
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it answers; raises ServerDidNotStart."""
        self.folder.server_folder("valkey")
        self.stop_leftovers()
        for _ in range(_STARTS):
            self.launch()
            if self._answers_in_time():
                return
        raise ServerDidNotStart(f"Valkey did not start:\n{processes.last_lines(self._log)}")

    def launch(self) -> None:
        """Start without waiting. The port is the remembered one unless it was taken."""
        self.port = self.folder.port("valkey")
        with self._log.open("ab") as output:
            self.process = processes.start(
                [str(self.programs.valkey_server), str(self._configuration())],
                account=self.folder.account,
                dying=signal.SIGTERM,
                cwd=self.data,
                environment=_ENVIRONMENT,
                output=output,
            )

    def stop(self, *, immediate: bool = False) -> None:
        """Shut down; `immediate` kills it."""
        if self.process is None:
            return
        processes.stop(self.process, signal.SIGKILL if immediate else signal.SIGTERM, patience=30)
        self.process = None

    def stop_leftovers(self) -> None:
        """Stop a server that a killed run left behind."""
        left = processes.working_in(self.data, "valkey-server")
        if left:
            processes.stop_leftovers(self.data, "valkey-server", left[0], signal.SIGTERM)
        elif not processes.are_visible() and self.answers():
            redis.Redis.from_url(self.url).shutdown()

    @property
    def url(self) -> str:
        port = self.port or self.folder.last_port("valkey")
        return f"redis://:{self.folder.password('valkey')}@127.0.0.1:{port}/0"

    @property
    def _log(self) -> Path:
        return self.folder.log("valkey")

    def answers(self) -> bool:
        client = redis.Redis.from_url(self.url, socket_timeout=5)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    def _answers_in_time(self) -> bool:
        """True once it answers; False when its port was taken in the meantime, so that another is tried."""
        process = self.process
        if process is None:
            return False
        processes.wait_until(lambda: process.poll() is not None or self.answers(), _PATIENCE)
        if process.poll() is None:
            return self.answers()
        if "in use" in processes.last_lines(self._log):
            return False
        raise ServerDidNotStart(f"Valkey ended while starting:\n{processes.last_lines(self._log)}")

    def _configuration(self) -> Path:
        """A file of the account: on the command line everybody could read the password."""
        file = self.data / "valkey.conf"
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.writelines(f"{line}\n" for line in self._settings())
        if not self.folder.account.is_us:
            os.chown(file, self.folder.account.uid, self.folder.account.gid)
        return file

    def _settings(self) -> list[str]:
        return [
            "bind 127.0.0.1",
            f"port {self.port}",
            f"requirepass {self.folder.password('valkey')}",
            f'dir "{self.data}"',
            "daemonize no",
            'save ""',
            "maxmemory-policy noeviction",
            "slowlog-log-slower-than -1",
            f"appendonly {'yes' if self.durable else 'no'}",
            "appendfsync everysec",
        ]
