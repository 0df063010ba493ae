"""`make run`: everything under one command, revived when killed, kept for the next time."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from iva import local
from iva.local import processes
from iva.local.bringing_up import described
from iva.local.folder import CHECKOUT, free_port
from iva.local.supervising import Supervisor
from tests.iva import reaching
from tests.iva.reaching import rows


@pytest.fixture
def folder() -> Iterator[Path]:
    with reaching.open_folder() as path:
        yield path


class Run:
    """One `python -m iva.local run`, its output collected."""

    def __init__(self, **environment: str) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("IVA_")}
        self.said: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "iva.local", "run"],
            cwd=CHECKOUT,
            env={**clean, "IVA_PORT": str(free_port()), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._listen)
        self._reader.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        self.said.extend(iter(self._process.stdout.readline, ""))

    def says(self, name: str, words: str) -> bool:
        """Whether the line came, before the end of the run."""
        processes.wait_until(lambda: self.has_said(name, words) or self._process.poll() is not None, 180)
        return self.has_said(name, words)

    def has_said(self, name: str, words: str) -> bool:
        return any(name in line.split(" | ")[0] and words in line for line in self.said.copy())

    def child(self, words: str) -> int:
        """The process id of the child whose command line contains `words`."""
        children = Path(f"/proc/{self._process.pid}/task").glob("*/children")
        ids = [int(each) for file in children for each in file.read_text().split()]
        return next(each for each in ids if words in _command_line(each))

    def stop(self) -> int:
        """Ctrl-C; returns the exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        return self.end()

    def end(self) -> int:
        """Wait for the end; returns the exit code."""
        self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()
        return self._process.returncode


def _command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


@pytest.mark.slow
@pytest.mark.skipif(not processes.are_visible(), reason="children are looked up in /proc")
class TestMakeRun:
    def test_serves_revives_what_is_killed_and_keeps_everything(self, folder: Path) -> None:
        first = Run(IVA_LOCAL_DATA=str(folder))
        try:
            assert first.says("iva", "is ready at"), first.said
            second = Run(IVA_LOCAL_DATA=str(folder))
            assert second.end() == 1
            assert "already running" in "".join(second.said)
            for name, command in {
                "postgres": "/postgres ",
                "valkey": "valkey-server",
                "worker": " worker ",
            }.items():
                os.kill(first.child(command), signal.SIGKILL)
                assert first.says(name, "starting it again"), first.said
            assert first.says("postgres", "is up again")
            assert first.says("valkey", "is up again")
        finally:
            assert first.stop() == 0, first.said
        assert first.has_said("iva", "everything is kept")
        with local.servers(folder) as servers:
            assert rows(
                servers.superuser_url.removesuffix("/postgres") + "/iva",
                "SELECT count(*) > 1 FROM accounts_organization",
            ) == [(True,)]


class TestGivenServers:
    """IVA_DATABASE_URL and IVA_REDIS_URL in the environment of `make run`."""

    @pytest.fixture(autouse=True)
    def nothing_given(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in [name for name in os.environ if name.startswith("IVA_")]:
            monkeypatch.delenv(name)

    def test_nothing_given_both_are_embedded(self, folder: Path) -> None:
        assert list(Supervisor(described(folder)).embedded) == ["postgres", "valkey"]

    def test_what_is_given_is_not_started(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("IVA_DATABASE_URL", "postgresql://iva_app:x@db.test/iva")
        assert list(Supervisor(described(folder)).embedded) == ["valkey"]
        monkeypatch.setenv("IVA_REDIS_URL_FILE", "redis_url")
        assert list(Supervisor(described(folder)).embedded) == []

    def test_a_given_database_never_sees_our_passwords(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("IVA_DATABASE_URL", "postgresql://iva_app:x@db.test/iva")
        environment = Supervisor(described(folder)).environment()
        assert environment["IVA_DATABASE_URL"] == "postgresql://iva_app:x@db.test/iva"
        assert "IVA_OWNER_DATABASE_URL" not in environment

    def test_a_serving_process_gets_no_password_of_the_owner(self, folder: Path) -> None:
        supervisor = Supervisor(described(folder))
        assert "IVA_OWNER_DATABASE_URL" in supervisor.environment()
        assert "IVA_OWNER_DATABASE_URL" not in supervisor.serving_environment()
