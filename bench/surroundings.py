"""Fresh, durable servers for one run, the product's schema, and the baselines' tables beside it."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import django
import psycopg
from django.db import connections

from iva import local, roles
from iva.local.folder import CHECKOUT

ON_DISK = Path("/var/tmp")


@contextmanager
def surroundings() -> Iterator[local.Servers]:
    """Servers that really write to disk, migrated; Django set up in this process as the serving role."""
    folder = Path(tempfile.mkdtemp(prefix="iva-bench-", dir=ON_DISK if ON_DISK.is_dir() else None))
    try:
        with local.servers(folder, durable=True) as servers:
            os.environ.update(servers.environment(), DJANGO_SETTINGS_MODULE="bench.settings")
            os.environ["IVA_LOG_LEVEL"] = "ERROR"
            _migrate()
            django.setup()
            import_module("bench.naive.tables").make()  # models can be imported from now on
            yield servers
            connections.close_all()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if servers.folder.was_moved:
            shutil.rmtree(servers.home, ignore_errors=True)


@contextmanager
def superuser(servers: local.Servers) -> Iterator[psycopg.Connection]:
    """A connection that row-level security does not hold: for filling tables and for bare baselines."""
    with psycopg.connect(servers.superuser_url, dbname=roles.DATABASE, autocommit=True) as connection:
        yield connection


def _migrate() -> None:
    command = [sys.executable, "manage.py", "migrate", "--database", "owner", "--verbosity", "0"]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "iva.settings"}
    subprocess.run(command, cwd=CHECKOUT, env=environment, check=True)
