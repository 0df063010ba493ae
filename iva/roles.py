"""The PostgreSQL roles and the database, made by a superuser before anything else.

`iva_owner` owns the tables and migrates; `iva_app` serves and has no privilege that no migration granted;
`iva_backup` reads everything, past row-level security, for pg_dump: it sees ciphertext only. The roles belong
to a PostgreSQL that is IVA's own. Everything here may be repeated; it never drops anything.
"""

from __future__ import annotations

from collections.abc import Mapping

import psycopg
from psycopg import conninfo, sql

OWNER = "iva_owner"
APP = "iva_app"
BACKUP = "iva_backup"
DATABASE = "iva"

_POWERLESS = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOINHERIT"
_ATTRIBUTES = {
    OWNER: f"{_POWERLESS} NOBYPASSRLS",
    APP: f"{_POWERLESS} NOBYPASSRLS",
    BACKUP: "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION INHERIT BYPASSRLS",
}
_SETTINGS = {
    OWNER: {"lock_timeout": "10s"},
    # PostgreSQL quotes values in its errors; what the serving role does wrong is logged by the application.
    APP: {
        "statement_timeout": "30s",
        "lock_timeout": "10s",
        "idle_in_transaction_session_timeout": "60s",
        "log_min_messages": "fatal",
        "log_min_error_statement": "panic",
    },
    BACKUP: {"default_transaction_read_only": "on"},
}


def prepare(superuser_url: str, passwords: Mapping[str, str | None], database: str = DATABASE) -> None:
    """Make the three roles with these passwords (None: no login) and the database, owned by iva_owner.

    `superuser_url` names a superuser and any existing database of the server. Raises psycopg.Error.
    """
    with psycopg.connect(superuser_url, autocommit=True) as server:
        for role in (OWNER, APP, BACKUP):
            _make_role(server, role, passwords.get(role))
        _make_database(server, database)
    with psycopg.connect(conninfo.make_conninfo(superuser_url, dbname=database), autocommit=True) as inside:
        _close_database(inside, database)


def _make_role(server: psycopg.Connection, role: str, password: str | None) -> None:
    """The password travels and is logged only as its SCRAM verifier (RFC 5803)."""
    name = sql.Identifier(role)
    if not _exists(server, "SELECT 1 FROM pg_roles WHERE rolname = %s", role):
        server.execute(sql.SQL("CREATE ROLE {}").format(name))
    server.execute(sql.SQL("ALTER ROLE {} WITH {}").format(name, sql.SQL(_ATTRIBUTES[role])))
    server.execute(sql.SQL("ALTER ROLE {} WITH {}").format(name, _login(server, role, password)))
    for setting, value in _SETTINGS[role].items():
        server.execute(
            sql.SQL("ALTER ROLE {} SET {} = {}").format(name, sql.Identifier(setting), sql.Literal(value))
        )


def _login(server: psycopg.Connection, role: str, password: str | None) -> sql.Composable:
    if not password:
        return sql.SQL("NOLOGIN PASSWORD NULL")
    verifier = server.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    return sql.SQL("LOGIN PASSWORD {}").format(sql.Literal(verifier.decode()))


def _make_database(server: psycopg.Connection, database: str) -> None:
    if _exists(server, "SELECT 1 FROM pg_database WHERE datname = %s", database):
        return
    server.execute(
        sql.SQL(
            "CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8'"
            " LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'"
        ).format(sql.Identifier(database), sql.Identifier(OWNER))
    )


def _close_database(inside: psycopg.Connection, database: str) -> None:
    """Take from PUBLIC what PostgreSQL gives everybody: connecting, temporary tables, new functions."""
    names = {
        "database": sql.Identifier(database),
        "owner": sql.Identifier(OWNER),
        "app": sql.Identifier(APP),
        "backup": sql.Identifier(BACKUP),
    }
    for statement in _CLOSING:
        inside.execute(sql.SQL(statement).format(**names))


_CLOSING = (
    "ALTER DATABASE {database} OWNER TO {owner}",
    "REVOKE ALL ON DATABASE {database}, postgres, template1 FROM PUBLIC",
    "GRANT CONNECT ON DATABASE {database} TO {app}, {backup}",
    "ALTER SCHEMA public OWNER TO {owner}",
    "REVOKE ALL ON SCHEMA public FROM PUBLIC",
    "GRANT USAGE ON SCHEMA public TO {app}",
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
    "GRANT pg_read_all_data TO {backup}",
    # Large objects know no row-level security.
    "REVOKE EXECUTE ON FUNCTION lo_creat(int), lo_create(oid), lo_from_bytea(oid, bytea) FROM PUBLIC",
)


def _exists(server: psycopg.Connection, query: str, name: str) -> bool:
    return server.execute(query, [name]).fetchone() is not None
