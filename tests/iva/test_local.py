"""The embedded servers: made in any folder, safe with passwords, and back after every kind of death."""

import os
import signal
import socket
import subprocess
import sys
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
from tests.iva import reaching
from tests.iva.reaching import mode, ping, rows, run

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
    with reaching.open_folder() as path:
        yield path


@pytest.fixture(scope="module")
def servers() -> Iterator[local.Servers]:
    with local.servers(durable=False) as both:
        yield both


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
