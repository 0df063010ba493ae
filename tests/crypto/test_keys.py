"""The life of a key: created, used, shredded; and what nobody can do with it afterwards."""

import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from iva import tenancy
from iva.audit.actors import Actor, ActorKind
from iva.audit.models import AuditEvent
from iva.crypto import blind_index, cache, keys, ledger, ring
from iva.crypto.kms import KeyServiceUnavailable
from iva.crypto.models import DataKey, OrganizationKey, ShreddedKey
from tests.crypto.conftest import founded, with_key
from tests.crypto.counting import CountingService
from tests.crypto.notes import Note


@contextmanager
def elsewhere(act: Callable[[], Any]) -> Iterator[threading.Thread]:
    """Run something in a thread with a connection of its own; what it raises fails the test."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except BaseException as failure:
            failures.append(failure)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    yield thread
    thread.join()
    if failures:
        raise failures[0]


def waits(thief: psycopg.Connection) -> None:
    """Return once somebody waits for a lock in the database; a minute without anybody is a failure."""
    for _ in range(12_000):
        if thief.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'").fetchone():
            return
        time.sleep(0.005)
    raise AssertionError("nobody waits")


def written(organization: uuid.UUID, subject: uuid.UUID, text: str = "x") -> uuid.UUID:
    with tenancy.tenant(organization):
        return Note.objects.create(end_user_id=subject, body=text).pk


def test_a_founded_organization_has_its_own_keys(organization: uuid.UUID, another: uuid.UUID) -> None:
    with tenancy.tenant(organization):
        assert OrganizationKey.objects.get().generation == 1
        assert sorted(DataKey.objects.values_list("purpose", "subject_id")) == [
            ("index", organization),
            ("organization", organization),
        ]
        with pytest.raises(keys.AlreadyFounded):
            keys.found()


def test_an_organization_that_was_never_founded_has_no_keys(db: None, registered: None) -> None:
    with tenancy.tenant(tenancy.new_id()):
        for ask in (
            lambda: keys.create(tenancy.new_id()),
            lambda: keys.for_sealing(tenancy.new_id()),
            lambda: blind_index.token("x", "y"),
        ):
            with pytest.raises(keys.KeyUnknown):
                ask()


def test_a_new_key_can_be_sealed_with_at_once(organization: uuid.UUID) -> None:
    people = [tenancy.new_id() for _ in range(5)]
    with tenancy.tenant(organization):
        made = keys.create_many(people)
        with CaptureQueriesContext(connection) as queries:
            assert [keys.for_sealing(person) for person in people] == list(made.values())
        assert len(queries) == 0
        assert len({key.key_id for key in made.values()}) == 5


def test_a_subject_has_one_key(organization: uuid.UUID, bat: uuid.UUID) -> None:
    with pytest.raises(IntegrityError), tenancy.tenant(organization):
        keys.create(bat)


def test_keys_of_another_organization_do_not_exist(
    organization: uuid.UUID, another: uuid.UUID, bat: uuid.UUID
) -> None:
    with tenancy.tenant(another):
        with pytest.raises(keys.KeyUnknown):
            keys.for_sealing(bat)
        assert keys.shred(bat) == []
    with tenancy.tenant(organization):
        assert keys.for_sealing(bat)


# Shredding


def test_after_shredding_nothing_opens_and_nothing_can_be_sealed(
    organization: uuid.UUID, bat: uuid.UUID
) -> None:
    note = written(organization, bat)
    with tenancy.tenant(organization):
        found = Note.objects.get(pk=note)
        (key_id,) = keys.shred(bat)
        for attempt in (
            lambda: found.body,
            lambda: Note.objects.get(pk=note).body,
            lambda: keys.for_sealing(bat),
            lambda: Note.objects.create(end_user_id=bat, body="again"),
        ):
            with pytest.raises(keys.KeyShredded), transaction.atomic():
                attempt()
    with tenancy.tenant(organization):
        with pytest.raises(keys.KeyShredded):
            assert Note.objects.get(pk=note).body
        with pytest.raises(keys.KeyShredded):
            keys.for_sealing(bat)
        assert not DataKey.objects.filter(pk=key_id).exists()
    assert ledger.is_shredded(organization, key_id)


def test_shredding_one_leaves_everybody_else(organization: uuid.UUID, bat: uuid.UUID) -> None:
    saraa = with_key(organization)
    mine, theirs = written(organization, bat), written(organization, saraa, "Saraa's")
    with tenancy.tenant(organization):
        keys.shred(bat)
        assert Note.objects.get(pk=theirs).body == "Saraa's"
        with pytest.raises(keys.KeyShredded):
            assert Note.objects.get(pk=mine).body


def test_shredding_twice_and_shredding_nobody_is_harmless(organization: uuid.UUID, bat: uuid.UUID) -> None:
    with tenancy.tenant(organization):
        assert len(keys.shred(bat)) == 1
    with tenancy.tenant(organization):
        assert keys.shred(bat) == keys.shred(tenancy.new_id()) == []
    assert len(list(ledger.entries())) == 1


def test_the_organization_s_own_keys_cannot_be_shredded_by_mistake(organization: uuid.UUID) -> None:
    with tenancy.tenant(organization):
        assert keys.shred(organization) == []
        assert DataKey.objects.count() == 2


def test_a_person_who_comes_back_gets_another_key(organization: uuid.UUID, bat: uuid.UUID) -> None:
    note = written(organization, bat)
    with tenancy.tenant(organization):
        (old,) = keys.shred(bat)
        new = keys.create(bat)
        assert new.key_id != old
        fresh = Note.objects.create(end_user_id=bat, body="hello again")
    with tenancy.tenant(organization):
        assert Note.objects.get(pk=fresh.pk).body == "hello again"
        with pytest.raises(keys.KeyShredded):
            assert Note.objects.get(pk=note).body


def test_a_shredding_leaves_ids_and_times_behind(organization: uuid.UUID, bat: uuid.UUID) -> None:
    actor = Actor(ActorKind.MEMBER, uuid.UUID(int=7))
    with tenancy.tenant(organization):
        (key_id,) = keys.shred(bat, actor=actor)
        (left,) = keys.shreddings(bat)
        assert (left.pk, left.subject_id, left.unrecoverable_at) == (key_id, bat, None)
    with tenancy.tenant(organization):
        event = AuditEvent.objects.get(event="key.shredded")
        assert (event.actor, str(key_id) in event.ids, str(bat) in event.ids) == (str(actor), True, True)
    (entry,) = ledger.entries()
    assert (entry.organization, entry.subject, entry.keys) == (organization, bat, [key_id])


def test_a_shredding_that_is_rolled_back_destroys_nothing(organization: uuid.UUID, bat: uuid.UUID) -> None:
    note = written(organization, bat)
    with pytest.raises(ConnectionError), tenancy.tenant(organization):
        keys.shred(bat)
        raise ConnectionError
    with tenancy.tenant(organization):
        try:
            with transaction.atomic():
                keys.shred(bat)
                raise ConnectionError
        except ConnectionError:
            assert Note.objects.get(pk=note).body == "x"
    with tenancy.tenant(organization):
        assert Note.objects.get(pk=note).body == "x"
        assert keys.for_sealing(bat)
    assert list(ledger.entries()) == []


def test_the_ledger_is_written_before_the_rows_are_gone(
    organization: uuid.UUID, bat: uuid.UUID, monkeypatch: pytest.MonkeyPatch, thief: psycopg.Connection
) -> None:
    """A ledger that cannot be written stops the erasure: nothing is promised that a restore could undo."""

    def refuse(*arguments: object) -> None:
        assert thief.execute("SELECT 1 FROM iva_crypto_datakey WHERE subject_id = %s", [bat]).fetchone()
        raise OSError("no space left on device")

    with monkeypatch.context() as full:
        full.setattr(ledger, "append", refuse)
        with pytest.raises(OSError, match="no space"), tenancy.tenant(organization):
            keys.shred(bat)
    with tenancy.tenant(organization):
        assert keys.for_sealing(bat)


def test_a_crash_between_ledger_and_commit_leaves_an_erasure_that_is_completed(
    organization: uuid.UUID, bat: uuid.UUID
) -> None:
    note = written(organization, bat)

    def power_cut() -> None:
        raise SystemExit

    with pytest.raises(SystemExit), tenancy.tenant(organization) as active:
        (key_id,) = keys.shred(bat)
        active.before_commit(power_cut, outside=True)
    with tenancy.tenant(organization):
        assert DataKey.objects.filter(pk=key_id).exists()
        with pytest.raises(keys.KeyShredded):
            assert Note.objects.get(pk=note).body
        with pytest.raises(keys.KeyShredded):
            keys.for_sealing(bat)
    with tenancy.tenant(organization):
        assert keys.complete_shreddings() == [bat]
    with tenancy.tenant(organization):
        assert not DataKey.objects.filter(pk=key_id).exists()
        assert keys.complete_shreddings() == []
    assert len(list(ledger.entries())) == 1


def rows_of(thief: psycopg.Connection, table: str) -> list[tuple[Any, ...]]:
    return thief.execute(f"SELECT * FROM {table}").fetchall()


def restore(thief: psycopg.Connection, table: str, rows: list[tuple[Any, ...]]) -> None:
    for row in rows:
        places = ", ".join(["%s"] * len(row))
        thief.execute(f"INSERT INTO {table} VALUES ({places}) ON CONFLICT DO NOTHING", row)


def test_a_key_that_a_restored_dump_brings_back_stays_dead(
    organization: uuid.UUID, bat: uuid.UUID, thief: psycopg.Connection
) -> None:
    note = written(organization, bat)
    dump = rows_of(thief, "iva_crypto_datakey")
    with tenancy.tenant(organization):
        (key_id,) = keys.shred(bat)
    thief.execute("DELETE FROM iva_crypto_shreddedkey")
    restore(thief, "iva_crypto_datakey", dump)
    cache.forget_all()
    with tenancy.tenant(organization):
        with pytest.raises(keys.KeyShredded):
            assert Note.objects.get(pk=note).body
        with pytest.raises(keys.KeyShredded):
            keys.for_sealing(bat)
        wrapped = bytes(DataKey.objects.get(pk=key_id).wrapped)
        with pytest.raises(keys.KeyShredded):
            keys.ciphers([(key_id, bat, wrapped)])
        assert keys.complete_shreddings() == [bat]
    with tenancy.tenant(organization):
        assert not DataKey.objects.filter(pk=key_id).exists()
        assert ShreddedKey.objects.get(pk=key_id).organization_key_id is not None


def test_a_broken_ledger_closes_every_key(organization: uuid.UUID, bat: uuid.UUID, settings: Any) -> None:
    note = written(organization, bat)
    with tenancy.tenant(organization):
        keys.shred(with_key_here())
    Path(settings.IVA_ERASURE_LEDGER_PATH).unlink()
    with tenancy.tenant(organization), pytest.raises(ledger.LedgerBroken):
        assert Note.objects.get(pk=note).body


def with_key_here() -> uuid.UUID:
    person = tenancy.new_id()
    keys.create(person)
    return person


# Other processes


READ = """
import os, sys, uuid, django
django.setup()
from iva import tenancy
from iva.crypto import keys
key_id, organization = int(sys.argv[1]), uuid.UUID(sys.argv[2])
from iva.crypto import ring
for line in sys.stdin:
    with tenancy.tenant(organization):
        try:
            ring.current()._cipher(key_id)
            print("opened", flush=True)
        except keys.KeyShredded:
            print("shredded", flush=True)
"""


def test_no_other_process_serves_a_shredded_key_from_its_cache(
    organization: uuid.UUID, bat: uuid.UUID, settings: Any
) -> None:
    """The second process has the unwrapped key at hand; a moment later it cannot name it any more."""
    with tenancy.tenant(organization):
        key_id = keys.for_sealing(bat).key_id
    paths = {name: getattr(settings, name) for name in ("IVA_KEYRING_PATH", "IVA_ERASURE_LEDGER_PATH")}
    other = subprocess.Popen(
        [sys.executable, "-c", READ, str(key_id), str(organization)],
        env=os.environ | paths | {"DJANGO_SETTINGS_MODULE": "iva.settings"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdin and other.stdout
    with other:
        for said in ("opened", "opened"):
            print("look", file=other.stdin, flush=True)
            assert other.stdout.readline().strip() == said
        Path(paths["IVA_KEYRING_PATH"]).rename(paths["IVA_KEYRING_PATH"] + ".away")
        print("look", file=other.stdin, flush=True)
        assert other.stdout.readline().strip() == "opened"  # from its cache: there is no keyring now
        with tenancy.tenant(organization):
            keys.shred(bat)
        print("look", file=other.stdin, flush=True)
        assert other.stdout.readline().strip() == "shredded"
        other.stdin.close()


# Races


def test_a_shredding_waits_for_whoever_is_sealing_and_wins_afterwards(
    organization: uuid.UUID, bat: uuid.UUID, thief: psycopg.Connection
) -> None:
    sealing, shredded = threading.Event(), threading.Event()
    order: list[str] = []

    def shred() -> None:
        sealing.wait()
        with tenancy.tenant(organization):
            keys.shred(bat)
        order.append("shredded")
        shredded.set()

    with elsewhere(shred):
        with tenancy.tenant(organization):
            keys.for_sealing(bat)
            sealing.set()
            waits(thief)
            note = Note.objects.create(end_user_id=bat, body="sealed in time")
            assert not shredded.is_set()
            order.append("sealed")
        shredded.wait()
    assert order == ["sealed", "shredded"]
    with tenancy.tenant(organization):
        with pytest.raises(keys.KeyShredded):
            assert Note.objects.get(pk=note.pk).body
        with pytest.raises(keys.KeyShredded):
            keys.for_sealing(bat)


def test_whoever_seals_during_a_shredding_waits_and_finds_no_key(
    organization: uuid.UUID, bat: uuid.UUID, thief: psycopg.Connection
) -> None:
    shredding = threading.Event()
    outcome: list[str] = []

    def seal() -> None:
        shredding.wait()
        try:
            with tenancy.tenant(organization):
                Note.objects.create(end_user_id=bat, body="too late")
        except keys.KeyShredded:
            outcome.append("refused")

    with elsewhere(seal), tenancy.tenant(organization):
        keys.shred(bat)
        shredding.set()
        waits(thief)
    assert outcome == ["refused"]
    with tenancy.tenant(organization):
        assert Note.objects.count() == 0


def test_two_who_erase_different_people_of_one_organization_do_not_wait(
    organization: uuid.UUID, bat: uuid.UUID
) -> None:
    saraa, done = with_key(organization), threading.Event()

    def shred() -> None:
        with tenancy.tenant(organization):
            keys.shred(saraa)
        done.set()

    with tenancy.tenant(organization):
        keys.shred(bat)
        with elsewhere(shred):
            done.wait(timeout=30)
        assert done.is_set()
    assert len(list(ledger.entries())) == 2


def test_a_lock_taken_inside_a_savepoint_is_taken_again_after_it_was_rolled_back(
    organization: uuid.UUID, bat: uuid.UUID
) -> None:
    with tenancy.tenant(organization):
        try:
            with transaction.atomic():
                keys.for_sealing(bat)
                raise IntegrityError
        except IntegrityError:
            with CaptureQueriesContext(connection) as queries:
                keys.for_sealing(bat)
            assert [" FOR KEY SHARE" in query["sql"] for query in queries] == [True]
        with transaction.atomic(), CaptureQueriesContext(connection) as queries:
            keys.for_sealing(bat)
        assert not [query for query in queries if "iva_crypto" in query["sql"]]


def test_many_who_seal_for_overlapping_people_never_deadlock(organization: uuid.UUID) -> None:
    people = [tenancy.new_id() for _ in range(20)]
    with tenancy.tenant(organization):
        keys.create_many(people)

    def seal(order: list[uuid.UUID]) -> None:
        for _ in range(15):
            with tenancy.tenant(organization):
                ring.current().hold(order)

    def shred() -> None:
        for person in people[:5]:
            try:
                with tenancy.tenant(organization):
                    keys.shred(person)
            except DatabaseError as error:
                raise AssertionError from error

    with elsewhere(lambda: seal(people[5:])), elsewhere(lambda: seal(people[:4:-1])), elsewhere(shred):
        seal(people[7:] + people[5:7])


# The key service


def test_one_call_to_the_key_service_for_an_organization_and_cache_lifetime(
    organization: uuid.UUID, counted: CountingService
) -> None:
    people = [with_key(organization) for _ in range(10)]
    notes = [written(organization, person) for person in people]
    cache.forget_all()
    counted.calls.clear()
    for _ in range(3):
        for note in notes:
            with tenancy.tenant(organization):
                assert Note.objects.get(pk=note).body == "x"
                blind_index.token("end_user.phone", "+97699112233")
        with_key(organization)
    assert counted.calls == {"unwrap": 1}


def test_three_thousand_cold_reads_at_once_are_one_call(
    organization: uuid.UUID, bat: uuid.UUID, counted: CountingService, thief: psycopg.Connection
) -> None:
    """3,000 readers with the rows already in their hands, all cold: as if every worker had just started."""
    with tenancy.tenant(organization):
        known = ring.current()._admit(ring.unwrapping.OPENING, [keys.for_sealing(bat).key_id])
        above = ring.current().organization_keys
        above._read()
    cache.forget_all()
    counted.calls.clear()
    gate, opened = threading.Event(), []
    counted.before = lambda name: threading.Event().wait(0.2) and None

    def read() -> None:
        gate.wait()
        opened.append(above.data_cipher(known[0]))

    earlier = threading.stack_size(128 * 1024)
    try:
        threads = [threading.Thread(target=read) for _ in range(3_000)]
        for thread in threads:
            thread.start()
    finally:
        threading.stack_size(earlier)
    gate.set()
    for thread in threads:
        thread.join()
    assert counted.calls == {"unwrap": 1}
    assert len(opened) == 3_000
    assert len(set(map(id, opened))) == 1


def test_without_the_key_service_what_is_at_hand_opens_until_its_time_is_up(
    organization: uuid.UUID, bat: uuid.UUID, counted: CountingService, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = written(organization, bat)
    cold = founded()
    stranger = with_key(cold)
    cache.forget_all()
    with tenancy.tenant(organization):
        assert Note.objects.get(pk=note).body == "x"
    counted.fail()
    with tenancy.tenant(organization):
        assert Note.objects.get(pk=note).body == "x"
        Note.objects.create(end_user_id=bat, body="still")
        keys.create(tenancy.new_id())
    with tenancy.tenant(cold), pytest.raises(KeyServiceUnavailable):
        keys.for_sealing(stranger)
    later = cache.data_keys._clock() + 301
    for known in (cache.data_keys, cache.organization_keys, cache.index_roots):
        monkeypatch.setattr(known, "_clock", lambda: later)
    with tenancy.tenant(organization), pytest.raises(KeyServiceUnavailable):
        assert Note.objects.get(pk=note).body


def test_an_organization_is_founded_whole_or_not_at_all(
    db: None, counted: CountingService, thief: psycopg.Connection
) -> None:
    counted.fail()
    with pytest.raises(KeyServiceUnavailable), tenancy.tenant(tenancy.new_id()):
        keys.found()
    assert rows_of(thief, "iva_crypto_organizationkey") == rows_of(thief, "iva_crypto_datakey") == []


def test_no_key_lies_in_the_database_in_clear(
    organization: uuid.UUID, bat: uuid.UUID, thief: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[bytes] = []

    def drawing(length: int) -> bytes:
        drawn.append(os.getrandom(length))
        return drawn[-1]

    monkeypatch.setattr(keys.wrapping, "new_key", lambda: drawing(32))
    organization_id = founded()
    with_key(organization_id)
    stored = b"".join(
        bytes(row[0])
        for table in ("datakey", "organizationkey")
        for row in thief.execute(f"SELECT wrapped FROM iva_crypto_{table}")
    )
    assert len(drawn) == 4
    assert not [key for key in drawn if key in stored]
