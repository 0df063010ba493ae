"""A whole deployment of its own, on servers that survive their own death."""

import json
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import psycopg

from iva import local
from iva.local.folder import CHECKOUT
from tests.faults import counting
from tests.faults.counting import Tally, tally
from tests.faults.posting import ENTRY, Integrator, Load
from tests.faults.running import Programs, eventually


class Tenant(NamedTuple):
    """An organization of the house and a key that may do everything."""

    id: uuid.UUID
    token: str


@dataclass
class House:
    """Durable servers and the programs on them. `address` is the web server's `host:port`."""

    servers: local.Servers
    programs: Programs
    address: str

    def found(self, name: str) -> Tenant:
        """An organization that can answer the question everybody asks."""
        command = [sys.executable, "-m", "tests.faults.founding", name]
        environment = self.programs.environment | {"DJANGO_SETTINGS_MODULE": "iva.settings"}
        done = subprocess.run(command, cwd=CHECKOUT, env=environment, check=True, stdout=subprocess.PIPE)
        said = json.loads(done.stdout)
        integrator = Integrator(self.address, said["token"])
        assert integrator.call("POST", "knowledge/", ENTRY)[0] == 201
        integrator.close()
        return Tenant(uuid.UUID(said["id"]), said["token"])

    @contextmanager
    def behind_the_wall(self) -> Iterator[psycopg.Connection]:
        """A connection that sees everything."""
        with psycopg.connect(self.servers.superuser_url, dbname="iva", autocommit=True) as connection:
            yield connection

    def all_is_kept_and_answered_once(self, tenant: Tenant, load: Load) -> None:
        """Wait until nothing is left to do, then count what the database, the bill and the trail say."""
        kept = len(load.acknowledged)
        assert load.undelivered == []
        with self.behind_the_wall() as db:
            every_promise_is_kept(db, self.programs.revive)
            assert tally(db, tenant.id, load.acknowledged.values()) == Tally(kept)
            assert counting.used(db, tenant.id) == {"message": kept, "answer": kept}
            events = counting.events(db, tenant.id)
        assert (events["messages.received"], events["message.answered"]) == (kept, kept)
        verified = self.programs.manage("verify_audit", "--organization", str(tenant.id))
        assert verified.returncode == 0, verified.stdout + verified.stderr


def every_promise_is_kept(db: psycopg.Connection, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Wait for as long as there are fewer of them: how fast a worker is, is not what is tried here."""

    def fewer_than(left: int) -> bool:
        meanwhile()
        return counting.promised(db) < left

    while left := counting.promised(db):
        eventually(lambda left=left: fewer_than(left), "a promise is kept")  # type: ignore[misc]


@contextmanager
def open_house(data: Path, logs: Path) -> Iterator[House]:
    """Servers up in `data`, migrated; web, worker and beat running until the block ends."""
    with local.servers(data, durable=True) as servers:
        programs = Programs(servers.environment(), logs)
        owner = programs.environment | {"IVA_OWNER_DATABASE_URL": servers.owner_url}
        migrate = [sys.executable, "manage.py", "migrate", "--database", "owner", "--verbosity", "0"]
        subprocess.run(migrate, cwd=CHECKOUT, env=owner, check=True)
        try:
            programs.worker()
            programs.beat()
            yield House(servers, programs, programs.web())
        finally:
            programs.end()
