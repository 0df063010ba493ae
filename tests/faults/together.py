"""Doing things in the same moment, each in a thread with a database connection of its own."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import psycopg
from django.db import connections

from tests.faults.counting import count

Result = TypeVar("Result")


def together(actions: Sequence[Callable[[], Result]]) -> list[Result]:
    """Begin all at once; their results, in order. Raises what the first of them raised."""
    start = threading.Barrier(len(actions))

    def run(action: Callable[[], Result]) -> Result:
        start.wait()
        try:
            return action()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(actions)) as threads:
        return [future.result() for future in [threads.submit(run, action) for action in actions]]


def in_a_thread(threads: ThreadPoolExecutor, action: Callable[[], Result]) -> "Future[Result]":
    """Begin one thing beside what the test itself does."""

    def run() -> Result:
        try:
            return action()
        finally:
            connections.close_all()

    return threads.submit(run)


def somebody_waits(db: psycopg.Connection) -> bool:
    """Whether a transaction of the serving role waits for another one."""
    return count(db, "pg_stat_activity WHERE usename = 'iva_app' AND wait_event_type = 'Lock'") > 0
