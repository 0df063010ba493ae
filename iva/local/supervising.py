"""`make run`: servers up, roles made, database migrated, demo there, everything served until Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from urllib import error, request

from iva.local import output
from iva.local.bringing_up import Servers
from iva.local.folder import is_free
from iva.local.letterbox import Letterbox
from iva.local.postgres import Postgres
from iva.local.serving import MANAGE, Program, programs, spawn
from iva.local.valkey import Valkey

_FIRST_PORT = 8000
_TICK = 0.2
_PATIENCE = 20.0  # seconds for the programs to finish what they are doing
_direct = request.build_opener(request.ProxyHandler({}))


class StepFailed(Exception):
    """Migrating or making the demo ended with an error; its output is above."""


class StopAsked(Exception):
    """Ctrl-C, or a signal that means the same, during the preparation."""


class Supervisor:
    """Runs one checkout. What IVA_DATABASE_URL or IVA_REDIS_URL replace is not started."""

    def __init__(self, servers: Servers) -> None:
        self.servers = servers
        _forget_our_own(servers)
        self.embedded: dict[str, Postgres | Valkey] = {}
        if not is_given("DATABASE_URL"):
            self.embedded["postgres"] = servers.postgres
        if not is_given("REDIS_URL"):
            self.embedded["valkey"] = servers.valkey
        self.programs: list[Program] = []
        self.port = self.live_port = 0
        self.letterbox = Letterbox(servers.data / "mail")
        self._stops_asked = 0
        self._welcomed = False

    def run(self) -> None:
        """Until asked to stop. Raises AlreadyRunning, ServerDidNotStart, StepFailed, WillNotStay."""
        self._listen_for_stop()
        with self.servers.folder.held():
            try:
                self._prepare()
                self._serve()
            except StopAsked:
                pass
            finally:
                self._end()

    def _listen_for_stop(self) -> None:
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, self._ask_to_stop)

    def _ask_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stops_asked += 1

    # Preparation

    def _prepare(self) -> None:
        for name, server in self.embedded.items():
            with _timed(name, "is up"):
                server.start()
        if "postgres" in self.embedded:
            self.servers.prepare_roles()
        self._migrate()
        with _timed("demo", "is there"):
            self._manage("demo", self.serving_environment())

    def _migrate(self) -> None:
        environment = self.environment()
        if {"IVA_OWNER_DATABASE_URL", "IVA_OWNER_DATABASE_URL_FILE"} & environment.keys():
            with _timed("migrate", "the database is up to date"):
                self._manage("migrate --database owner", environment)
        else:
            output.say(
                "iva", "IVA_OWNER_DATABASE_URL is not set: using the database as it is, not migrating it"
            )

    def _manage(self, command: str, environment: Mapping[str, str]) -> None:
        """One manage.py command to its end; raises StepFailed, or StopAsked on Ctrl-C."""
        spawned = spawn(command.split()[0], [*MANAGE, *command.split()], environment)
        while spawned.process.poll() is None:
            time.sleep(_TICK / 4)
            if self._stops_asked:
                spawned.process.terminate()
                spawned.finish()
                raise StopAsked
        if spawned.finish() != 0:
            raise StepFailed(f"manage.py {command} failed")

    def environment(self) -> dict[str, str]:
        """Ours, under whatever IVA_* variables the caller has set."""
        return environment_for(self.servers)

    def serving_environment(self) -> dict[str, str]:
        """Without the owner's password: a serving process cannot migrate."""
        kept = {
            name: value for name, value in self.environment().items() if not name.startswith("IVA_OWNER_")
        }
        ours = {
            "PROMETHEUS_MULTIPROC_DIR": str(self._metrics),
            "IVA_WORKER_READY_FILE": str(self._worker_is_ready),
            "IVA_LOOPBACK_PORTS": f"{self.port},{self.live_port}",
        }
        if not is_given("EMAIL_URL"):
            ours["IVA_MAIL_FOLDER"] = str(self.servers.folder.own_folder("mail"))
        if self.port:
            ours["IVA_SITE_URL"] = self.site
        return ours | kept

    # Serving

    def _serve(self) -> None:
        self.port = _port()
        self._clear_traces()
        schedule = self.servers.folder.own_folder("beat") / "schedule"
        self.live_port = _free_port_from(self.port + 1)
        self.programs = programs(self.port, self.live_port, schedule)
        self.servers.folder.announce(f"process {os.getpid()}, {self.address}")
        for program in self.programs:
            program.start(self.serving_environment())
        while not self._stops_asked:
            self._tick()
            time.sleep(_TICK)

    def _clear_traces(self) -> None:
        """Counts and marks of an earlier run would be taken for this one's."""
        for trace in [*self._metrics.iterdir(), self._worker_is_ready]:
            trace.unlink(missing_ok=True)

    @property
    def _metrics(self) -> Path:
        return self.servers.folder.own_folder("metrics")

    @property
    def _worker_is_ready(self) -> Path:
        return self.servers.folder.own_folder("run") / "worker-ready"

    def _tick(self) -> None:
        for name, server in self.embedded.items():
            before = server.port
            _revive(name, server)
            if server.port != before:
                self._ask_programs_to_stop()
        for program in self.programs:
            program.restart_if_ended(self.serving_environment)
        if not self._welcomed and self._is_ready():
            self._welcome()
        for letter in self.letterbox.news():
            output.say("mail", letter)

    def _ask_programs_to_stop(self) -> None:
        for program in self.programs:
            program.ask_to_stop()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def site(self) -> str:
        """The same by a name: passkeys are bound to names, not to addresses (WebAuthn 5.1.2)."""
        return f"http://localhost:{self.port}"

    def _is_ready(self) -> bool:
        """Both halves: messages are taken in, and somebody answers them."""
        if not self._worker_is_ready.exists():
            return False
        try:
            with _direct.open(f"{self.address}/readyz", timeout=1) as answer:
                return bool(answer.status == 200)
        except (error.URLError, OSError):
            return False

    def _welcome(self) -> None:
        self._welcomed = True
        output.say("iva", f"IVA is ready at {self.address}/ (Ctrl-C stops it)")
        output.say("iva", f"API {self.address}/api/docs/, operators {self.address}/admin/")
        if not is_given("EMAIL_URL"):
            output.say("iva", f"no mail server: letters are shown here and kept in {self.letterbox.folder}")
        output.say("iva", f"to sign in at {self.site}/sign-in/:")
        self._manage("demo --show", self.serving_environment())

    # The end

    def _end(self) -> None:
        """Programs first, then their servers. A second Ctrl-C does not wait for work in progress."""
        if self.programs:
            output.say("iva", "stopping; once more Ctrl-C to stop at once")
        self._ask_programs_to_stop()
        deadline = time.monotonic() + _PATIENCE
        while any(program.is_running for program in self.programs):
            if self._stops_asked > 1 or time.monotonic() > deadline:
                break
            time.sleep(_TICK / 4)
        for program in self.programs:
            program.kill()
        for server in reversed(self.embedded.values()):
            server.stop()
        output.say("iva", "stopped; everything is kept for the next `make run`")


def _forget_our_own(servers: Servers) -> None:
    """`eval "$(make -s shell-env)"` names these very servers: they are ours to start, not given to us."""
    ours = servers.environment()
    if os.environ.get("IVA_DATABASE_URL") == ours["IVA_DATABASE_URL"]:
        for name in ours:
            os.environ.pop(name, None)


def is_given(name: str) -> bool:
    return bool(os.environ.get(f"IVA_{name}") or os.environ.get(f"IVA_{name}_FILE"))


def environment_for(servers: Servers) -> dict[str, str]:
    """The servers' variables under those already set; a given database never sees our passwords."""
    ours = servers.environment()
    if is_given("DATABASE_URL"):
        ours.pop("IVA_OWNER_DATABASE_URL")
    ours = {name: value for name, value in ours.items() if not is_given(name.removeprefix("IVA_"))}
    extra = {"PYTHONUNBUFFERED": "1", "IVA_PRETTY_LOGS": "1"}
    theirs = {name: value for name, value in os.environ.items() if value or not name.startswith("IVA_")}
    return {**extra, **ours, **theirs}


def _revive(name: str, server: Postgres | Valkey) -> None:
    if server.process is not None and server.process.poll() is not None:
        output.say(name, "ended unexpectedly; starting it again")
        with _timed(name, "is up again"):
            server.start()


def _port() -> int:
    wanted = int(os.environ.get("IVA_PORT", _FIRST_PORT))
    port = _free_port_from(wanted)
    if port != wanted:
        output.say("iva", f"port {wanted} is taken; using {port} (IVA_PORT chooses another)")
    return port


def _free_port_from(lowest: int) -> int:
    return next(port for port in range(lowest, 65_536) if is_free(port))


@contextmanager
def _timed(name: str, what: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    output.say(name, f"{what} ({time.monotonic() - started:.1f} s)")


def fail(why: Exception) -> int:
    sys.stdout.flush()
    print(f"\nIVA: {why}", file=sys.stderr)
    return 1
