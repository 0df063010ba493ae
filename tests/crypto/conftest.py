"""A keyring and a ledger for each test, two walled tables, and organizations with nothing but their keys."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import conninfo

from iva import local, roles, tenancy
from iva.audit import log as audit
from iva.crypto import cache, keys, registry
from iva.crypto.kms import chosen
from tests.crypto import notes
from tests.crypto.counting import CountingService


@pytest.fixture(autouse=True)
def own_keys(settings: Any, tmp_path: Path) -> Iterator[None]:
    """No test sees another's epochs, erasures or unwrapped keys."""
    settings.IVA_KEY_SERVICE = "local"
    settings.IVA_KEYRING_PATH = str(tmp_path / "keyring")
    settings.IVA_ERASURE_LEDGER_PATH = str(tmp_path / "ledger")
    cache.forget_all()
    yield
    cache.forget_all()
    chosen._built.cache_clear()


@pytest.fixture
def thief(servers: local.Servers) -> Iterator[psycopg.Connection]:
    """Somebody who reads and writes the database past every wall."""
    with psycopg.connect(
        conninfo.make_conninfo(servers.superuser_url, dbname=roles.DATABASE), autocommit=True
    ) as connection:
        yield connection


@pytest.fixture(scope="package")
def tables(servers: local.Servers, django_db_blocker: Any) -> Iterator[None]:
    """The two tables, while this package's tests run."""
    with django_db_blocker.unblock():
        statements = notes.statements()
    with psycopg.connect(servers.owner_url, autocommit=True) as owner:
        for statement in statements:
            owner.execute(statement)
        yield
        for table in notes.TABLES:
            owner.execute(f'DROP TABLE "{table}"')


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test tables' numbers."""
    monkeypatch.setattr(registry, "checked_in", lambda: notes.REGISTRY)


@pytest.fixture
def organization(db: None, tables: None, registered: None) -> uuid.UUID:
    """An organization with keys."""
    return founded()


@pytest.fixture
def another(db: None, tables: None, registered: None) -> uuid.UUID:
    """A second one."""
    return founded()


@pytest.fixture
def bat(organization: uuid.UUID) -> uuid.UUID:
    """An End User with a key."""
    return with_key(organization)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> CountingService:
    """The key service, counting how often it is called."""
    return CountingService(monkeypatch)


def founded() -> uuid.UUID:
    organization_id = tenancy.new_id()
    with tenancy.tenant(organization_id):
        audit.begin(organization_id)
        keys.found()
    return organization_id


def with_key(organization_id: uuid.UUID) -> uuid.UUID:
    end_user_id = tenancy.new_id()
    with tenancy.tenant(organization_id):
        keys.create(end_user_id)
    return end_user_id
