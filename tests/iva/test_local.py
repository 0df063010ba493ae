"""The embedded servers: made in any folder, safe with passwords, and back after every kind of death."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from psycopg import errors

from iva import local, roles
from iva.local import processes, unprivileged
from iva.local.bringing_up import described
from iva.local.folder import CHECKOUT, Folder, free_port, is_free
from iva.local.supervising import Supervisor

A_SUPERVISOR = """
import sys, time
from pathlib import Path
from iva import local
with local.servers(Path(sys.argv[1])) as servers:
    print(servers.app_url, servers.redis_url, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose parents let the servers' account through, unlike pytest's own when we are root."""
    path = Path(tempfile.mkdtemp(prefix="iva-local-test-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def servers() -> Iterator[local.Servers]:
    with local.servers(durable=False) as both:
        yield both


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def run(url: str, *statements: str) -> None:
    with psycopg.connect(url) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def ping(url: str) -> bool:
    with redis.Redis.from_url(url) as client:
        return bool(client.ping())


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


class TestBothServers:
    def test_answer_on_loopback_ports_only(self, servers: local.Servers) -> None:
        assert rows(servers.superuser_url, "SHOW listen_addresses") == [("127.0.0.1",)]
        assert rows(servers.superuser_url, "SHOW unix_socket_directories") == [("",)]
        with redis.Redis.from_url(servers.redis_url, decode_responses=True) as client:
            assert client.config_get("bind") == {"bind": "127.0.0.1"}

    def test_want_a_password(self, servers: local.Servers) -> None:
        without = servers.app_url.replace(servers.folder.password(roles.APP), "wrong")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(without)
        with pytest.raises(psycopg.OperationalError, match="no password supplied"):
            psycopg.connect(servers.app_url.replace(servers.folder.password(roles.APP), ""))
        with pytest.raises(redis.AuthenticationError):
            ping(servers.redis_url.replace(f":{servers.folder.password('valkey')}@", ""))

    def test_trust_no_connection_without_scram(self, servers: local.Servers) -> None:
        methods = rows(servers.superuser_url, "SELECT DISTINCT auth_method FROM pg_hba_file_rules")
        assert methods == [("scram-sha-256",)]
        passwords = rows(servers.superuser_url, "SELECT rolpassword FROM pg_authid WHERE rolcanlogin")
        assert len(passwords) == 4
        assert all(str(password).startswith("SCRAM-SHA-256$") for (password,) in passwords)

    def test_keep_statements_and_values_out_of_the_log(self, servers: local.Servers) -> None:
        run(
            servers.owner_url,
            "CREATE TABLE quiet (word text PRIMARY KEY)",
            "INSERT INTO quiet VALUES ('plum')",
        )
        with pytest.raises(errors.UniqueViolation):
            run(servers.owner_url, "INSERT INTO quiet VALUES ('plum')")
        with (
            pytest.raises(errors.InvalidTextRepresentation),
            psycopg.connect(servers.owner_url) as connection,
        ):
            connection.execute("SELECT %s::text::int", ["plum"])
        log = (servers.data / "logs" / "postgres.log").read_text()
        assert "duplicate key" in log
        assert "'plum'" not in log
        assert "(plum)" not in log

    def test_keep_their_passwords_readable_by_us_alone(self, servers: local.Servers) -> None:
        assert mode(servers.data / "memory.json") == 0o600
        assert mode(servers.home / "postgres") == 0o700
        assert mode(servers.home / "valkey") == 0o700
        servers.environment()
        assert mode(servers.data / "keys") == 0o700
        assert mode(servers.data / "logs") == 0o700

    def test_never_run_as_root(self, servers: local.Servers) -> None:
        for server in (servers.postgres, servers.valkey):
            assert server.process is not None
            assert Path(f"/proc/{server.process.pid}").stat().st_uid == unprivileged.account().uid != 0

    def test_do_not_show_a_password_on_a_command_line(self, servers: local.Servers) -> None:
        lines = b"".join(file.read_bytes() for file in Path("/proc").glob("[0-9]*/cmdline"))
        assert b"iva-local" in lines
        assert servers.folder.password("valkey").encode() not in lines
        assert servers.folder.password("postgres").encode() not in lines


class TestRoles:
    def test_the_serving_role_has_no_power(self, servers: local.Servers) -> None:
        powers = "rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolreplication"
        query = f"SELECT {powers} FROM pg_roles WHERE rolname = '%s'"
        assert rows(servers.app_url, query % roles.APP) == [(False,) * 5]
        assert rows(servers.app_url, query % roles.OWNER) == [(False,) * 5]
        assert rows(servers.app_url, query % roles.BACKUP) == [(False, True, False, False, False)]

    @pytest.mark.parametrize(
        "statement",
        [
            "CREATE TABLE mine (id int)",
            "CREATE TEMPORARY TABLE mine (id int)",
            "CREATE SCHEMA mine",
            "CREATE FUNCTION mine() RETURNS int LANGUAGE sql RETURN 1",
            "CREATE ROLE mine",
            "SET ROLE iva_owner",
            "SELECT lo_create(0)",
            "SELECT pg_read_file('/etc/passwd')",
            "COPY (SELECT 1) TO PROGRAM 'true'",
            "ALTER ROLE iva_app SUPERUSER",
        ],
    )
    def test_the_serving_role_may_not(self, servers: local.Servers, statement: str) -> None:
        with pytest.raises(errors.InsufficientPrivilege):
            run(servers.app_url, statement)

    def test_the_serving_role_reads_no_table_nobody_granted(self, servers: local.Servers) -> None:
        run(servers.owner_url, "CREATE TABLE ungranted (id int)")
        with pytest.raises(errors.InsufficientPrivilege):
            rows(servers.app_url, "SELECT * FROM ungranted")

    def test_a_new_function_may_be_called_by_nobody(self, servers: local.Servers) -> None:
        run(servers.owner_url, "CREATE FUNCTION uncalled() RETURNS int LANGUAGE sql RETURN 1")
        with pytest.raises(errors.InsufficientPrivilege):
            rows(servers.app_url, "SELECT uncalled()")

    def test_only_its_own_database_opens(self, servers: local.Servers) -> None:
        for database in ("postgres", "template1"):
            with pytest.raises(psycopg.OperationalError, match="permission denied"):
                psycopg.connect(servers.app_url.removesuffix("/iva") + f"/{database}")

    def test_no_statement_and_no_lock_of_the_serving_role_waits_for_ever(
        self, servers: local.Servers
    ) -> None:
        assert rows(servers.app_url, "SHOW statement_timeout") == [("30s",)]
        assert rows(servers.app_url, "SHOW lock_timeout") == [("10s",)]
        assert rows(servers.app_url, "SHOW idle_in_transaction_session_timeout") == [("1min",)]

    def test_the_backup_role_reads_past_row_level_security_and_writes_nothing(
        self, servers: local.Servers
    ) -> None:
        run(
            servers.owner_url,
            "CREATE TABLE walled (id int)",
            "INSERT INTO walled VALUES (7)",
            "ALTER TABLE walled ENABLE ROW LEVEL SECURITY",
            "ALTER TABLE walled FORCE ROW LEVEL SECURITY",
        )
        assert rows(servers.owner_url, "SELECT id FROM walled") == []
        assert rows(servers.backup_url, "SELECT id FROM walled") == [(7,)]
        with pytest.raises(errors.ReadOnlySqlTransaction):
            run(servers.backup_url, "INSERT INTO walled VALUES (8)")
        with pytest.raises(errors.InsufficientPrivilege):
            run(servers.backup_url, "SET transaction_read_only = off", "INSERT INTO walled VALUES (8)")

    def test_a_dump_by_the_backup_role_is_complete(self, servers: local.Servers) -> None:
        run(servers.owner_url, "CREATE TABLE dumped AS SELECT 'plum'::text AS word")
        command = [str(servers.postgres_binary("pg_dump")), "--dbname", servers.backup_url]
        assert b"plum" in subprocess.run(command, capture_output=True, check=True).stdout

    def test_a_dump_is_restored_into_an_empty_database_with_its_wall(self, folder: Path) -> None:
        with local.servers(folder, durable=False) as servers:
            run(
                servers.owner_url,
                "CREATE TABLE walled AS SELECT 7 AS id",
                "ALTER TABLE walled ENABLE ROW LEVEL SECURITY",
                "ALTER TABLE walled FORCE ROW LEVEL SECURITY",
                "GRANT SELECT ON walled TO iva_app",
            )
            tool = [str(servers.postgres_binary("pg_dump")), "--format=custom", f"--file={folder / 'dump'}"]
            subprocess.run([*tool, servers.backup_url], check=True)
            with psycopg.connect(servers.superuser_url, autocommit=True) as server:
                server.execute("DROP DATABASE iva WITH (FORCE)")
            servers.prepare_roles()
            inside = servers.superuser_url.removesuffix("/postgres") + "/iva"
            tool = [str(servers.postgres_binary("pg_restore")), "--exit-on-error", f"--dbname={inside}"]
            subprocess.run([*tool, str(folder / "dump")], check=True)
            assert rows(servers.app_url, "SELECT id FROM walled") == []
            assert rows(inside, "SELECT id FROM walled") == [(7,)]
            with pytest.raises(errors.InsufficientPrivilege):
                run(servers.app_url, "CREATE TABLE mine (id int)")

    def test_preparing_twice_changes_a_password_and_nothing_else(self, servers: local.Servers) -> None:
        before = rows(servers.superuser_url, "SELECT datacl FROM pg_database WHERE datname = 'iva'")
        passwords = {role: servers.folder.password(role) for role in (roles.OWNER, roles.APP, roles.BACKUP)}
        roles.prepare(servers.superuser_url, {**passwords, roles.APP: "another"})
        assert rows(servers.app_url.replace(passwords[roles.APP], "another"), "SELECT 1") == [(1,)]
        roles.prepare(servers.superuser_url, passwords)
        assert rows(servers.app_url, "SELECT 1") == [(1,)]
        assert rows(servers.superuser_url, "SELECT datacl FROM pg_database WHERE datname = 'iva'") == before

    def test_a_role_without_a_password_may_not_sign_in(self, servers: local.Servers) -> None:
        passwords = {role: servers.folder.password(role) for role in (roles.OWNER, roles.APP)}
        roles.prepare(servers.superuser_url, passwords)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(servers.backup_url)
        servers.prepare_roles()


class TestDying:
    def test_committed_rows_survive_a_killed_postgres(self, folder: Path) -> None:
        with local.servers(folder) as servers:
            run(servers.owner_url, "CREATE TABLE kept AS SELECT 7 AS id")
            servers.stop_postgres(immediate=True)
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(servers.owner_url)
            servers.start_postgres()
            assert rows(servers.owner_url, "SELECT id FROM kept") == [(7,)]

    def test_queued_work_survives_a_valkey_that_is_stopped(self, folder: Path) -> None:
        with local.servers(folder) as servers:
            with redis.Redis.from_url(servers.redis_url) as client:
                client.rpush("celery", "an id")
            servers.stop_valkey(immediate=False)
            servers.start_valkey()
            with redis.Redis.from_url(servers.redis_url) as client:
                assert client.llen("celery") == 1

    def test_everything_is_kept_for_the_next_run_on_the_same_ports(self, folder: Path) -> None:
        with local.servers(folder) as servers:
            run(servers.owner_url, "CREATE TABLE kept AS SELECT 7 AS id")
            before = servers.environment()
        with local.servers(folder) as servers:
            assert rows(servers.owner_url, "SELECT id FROM kept") == [(7,)]
            assert servers.environment() == before

    def test_a_process_id_that_now_belongs_to_somebody_else_is_no_obstacle(self, folder: Path) -> None:
        with local.servers(folder) as servers:
            servers.stop_postgres(immediate=True)
            noted = servers.home / "postgres" / "postmaster.pid"
            lines = noted.read_text().splitlines()
            noted.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
            servers.start_postgres()
            assert rows(servers.app_url, "SELECT 1") == [(1,)]

    def test_a_server_left_alive_by_a_killed_run_is_stopped_and_its_data_kept(self, folder: Path) -> None:
        with local.servers(folder) as servers:
            run(servers.owner_url, "CREATE TABLE kept AS SELECT 7 AS id")
            left = (servers.postgres.process, servers.valkey.process)
            servers.start_postgres()
            servers.start_valkey()
            assert all(process is not None and process.wait() is not None for process in left)
            assert rows(servers.owner_url, "SELECT id FROM kept") == [(7,)]
            assert ping(servers.redis_url)

    def test_a_taken_port_is_exchanged_for_another(self, folder: Path) -> None:
        with local.servers(folder, durable=False) as servers, socket.socket() as somebody:
            before = servers.postgres.port
            servers.stop_postgres()
            somebody.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            somebody.bind(("127.0.0.1", before))
            somebody.listen()
            servers.start_postgres()
            assert servers.postgres.port != before
            assert rows(servers.app_url, "SELECT 1") == [(1,)]

    def test_a_half_made_cluster_is_made_afresh(self, folder: Path) -> None:
        (folder / "postgres.new").mkdir()
        (folder / "postgres.new" / "PG_VERSION").write_text("18\n")
        with local.servers(folder, durable=False) as servers:
            assert rows(servers.app_url, "SELECT 1") == [(1,)]

    def test_a_cluster_of_another_version_is_named_as_such(self, folder: Path) -> None:
        with local.servers(folder, durable=False) as servers:
            version = servers.home / "postgres" / "PG_VERSION"
        version.write_text("14\n")
        with pytest.raises(local.AnotherPostgresMadeThis, match="PostgreSQL 14"), local.servers(folder):
            pytest.fail("it started")

    def test_a_server_that_cannot_start_says_why(self, folder: Path) -> None:
        with local.servers(folder, durable=False) as servers:
            configuration = servers.home / "postgres" / "postgresql.conf"
        configuration.write_text("no_such_setting = 1\n")
        with pytest.raises(local.ServerDidNotStart, match="no_such_setting"), local.servers(folder):
            pytest.fail("it started")


class TestTwoRuns:
    def test_the_second_is_refused_and_told_about_the_first(self, folder: Path) -> None:
        first = local.servers(folder, durable=False)
        refused = pytest.raises(local.AlreadyRunning, match=f"process {os.getpid()}")
        with first, refused, local.servers(folder):
            pytest.fail("both hold the folder")
        with described(folder).folder.held():
            assert (folder / "lock").read_text() == f"process {os.getpid()}"

    def test_the_servers_die_with_a_killed_supervisor(self, folder: Path) -> None:
        command = [sys.executable, "-c", A_SUPERVISOR, str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=CHECKOUT, text=True) as supervisor:
            assert supervisor.stdout is not None
            app_url, redis_url = supervisor.stdout.readline().split()
            assert rows(app_url, "SELECT 1") == [(1,)]
            assert ping(redis_url)
            supervisor.send_signal(signal.SIGKILL)
        left = {"postgres": folder / "postgres", "valkey-server": folder / "valkey"}
        for program, where in left.items():
            assert processes.wait_until(lambda p=program, w=where: not processes.working_in(w, p), 60)  # type: ignore[misc]
        with local.servers(folder) as servers:
            assert servers.app_url == app_url
            assert rows(servers.app_url, "SELECT 1") == [(1,)]


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


class TestFolders:
    def test_a_temporary_folder_is_gone_afterwards(self) -> None:
        with local.servers(durable=False) as servers:
            data = servers.data
            assert data.is_dir()
        assert not data.exists()

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root lends the servers another account")
    def test_a_private_folder_stays_private_and_the_servers_live_elsewhere(self, folder: Path) -> None:
        folder.chmod(0o700)
        inside = folder / "inside"
        with local.servers(inside, durable=False) as servers:
            assert rows(servers.app_url, "SELECT 1") == [(1,)]
            assert servers.home != servers.data == inside
            assert mode(folder) == mode(inside) == 0o700
            home = servers.home
        assert not home.exists()

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root lends the servers another account")
    def test_a_folder_with_something_in_it_is_not_opened_up(self, folder: Path) -> None:
        (folder / "private").write_text("plum")
        described = Folder(folder)
        described.home.rmdir()
        assert described.was_moved
        assert mode(folder) == 0o700

    def test_a_port_somebody_listens_on_is_not_free(self, servers: local.Servers) -> None:
        assert not is_free(servers.postgres.port)
        assert is_free(free_port())

    def test_the_module_needs_no_django(self) -> None:
        check = "import sys, iva.local.__main__; sys.exit('django' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", check], cwd=CHECKOUT, check=False).returncode == 0
