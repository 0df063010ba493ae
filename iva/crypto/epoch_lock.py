"""The one lock between those who wrap under an epoch and the one who destroys epochs.

Founders share it until they commit; the epoch roll takes it alone before it looks for organization keys
that were left behind. PostgreSQL queues fairly, so neither starves the other.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

WRAPPING, ROLLING = 0x4956_4101, 0x4956_4102  # "IVA", then a number of our own


class RollInProgress(RuntimeError):
    """Another process is rolling the epoch."""


def hold() -> None:
    """Until this transaction ends no epoch is destroyed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [WRAPPING])


@contextmanager
def alone() -> Iterator[None]:
    """Nobody wraps under an epoch meanwhile. Held by the session, across its transactions."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [WRAPPING])
    try:
        yield
    finally:
        _release(WRAPPING)


@contextmanager
def one_roll() -> Iterator[None]:
    """Nobody else rolls meanwhile. Raises RollInProgress."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [ROLLING])
        if not cursor.fetchone()[0]:
            raise RollInProgress("another epoch roll is running")
    try:
        yield
    finally:
        _release(ROLLING)


def _release(number: int) -> None:
    """A connection that died has released its locks already."""
    if connection.connection is not None and not connection.connection.closed:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [number])
