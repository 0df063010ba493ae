"""PostgreSQL or Valkey dies under load: what was acknowledged is kept, once, and answered, once."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.faults.house import House, open_house
from tests.faults.posting import Load
from tests.faults.running import eventually

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """In a folder whose parents let the servers' account through, unlike pytest's own when we are root."""
    data = Path(tempfile.mkdtemp(prefix="iva-local-test-"))
    with open_house(data, tmp_path_factory.mktemp("house")) as opened:
        yield opened
    shutil.rmtree(data)


def more_is_acknowledged(load: Load, more: int = 40) -> None:
    wanted = len(load.acknowledged) + more
    eventually(lambda: len(load.acknowledged) >= wanted, f"{more} more deliveries are acknowledged")


def test_postgres_killed_under_load_keeps_every_acknowledged_message_once(house: House) -> None:
    acme = house.found("Acme")
    with Load(house.address, acme.token) as load:
        for _ in range(3):
            more_is_acknowledged(load)
            house.servers.stop_postgres(immediate=True)
            house.servers.start_postgres()
        more_is_acknowledged(load)
    assert load.statuses.keys() <= {200, 201, 503}, "who has to wait is told so"
    assert not load.unreachable
    house.all_is_kept_and_answered_once(acme, load)

    # Now everybody is idle, and each process and thread holds a connection to a server that dies.
    house.servers.stop_postgres(immediate=True)
    house.servers.start_postgres()
    with Load(house.address, acme.token, wave="after") as later:
        more_is_acknowledged(later)
    assert later.statuses.keys() == {201}
    later.acknowledged |= load.acknowledged
    house.all_is_kept_and_answered_once(acme, later)


def test_valkey_killed_and_emptied_under_load_hinders_no_delivery_and_loses_no_answer(house: House) -> None:
    globex = house.found("Globex")
    with Load(house.address, globex.token) as load:
        more_is_acknowledged(load)
        house.servers.stop_valkey(immediate=True)
        more_is_acknowledged(load)
        house.servers.start_valkey()
        redis.Redis.from_url(house.servers.redis_url).flushall()
        more_is_acknowledged(load)
    assert load.statuses.keys() == {201}
    assert not load.unreachable
    house.all_is_kept_and_answered_once(globex, load)
