"""Reaching the embedded servers from the tests around them."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redis


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder whose parents let the servers' account through, unlike pytest's own when we are root."""
    path = Path(tempfile.mkdtemp(prefix="iva-local-test-"))
    yield path
    shutil.rmtree(path)


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
