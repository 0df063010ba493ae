"""Real servers, real roles, real commits: a pytest plugin that comes before Django.

Every test runs against embedded PostgreSQL and Valkey as `iva_app`. Loaded with `-p tests.embedded`,
because pytest-django reads the settings before any conftest is seen.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from iva import local

ROOT = Path(__file__).resolve().parent.parent
SERVERS: pytest.StashKey[local.Servers] = pytest.StashKey()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Bring the servers up, migrate as the owner, and leave only the serving role in the environment."""
    context = local.servers(durable=False)
    servers = context.__enter__()
    early_config.add_cleanup(lambda: context.__exit__(None, None, None))
    early_config.stash[SERVERS] = servers
    os.environ.update(servers.environment())
    migrate(servers)
    os.environ.pop("IVA_OWNER_DATABASE_URL", None)


def migrate(servers: local.Servers) -> None:
    """What `make run` does before it serves."""
    command = [sys.executable, "manage.py", "migrate", "--database", "owner", "--verbosity", "0"]
    environment = os.environ | {"IVA_OWNER_DATABASE_URL": servers.owner_url}
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
