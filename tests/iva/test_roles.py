"""The roles: iva_app can nothing that was not granted, iva_backup reads everything and writes nothing."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import errors

from iva import local, roles
from tests.iva import reaching
from tests.iva.reaching import rows, run


@pytest.fixture
def folder() -> Iterator[Path]:
    with reaching.open_folder() as path:
        yield path


@pytest.fixture(scope="module")
def servers() -> Iterator[local.Servers]:
    with local.servers(durable=False) as both:
        yield both


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
