"""The worker's tasks begin on a living connection, whatever has happened to the last one."""

from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection

from iva.celery import app
from tests.cast import Party

app.autodiscover_tasks(force=True)
PERIODIC = sorted({work["task"] for work in app.conf.beat_schedule.values()})


@pytest.fixture
def idle(acme: Party, superuser: psycopg.Connection) -> Iterator[None]:
    """Our connections are ended, as a restart of PostgreSQL or a failover does to a worker without work."""
    assert connection.connection is not None
    ours = "pg_stat_activity WHERE usename = 'iva_app'"
    superuser.execute(f"SELECT pg_terminate_backend(pid, 60000) FROM {ours}".encode())
    yield
    connection.close()


@pytest.mark.parametrize("name", PERIODIC)
def test_a_connection_that_died_while_the_worker_was_idle_fails_no_task(idle: None, name: str) -> None:
    done = app.tasks[name].apply()
    assert done.state == "SUCCESS", done.traceback
