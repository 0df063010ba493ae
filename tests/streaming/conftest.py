"""A live process of its own for each test that needs one, on the servers of the run."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from accounts.people import Acting
from tests.conftest import AtDesk
from tests.faults.running import Programs
from tests.streaming.listening import Crowd

Cookie = Callable[[Acting], str]
Listening = Callable[..., Crowd]


@pytest.fixture
def cookie(at_desk: AtDesk) -> Cookie:
    """The session of a member who is signed in, as their browser sends it."""
    return lambda member: at_desk(member).cookies["session"].value


@pytest.fixture
def programs(db: None, tmp_path: Path) -> Iterator[Programs]:
    started = Programs(os.environ, tmp_path)
    yield started
    started.end()


@pytest.fixture
def listening(programs: Programs) -> Iterator[Listening]:
    """A crowd at a live process of its own, started with these settings."""
    crowds: list[Crowd] = []

    def start(**settings: str) -> Crowd:
        crowds.append(Crowd(programs.live(**settings)))
        return crowds[-1]

    yield start
    for crowd in crowds:
        crowd.leave()
