"""What one process decides the others follow: revocations within seconds, limits at once."""

import os
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from accounts import api_keys, organizations
from accounts.scopes import EVERY_SCOPE
from iva.audit.actors import SYSTEM
from tests.cast import Party
from tests.faults.posting import Integrator
from tests.faults.running import Programs, eventually

pytestmark = pytest.mark.slow

LIMIT = 50


@pytest.fixture
def programs(db: None, tmp_path: Path) -> Iterator[Programs]:
    started = Programs(os.environ, tmp_path)
    yield started
    started.end()


def status(address: str, token: str) -> int:
    """One request over a connection of its own, so that any process of the server may take it."""
    integrator = Integrator(address, token)
    try:
        return integrator.call("GET", "organization/")[0]
    finally:
        integrator.close()


def statuses(address: str, token: str) -> set[int]:
    """What a key meets, asked so often that every process answers."""
    return {status(address, token) for _ in range(24)}


def is_known_everywhere(address: str, token: str) -> None:
    assert statuses(address, token) == {200}


def is_refused_everywhere_in_the_end(address: str, token: str) -> None:
    """Although it is used all the time: use must not renew what is remembered of a key."""
    eventually(lambda: statuses(address, token) == {401}, "every process refuses the key")


def test_what_ends_a_key_ends_it_in_other_processes_too(
    acme: Party, globex: Party, programs: Programs
) -> None:
    address = programs.web(IVA_FAILED_SIGN_INS_PER_MINUTE="100000")
    with acme.tenant():
        key, token = api_keys.issue("to be revoked", EVERY_SCOPE, actor=SYSTEM)
    for each in (token, acme.token, globex.token):
        is_known_everywhere(address, each)

    with acme.tenant():
        api_keys.revoke(key, actor=SYSTEM)
    is_refused_everywhere_in_the_end(address, token)
    is_known_everywhere(address, acme.token)

    organizations.suspend(acme.organization, SYSTEM)
    is_refused_everywhere_in_the_end(address, acme.token)
    is_known_everywhere(address, globex.token)

    organizations.reinstate(acme.organization, SYSTEM)
    is_known_everywhere(address, acme.token)


def test_of_two_hundred_requests_to_several_processes_exactly_so_many_pass(
    acme: Party, programs: Programs
) -> None:
    address = programs.web(IVA_REQUESTS_PER_MINUTE=str(LIMIT))
    start = threading.Barrier(20)

    def ten_requests() -> list[int]:
        start.wait()
        return [status(address, acme.token) for _ in range(10)]

    with ThreadPoolExecutor(20) as threads:
        waiting = [threads.submit(ten_requests) for _ in range(20)]
        met = [each for one in waiting for each in one.result()]
    assert Counter(met) == {200: LIMIT, 429: 200 - LIMIT}
