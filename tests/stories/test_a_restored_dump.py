"""A real dump is restored after an erasure, before and after the epoch has been rolled."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from iva import local
from iva.crypto import cache, key_copies
from privacy import replaying, sealing
from tests.cast import Party

GROUND = {"ground": "subject_request"}
Restore = Callable[[], None]


@pytest.fixture
def dump(servers: local.Servers, superuser: psycopg.Connection, tmp_path: Path) -> Callable[[], Restore]:
    """Dump the whole database with pg_dump; what is returned restores it with pg_restore."""
    url = servers.superuser_url.rsplit("/", 1)[0] + "/iva"

    def run(program: str, *arguments: str) -> None:
        command = [str(servers.postgres_binary(program)), "--dbname", url, *arguments]
        ended = subprocess.run(command, check=False, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr

    def take() -> Restore:
        file = str(tmp_path / "iva.dump")
        run("pg_dump", "--format", "custom", "--file", file)

        def restore() -> None:
            connection.close()
            superuser.execute("DROP SCHEMA public CASCADE")
            superuser.execute("CREATE SCHEMA public AUTHORIZATION pg_database_owner")
            run("pg_restore", "--single-transaction", file)
            servers.prepare_roles()

        return restore

    return take


def text_of(party: Party, receipt: dict[str, str]) -> str:
    return str(party.call("GET", f"conversations/{receipt['conversation_id']}/messages/").body)


def test_who_was_erased_stays_unreadable_and_the_living_are_read(
    acme: Party, dump: Callable[[], Restore]
) -> None:
    bat = acme.says("Батын нууц", phone="99112233").body
    saraa = acme.says("Сараагийн үг", phone="99445566").body
    restore = dump()
    acme.call("POST", f"end-users/{bat['end_user_id']}/erasure/", GROUND)
    restore()

    assert "Батын нууц" not in text_of(acme, bat)
    assert "Сараагийн үг" in text_of(acme, saraa)
    assert replaying.replay() == 1
    assert acme.call("GET", f"end-users/{bat['end_user_id']}/").status == 404


def test_a_dump_older_than_the_roll_opens_for_the_living_once_the_keys_are_laid_over(
    acme: Party, globex: Party, dump: Callable[[], Restore]
) -> None:
    bat = acme.says("Батын нууц", phone="99112233").body
    saraa = acme.says("Сараагийн үг", phone="99445566").body
    theirs = globex.says("Глобексын үг").body
    restore = dump()
    acme.call("POST", f"end-users/{bat['end_user_id']}/erasure/", GROUND)
    sealing.roll_epoch()
    restore()
    cache.forget_all()  # as a process begun after the restore

    assert acme.call("GET", f"conversations/{saraa['conversation_id']}/messages/").status == 503
    assert key_copies.lay_over() > 0
    call_command("replay_erasures")

    assert "Сараагийн үг" in text_of(acme, saraa)
    assert "Глобексын үг" in text_of(globex, theirs)
    assert acme.says("Шинэ үг", phone="99445566").status == 201
    assert acme.call("GET", f"end-users/{bat['end_user_id']}/").status == 404
    assert acme.call("POST", "end-users/search/", {"phone": "99112233"}).body == {"results": []}


def test_only_the_newest_two_copies_are_kept_and_nobody_else_may_read_them(acme: Party) -> None:
    for _ in range(3):
        sealing.roll_epoch()
    copies = key_copies.copies()
    assert len(copies) == key_copies.KEPT
    assert {copy.stat().st_mode & 0o777 for copy in copies} == {0o600}
