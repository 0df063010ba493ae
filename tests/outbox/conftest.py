"""Promises of Acme that stand for nothing, and hands on the clock of the outbox."""

import uuid
from collections.abc import Callable

import psycopg
import pytest

from iva.outbox import promising
from iva.outbox.models import Promise, Work
from tests.cast import Party


@pytest.fixture
def promise(acme: Party) -> Callable[..., Promise]:
    """Promise work in a transaction of its own."""

    def promise_one(work: Work = Work.ANSWER) -> Promise:
        with acme.tenant():
            return promising.promise(work, uuid.uuid4(), uuid.uuid4())

    return promise_one


@pytest.fixture
def leases_end(superuser: psycopg.Connection) -> Callable[[], object]:
    """The worker that holds leases is dead, and `IVA_LEASE_SECONDS` have passed."""
    return lambda: superuser.execute(
        "UPDATE iva_outbox_promise SET leased_until = now() - interval '1 second'"
    )


@pytest.fixture
def time_passes(superuser: psycopg.Connection) -> Callable[[], object]:
    """What was put off is due."""
    return lambda: superuser.execute("UPDATE iva_outbox_promise SET due_at = now()")
