"""One PostgreSQL of our own: made, started, stopped and crashed by driving its programs directly."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path

import psycopg

from iva.local import processes
from iva.local.folder import Folder
from iva.local.processes import ServerDidNotStart
from iva.local.wheels import Programs

SUPERUSER = "postgres"
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
_RECOVERY_PATIENCE = (
    300  # seconds; recovery after a crash reads the whole write-ahead log since the checkpoint
)
_STARTS = 5

# Nothing a client sent may reach the log: no statement, no parameter, none of the DETAIL that quotes rows.
_SILENT = {
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_min_duration_statement": "-1",
}
_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class AnotherPostgresMadeThis(Exception):
    """The folder was made by another major version of PostgreSQL than the installed one."""


class Postgres:
    """A cluster in `<home>/postgres`, on one loopback port, passwords only. `durable=False` is for tests."""

    def __init__(self, folder: Folder, programs: Programs, *, durable: bool) -> None:
        self.folder = folder
        self.programs = programs
        self.durable = durable
        self.data = folder.home / "postgres"
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it answers, through crash recovery if need be; raises ServerDidNotStart."""
        if not self.data.exists():
            self._initialize()
        self._refuse_another_version()
        self.stop_leftovers()
        for _ in range(_STARTS):
            self.launch()
            if self._answers_in_time():
                return
        raise ServerDidNotStart(f"PostgreSQL did not start:\n{processes.last_lines(self._log)}")

    def launch(self) -> None:
        """Start without waiting. The port is the remembered one unless it was taken."""
        self.port = self.folder.port("postgres")
        options = [f"--{name}={value}" for name, value in self._settings().items()]
        with self._log.open("ab") as output:
            self.process = processes.start(
                [str(self.programs.postgres("postgres")), "-D", str(self.data), *options],
                account=self.folder.account,
                dying=signal.SIGINT,
                cwd=self.data.parent,
                environment=_ENVIRONMENT,
                output=output,
            )

    def stop(self, *, immediate: bool = False) -> None:
        """Shut down; `immediate` kills every process of it at once, as a power cut would."""
        if self.process is None:
            return
        if immediate:
            self.process.kill()
            processes.kill_working_in(self.data, "postgres")
        processes.stop(self.process, signal.SIGINT, patience=60)
        processes.kill_working_in(self.data, "postgres")
        self.process = None

    def stop_leftovers(self) -> None:
        """Stop what a killed run left behind, and forget a process id that now belongs to somebody else."""
        if not processes.are_visible():
            self._run("pg_ctl", "stop", "--mode=fast", "-D", str(self.data))
            return
        processes.stop_leftovers(self.data, "postgres", self._noted_pid(), signal.SIGINT)
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def url(self, user: str, password: str, database: str) -> str:
        """For libpq and Django alike: postgresql://user:password@127.0.0.1:port/database"""
        port = self.port or self.folder.last_port("postgres")
        return f"postgresql://{user}:{password}@127.0.0.1:{port}/{database}"

    @property
    def superuser_url(self) -> str:
        return self.url(SUPERUSER, self.folder.password(SUPERUSER), "postgres")

    @property
    def _log(self) -> Path:
        return self.folder.log("postgres")

    def answers(self) -> bool:
        try:
            psycopg.connect(self.superuser_url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _answers_in_time(self) -> bool:
        """True once it answers; False when its port was taken in the meantime, so that another is tried."""
        process = self.process
        if process is None:
            return False
        processes.wait_until(lambda: process.poll() is not None or self.answers(), _RECOVERY_PATIENCE)
        if process.poll() is None:
            return self.answers()
        if "Address already in use" in processes.last_lines(self._log):
            return False
        raise ServerDidNotStart(f"PostgreSQL ended while starting:\n{processes.last_lines(self._log)}")

    def _noted_pid(self) -> int | None:
        try:
            return int((self.data / "postmaster.pid").read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            return None

    def _refuse_another_version(self) -> None:
        made_by = (self.data / "PG_VERSION").read_text().strip()
        program = str(self.programs.postgres("postgres"))
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
        if f" {made_by}." not in said:
            raise AnotherPostgresMadeThis(
                f"{self.data} was made by PostgreSQL {made_by}, but {said.strip()} is installed. "
                "Dump it with the old version, or remove the folder and start afresh."
            )

    def _initialize(self) -> None:
        """initdb into a folder beside, renamed when complete: a killed start leaves no half cluster."""
        unfinished = self.folder.home / "postgres.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        account = self.folder.account
        account.owns(unfinished)
        password = account.owns(self.folder.home / "postgres.password") / "superuser"
        password.write_text(self.folder.password(SUPERUSER))
        if not account.is_us:
            shutil.chown(password, account.uid, account.gid)
        try:
            self._initdb(unfinished, password)
        finally:
            shutil.rmtree(password.parent)
        unfinished.rename(self.data)

    def _initdb(self, where: Path, password: Path) -> None:
        options = ["-D", str(where), "-U", SUPERUSER, "--auth=scram-sha-256", f"--pwfile={password}"]
        options += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        options += ["--data-checksums"] if self.durable else ["--data-checksums", "--no-sync"]
        if self._run("initdb", *options) != 0:
            raise ServerDidNotStart(f"PostgreSQL's initdb failed:\n{processes.last_lines(self._log)}")

    def _run(self, program: str, *arguments: str) -> int:
        """One PostgreSQL program as the servers' account, to its end; returns its exit code."""
        with self._log.open("ab") as output:
            process = processes.start(
                [str(self.programs.postgres(program)), *arguments],
                account=self.folder.account,
                dying=signal.SIGTERM,
                cwd=self.folder.home,
                environment=_ENVIRONMENT,
                output=output,
            )
        return process.wait()

    def _settings(self) -> dict[str, str]:
        return {
            "cluster_name": "iva-local",
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "password_encryption": "scram-sha-256",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "shared_buffers": "256MB",
            "max_connections": "100",
            "wal_compression": self._compression(),
            **_SILENT,
            **({} if self.durable else _FORGETFUL),
        }

    def _compression(self) -> str:
        configured = subprocess.run(
            [str(self.programs.postgres("pg_config")), "--configure"],
            capture_output=True,
            text=True,
            check=False,
        )
        return "lz4" if "--with-lz4" in configured.stdout else "pglz"
