"""The owner of the tables, and a mail server."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from iva import local
from tests import cast
from tests.agreements.mail_server import MailServer


@pytest.fixture
def acme(db: None) -> cast.Party:
    """Our organization, which has accepted nothing yet."""
    return cast.found("Acme", is_bound=False)


@pytest.fixture
def globex(db: None) -> cast.Party:
    """Theirs, likewise."""
    return cast.found("Globex", is_bound=False)


@pytest.fixture
def owner(servers: local.Servers) -> Iterator[psycopg.Connection]:
    """The role that migrates and owns the tables."""
    with psycopg.connect(servers.owner_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def mail_server(settings: object, tmp_path: Path) -> Iterator[MailServer]:
    """A mail server on this machine, and the settings that lead there."""
    with MailServer() as server:
        for name, value in server.settings().items():
            setattr(settings, name, value)
        yield server
