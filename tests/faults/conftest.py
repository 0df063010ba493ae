"""Programs to kill: beside the servers of this run, or beside a pair that survives its own death."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cast import Party
from tests.faults.posting import ENTRY
from tests.faults.running import Programs


@pytest.fixture
def programs(db: None, tmp_path: Path) -> Iterator[Programs]:
    """Workers, beats and web servers on the database that the test itself is connected to."""
    started = Programs(os.environ, tmp_path)
    yield started
    started.end()


@pytest.fixture
def knowing(acme: Party) -> Party:
    """Acme, with a knowledge base that answers the question everybody asks."""
    assert acme.call("POST", "knowledge/", ENTRY).status == 201
    return acme
