"""The live database agrees with the plan, and the check would notice if it did not."""

from collections.abc import Iterator

import psycopg
import pytest

from iva import local
from iva.tenancy import catalogue


@pytest.fixture
def owner(servers: local.Servers) -> Iterator[psycopg.Connection]:
    """The migrating role, in a transaction that is always rolled back."""
    with psycopg.connect(servers.owner_url) as connection:
        yield connection
        connection.rollback()


def test_the_wall_stands(superuser: psycopg.Connection) -> None:
    assert catalogue.faults(superuser.cursor()) == []


def test_the_tables_of_conversations_are_behind_it(superuser: psycopg.Connection) -> None:
    behind = catalogue.tenant_tables(superuser.cursor())
    assert {
        "conversations_message",
        "conversations_message_p15",
        "privacy_enduser",
        "iva_crypto_datakey",
    } <= behind


@pytest.mark.parametrize(
    ("breach", "named"),
    [
        ("ALTER TABLE privacy_enduser NO FORCE ROW LEVEL SECURITY", "privacy_enduser has no forced"),
        ("ALTER TABLE privacy_enduser DISABLE ROW LEVEL SECURITY", "privacy_enduser has no forced"),
        ("DROP POLICY organization ON privacy_enduser", "privacy_enduser has other policies"),
        ("CREATE POLICY more ON privacy_enduser USING (true)", "privacy_enduser has other policies"),
        ("ALTER POLICY organization ON privacy_enduser USING (true)", "privacy_enduser has other policies"),
        (
            "ALTER POLICY organization ON privacy_enduser WITH CHECK (true)",
            "privacy_enduser has other policies",
        ),
        ("CREATE TABLE forgotten (id uuid PRIMARY KEY)", "forgotten has no organization_id"),
        ("CREATE UNIQUE INDEX leak ON privacy_enduser (id)", "unique key leak"),
        ("CREATE INDEX slow ON privacy_enduser (first_seen_at)", "index slow"),
        (
            "CREATE UNIQUE INDEX whole ON privacy_enduser (organization_id, id);"
            "ALTER TABLE privacy_enduser ADD COLUMN twin uuid;"
            "CREATE TABLE forgotten (organization_id uuid NOT NULL, id uuid, end_user uuid UNIQUE,"
            " UNIQUE (organization_id, id));"
            "ALTER TABLE privacy_enduser ADD FOREIGN KEY (twin) REFERENCES forgotten (end_user)",
            "foreign key privacy_enduser_twin_fkey",
        ),
        ("CREATE VIEW peephole AS SELECT * FROM privacy_enduser", "peephole: view runs as its owner"),
        ("CREATE MATERIALIZED VIEW copy AS SELECT * FROM privacy_enduser", "copy: materialized view"),
        (
            "CREATE FUNCTION climb() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog"
            " AS 'SELECT 1'",
            "function climb",
        ),
        ("CREATE FUNCTION loose() RETURNS int LANGUAGE sql AS 'SELECT 1'", "function loose"),
        ("GRANT TRUNCATE ON privacy_enduser TO iva_app", "TRUNCATE on privacy_enduser"),
        ("GRANT UPDATE ON iva_audit_auditevent TO iva_app", "UPDATE on iva_audit_auditevent"),
        ("GRANT SELECT ON privacy_enduser TO PUBLIC", "SELECT on privacy_enduser is granted to everybody"),
        ("GRANT SELECT ON conversations_message_p03 TO iva_app", "SELECT on conversations_message_p03"),
        ("GRANT CREATE ON SCHEMA public TO iva_app", "iva_app may create"),
    ],
)
def test_a_breach_is_named(owner: psycopg.Connection, breach: str, named: str) -> None:
    cursor = owner.cursor()
    cursor.execute(breach)
    assert [fault for fault in catalogue.faults(cursor) if fault.startswith(named)]


@pytest.mark.parametrize("attribute", ["SUPERUSER", "BYPASSRLS", "CREATEROLE", "CREATEDB", "REPLICATION"])
def test_a_serving_role_that_is_too_strong_is_named(servers: local.Servers, attribute: str) -> None:
    with psycopg.connect(servers.superuser_url) as connection:
        connection.execute(f"ALTER ROLE iva_app {attribute}")
        faults = catalogue.faults(connection.cursor())
        connection.rollback()
    assert [fault for fault in faults if "iva_app" in fault]
