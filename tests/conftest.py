"""Fixtures of every test.

Transactions commit: a test wrapped in a transaction of its own would keep `SET LOCAL` alive between
requests and prove nothing about the wall. Afterwards a superuser empties the tables.
"""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import redis

from accounts.models import LegalDocument
from conversations import tasks
from iva import local
from iva.crypto import key_copies
from iva.outbox import draining
from tests import cast
from tests.agreements import documents
from tests.embedded import SERVERS

DATABASE = "iva"
FILLED_BY_MIGRATIONS = ["django_migrations", "django_content_type", "auth_permission"]


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> local.Servers:
    """The servers of this run; `superuser_url` is for looking behind the wall, never for serving."""
    return request.config.stash[SERVERS]


@pytest.fixture(scope="session")
def superuser(servers: local.Servers) -> Iterator[psycopg.Connection]:
    """A connection that sees everything, as a thief of the database would."""
    with psycopg.connect(servers.superuser_url, dbname=DATABASE, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def django_db_setup() -> None:
    """The database exists and is migrated; pytest-django must not make one of its own."""


@pytest.fixture
def db(django_db_blocker: Any, servers: local.Servers) -> Iterator[None]:
    """The database, emptied afterwards; Valkey, where limits are counted, emptied before.

    Key copies of earlier tests, whose keyrings may have been others, are gone.
    """
    redis.Redis.from_url(servers.redis_url).flushall()
    for copy in key_copies.copies():
        copy.unlink()
    with django_db_blocker.unblock():
        yield
    empty(servers)


def empty(servers: local.Servers) -> None:
    """Empty every table but those the migrations fill. Triggers do not fire for a replica."""
    with psycopg.connect(servers.superuser_url, dbname=DATABASE, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE nspname = 'public' AND relkind IN ('r', 'p') AND NOT relispartition"
            " AND relname <> ALL (%s)",
            [FILLED_BY_MIGRATIONS],
        ).fetchall()
        connection.execute("SET session_replication_role = replica")
        connection.execute("TRUNCATE " + ", ".join(f'"{row[0]}"' for row in rows))


@pytest.fixture
def acme(db: None) -> cast.Party:
    """Our organization."""
    return cast.found("Acme")


@pytest.fixture
def globex(db: None) -> cast.Party:
    """Theirs."""
    return cast.found("Globex")


@pytest.fixture
def first(db: None) -> LegalDocument:
    """The first version of the platform's terms, with its privacy policy, in effect."""
    return documents.published("1.0.0")


@pytest.fixture
def work_is_done(db: None) -> Callable[[], object]:
    """Do, in this process, whatever a worker would find due."""
    return lambda: draining.drain(tasks.FULFIL)
