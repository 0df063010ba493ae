"""Rolling the epoch: what was erased is beyond every backup, what was not is never lost, whatever breaks."""

import os
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection, connections

from iva import tenancy
from iva.audit.actors import Actor, ActorKind
from iva.audit.models import AuditEvent
from iva.crypto import blind_index, cache, epoch_lock, epochs, keys, kms, ledger, rewrapping, wrapping
from iva.crypto.kms import EpochDestroyed
from iva.crypto.kms.local import LocalKeyring
from iva.crypto.models import DataKey, OrganizationKey, ShreddedKey
from iva.crypto.unwrapping import KeyRotated, KeyRow, OrganizationKeys
from tests.crypto.conftest import founded, with_key
from tests.crypto.counting import CountingService
from tests.crypto.notes import Note
from tests.crypto.test_keys import elsewhere, restore, rows_of, waits, written

KEY_TABLES = ("iva_crypto_organizationkey", "iva_crypto_datakey")


def read(organization: uuid.UUID, note: uuid.UUID) -> str:
    with tenancy.tenant(organization):
        return Note.objects.get(pk=note).body


def generations(organization: uuid.UUID) -> list[tuple[int, int]]:
    with tenancy.tenant(organization):
        return sorted(OrganizationKey.objects.values_list("generation", "epoch"))


def shred(organization: uuid.UUID, person: uuid.UUID) -> None:
    with tenancy.tenant(organization):
        keys.shred(person)


def forget_the_ledger(settings: Any, tmp_path: Path) -> None:
    """Only the keys themselves may stand between a thief and the erased."""
    settings.IVA_ERASURE_LEDGER_PATH = str(tmp_path / "an empty ledger")
    cache.forget_all()


def test_without_an_erasure_the_same_key_moves_to_the_new_epoch(
    organization: uuid.UUID, bat: uuid.UUID
) -> None:
    note = written(organization, bat)
    report = epochs.roll(lambda: [organization])
    assert generations(organization) == [(1, report.epoch)]
    assert (report.epoch, report.destroyed, report.rotated, report.data_keys) == (2, [1], {}, 0)
    assert kms.service().epochs() == [2]
    cache.forget_all()
    assert read(organization, note) == "x"


def test_after_an_erasure_a_new_key_takes_over_the_survivors(
    organization: uuid.UUID, another: uuid.UUID, bat: uuid.UUID
) -> None:
    saraa = with_key(organization)
    note, theirs = written(organization, saraa), written(another, with_key(another))
    with tenancy.tenant(organization):
        token = blind_index.token("end_user.phone", "+97699112233")
    shred(organization, bat)
    report = epochs.roll(lambda: [organization, another])
    assert generations(organization) == [(2, 2)]
    assert generations(another) == [(1, 2)]
    assert ([*report.rotated], report.data_keys, report.organizations) == ([organization], 3, 2)
    cache.forget_all()
    assert read(organization, note) == read(another, theirs) == "x"
    with tenancy.tenant(organization):
        assert blind_index.token("end_user.phone", "+97699112233") == token
        assert set(DataKey.objects.values_list("organization_key__generation", flat=True)) == {2}
    epochs.roll(lambda: [organization, another])
    assert generations(organization) == [(2, 3)]


def test_the_moment_of_no_return_is_written_down(organization: uuid.UUID, bat: uuid.UUID) -> None:
    saraa = with_key(organization)
    shred(organization, bat)
    report = epochs.roll(lambda: [organization], actor=Actor(ActorKind.OPERATOR, 7))
    shred(organization, saraa)
    with tenancy.tenant(organization):
        (first,), (second,) = keys.shreddings(bat), keys.shreddings(saraa)
        assert first.shredded_at < first.unrecoverable_at == report.unrecoverable_at
        assert second.unrecoverable_at is None
        said = list(AuditEvent.objects.order_by("sequence").values_list("event", "actor"))
    assert ("organization_key.rotated", "operator:7") in said
    assert ("epoch.rolled", "operator:7") in said
    assert report.began_at <= report.unrecoverable_at <= report.ended_at


def test_a_key_service_that_takes_a_week_is_not_believed_earlier(
    organization: uuid.UUID, bat: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    next_week = datetime.now(UTC) + timedelta(days=7)
    destroy = LocalKeyring.destroy_epoch
    monkeypatch.setattr(LocalKeyring, "destroy_epoch", lambda *known: destroy(*known) and next_week)
    shred(organization, bat)
    epochs.roll(lambda: [organization])
    with tenancy.tenant(organization):
        assert keys.shreddings(bat)[0].unrecoverable_at == next_week


# The backup of yesterday


@pytest.fixture
def erased(organization: uuid.UUID, bat: uuid.UUID, thief: psycopg.Connection) -> dict[str, Any]:
    """Bat's note, a backup of all key tables, and then Bat's erasure."""
    note = written(organization, bat, "what Bat wrote")
    backup = {table: rows_of(thief, table) for table in KEY_TABLES}
    shred(organization, bat)
    thief.execute("DELETE FROM iva_crypto_shreddedkey WHERE organization_key_id IS NULL")
    return {"note": note, "backup": backup}


def bring_back(thief: psycopg.Connection, backup: dict[str, Any], *, only_data_keys: bool = False) -> None:
    thief.execute("SET session_replication_role = replica")
    if not only_data_keys:
        for table in reversed(KEY_TABLES):
            thief.execute(f"DELETE FROM {table}")
        restore(thief, KEY_TABLES[0], backup[KEY_TABLES[0]])
    thief.execute("DELETE FROM iva_crypto_shreddedkey")
    restore(thief, KEY_TABLES[1], backup[KEY_TABLES[1]])
    thief.execute("SET session_replication_role = origin")


def test_before_the_roll_an_old_backup_still_opens(
    organization: uuid.UUID, erased: dict[str, Any], thief: psycopg.Connection, settings: Any, tmp_path: Path
) -> None:
    """Why shredding alone is not enough, and what the ledger is for until the roll."""
    bring_back(thief, erased["backup"])
    cache.forget_all()
    with pytest.raises(keys.KeyShredded):
        read(organization, erased["note"])
    forget_the_ledger(settings, tmp_path)
    assert read(organization, erased["note"]) == "what Bat wrote"


@pytest.mark.parametrize("only_data_keys", [True, False])
def test_after_the_roll_no_old_backup_opens_what_was_erased(
    organization: uuid.UUID,
    erased: dict[str, Any],
    thief: psycopg.Connection,
    settings: Any,
    tmp_path: Path,
    only_data_keys: bool,
) -> None:
    epochs.roll(lambda: [organization])
    bring_back(thief, erased["backup"], only_data_keys=only_data_keys)
    forget_the_ledger(settings, tmp_path)
    with pytest.raises((EpochDestroyed, KeyRotated)):
        read(organization, erased["note"])


def test_a_new_epoch_alone_would_not_be_enough(
    organization: uuid.UUID, erased: dict[str, Any], thief: psycopg.Connection, settings: Any, tmp_path: Path
) -> None:
    """Half a roll: the organization key stays the same. The erased key comes back with an old backup."""
    thief.execute("DELETE FROM iva_crypto_shreddedkey")
    forget_the_ledger(settings, tmp_path)
    epochs.roll(lambda: [organization])
    assert generations(organization) == [(1, 2)]
    bring_back(thief, erased["backup"], only_data_keys=True)
    assert read(organization, erased["note"]) == "what Bat wrote"


def test_a_new_organization_key_alone_would_not_be_enough(
    organization: uuid.UUID,
    erased: dict[str, Any],
    thief: psycopg.Connection,
    settings: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The other half: the old epoch survives, and with it the old organization key of a backup."""
    monkeypatch.setattr(LocalKeyring, "destroy_epoch", lambda self, epoch: datetime.now(UTC))
    epochs.roll(lambda: [organization])
    assert generations(organization) == [(2, 2)]
    bring_back(thief, erased["backup"])
    forget_the_ledger(settings, tmp_path)
    assert read(organization, erased["note"]) == "what Bat wrote"


def test_what_is_shredded_during_a_roll_waits_for_the_next(
    organization: uuid.UUID, bat: uuid.UUID, settings: Any, tmp_path: Path, thief: psycopg.Connection
) -> None:
    note, visits = written(organization, bat), []

    def visit() -> Iterator[uuid.UUID]:
        if len(visits) == 1:  # the second look: the organization has moved already
            backup.update({table: rows_of(thief, table) for table in KEY_TABLES})
            shred(organization, bat)
        visits.append(1)
        yield organization

    backup: dict[str, Any] = {}
    epochs.roll(visit)
    with tenancy.tenant(organization):
        assert keys.shreddings(bat)[0].unrecoverable_at is None
    epochs.roll(lambda: [organization])
    with tenancy.tenant(organization):
        assert keys.shreddings(bat)[0].unrecoverable_at is not None
    bring_back(thief, backup)
    forget_the_ledger(settings, tmp_path)
    with pytest.raises(EpochDestroyed):
        read(organization, note)


# Whatever breaks


class Boom(Exception):
    """The power goes out."""


class Steps:
    """Counts the steps of a roll, before and after each, and fails at the one it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, counted: CountingService) -> None:
        self.fail_at, self.taken = 0, 0
        counted.before = lambda name: self.step()
        for module, name in (
            (rewrapping, "_move_batch"),
            (rewrapping, "_let_go"),
            (rewrapping, "_begin_generation"),
            (rewrapping, "_rewrap"),
            (rewrapping, "move_to"),
            (epochs, "_destroy_older"),
            (epochs, "_conclude"),
        ):
            monkeypatch.setattr(module, name, self.around(getattr(module, name)))
        destroy = LocalKeyring.destroy_epoch
        monkeypatch.setattr(LocalKeyring, "destroy_epoch", self.around(destroy))

    def step(self) -> None:
        self.taken += 1
        if self.taken == self.fail_at:
            raise Boom(f"step {self.taken}")

    def around(self, act: Callable[..., Any]) -> Callable[..., Any]:
        def stepping(*arguments: Any, **named: Any) -> Any:
            self.step()
            result = act(*arguments, **named)
            self.step()
            return result

        return stepping


@pytest.mark.slow
def test_a_roll_that_dies_at_any_step_loses_nothing_and_is_completed_by_the_next(
    db: None, tables: None, registered: None, counted: CountingService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rewrapping, "BATCH", 2)
    acme, globex = founded(), founded()
    steps, at, done = Steps(monkeypatch, counted), 0, False
    notes = [(acme, written(acme, with_key(acme))) for _ in range(3)] + [
        (globex, written(globex, with_key(globex)))
    ]
    while not done:
        at += 1
        erased = with_key(acme)
        note = written(acme, erased)
        shred(acme, erased)
        steps.taken, steps.fail_at = 0, at
        try:
            epochs.roll(lambda: [acme, globex])
            done, steps.fail_at = True, 0
        except Boom:
            steps.fail_at = 0
            cache.forget_all()
            assert [read(*place) for place in notes] == ["x"] * 4
            newcomer = with_key(acme)
            added = written(acme, newcomer)
            epochs.roll(lambda: [acme, globex])
            assert read(acme, added) == "x"
            shred(acme, newcomer)
            epochs.roll(lambda: [acme, globex])
        cache.forget_all()
        assert [read(*place) for place in notes] == ["x"] * 4
        assert len(kms.service().epochs()) == 1
        for organization in (acme, globex):
            (only,) = generations(organization)
            assert only[1] == kms.service().epochs()[0]
        with tenancy.tenant(acme):
            assert ShreddedKey.objects.filter(unrecoverable_at=None).count() == 0
        with pytest.raises(keys.KeyShredded):
            read(acme, note)
    assert at > 30


@pytest.mark.slow
def test_a_roll_killed_at_any_moment_loses_nothing(
    organization: uuid.UUID, bat: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kill -9, again and again, a little later each time."""
    monkeypatch.setattr(rewrapping, "BATCH", 3)
    note = written(organization, bat)
    for number in range(30):
        shred(organization, with_key(organization))
        connections.close_all()
        child = os.fork()
        if child == 0:
            epochs.roll(lambda: [organization])
            os._exit(0)
        time.sleep(number * 0.002)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        cache.forget_all()
        assert read(organization, note) == "x"
        written(organization, with_key(organization))
    while True:
        try:
            report = epochs.roll(lambda: [organization])
            break
        except epochs.RollInProgress:
            continue  # PostgreSQL has not yet noticed that the last victim is dead
    assert kms.service().epochs() == [report.epoch]
    assert len(generations(organization)) == 1
    cache.forget_all()
    assert read(organization, note) == "x"


@pytest.mark.slow
def test_readers_and_writers_go_on_during_rolls(
    organization: uuid.UUID, bat: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rewrapping, "BATCH", 5)
    note, over = written(organization, bat), threading.Event()
    kept: list[uuid.UUID] = []

    def go_on(act: Callable[[], None]) -> Callable[[], None]:
        def again_and_again() -> None:
            while not over.is_set():
                cache.forget_all()
                act()

        return again_and_again

    def write() -> None:
        person = with_key(organization)
        kept.append(written(organization, person))

    def read_all() -> None:
        assert read(organization, note) == "x"
        with tenancy.tenant(organization):
            blind_index.token("end_user.phone", "+97699112233")

    def erase() -> None:
        shred(organization, with_key(organization))

    with elsewhere(go_on(write)), elsewhere(go_on(read_all)), elsewhere(go_on(erase)):
        try:
            for _ in range(8):
                epochs.roll(lambda: [organization])
        finally:
            over.set()
    cache.forget_all()
    assert kept
    assert {read(organization, place) for place in kept} == {"x"}
    assert len(generations(organization)) == 1


def test_an_altered_data_key_stops_the_roll_before_anything_is_destroyed(
    organization: uuid.UUID, bat: uuid.UUID, thief: psycopg.Connection
) -> None:
    """Rolling on would take away the chance to bring the key back from a backup."""
    saraa = with_key(organization)
    note, spared = written(organization, bat), rows_of(thief, "iva_crypto_datakey")
    shred(organization, saraa)
    with tenancy.tenant(organization):
        key_id = keys.for_sealing(bat).key_id
    thief.execute("UPDATE iva_crypto_datakey SET wrapped = 'altered' WHERE id = %s", [key_id])
    for _ in range(2):
        with pytest.raises(wrapping.WrapBroken, match=str(key_id)):
            epochs.roll(lambda: [organization])
    assert 1 in kms.service().epochs()
    thief.execute("DELETE FROM iva_crypto_datakey WHERE id = %s", [key_id])
    restore(thief, "iva_crypto_datakey", [row for row in spared if key_id in row])
    report = epochs.roll(lambda: [organization])
    cache.forget_all()
    assert read(organization, note) == "x"
    assert kms.service().epochs() == [report.epoch]


def test_a_reader_overtaken_by_a_rotation_reads_again(
    organization: uuid.UUID, bat: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the wrapped data key in its hands when the organization key above is replaced."""
    note, overtaken = written(organization, bat), threading.Event()
    shred(organization, with_key(organization))
    cache.forget_all()
    data_cipher = OrganizationKeys.data_cipher

    def after_a_roll(self: OrganizationKeys, row: KeyRow) -> object:
        if not overtaken.is_set():
            overtaken.set()
            with elsewhere(lambda: epochs.roll(lambda: [organization])):
                pass
        return data_cipher(self, row)

    monkeypatch.setattr(OrganizationKeys, "data_cipher", after_a_roll)
    assert read(organization, note) == "x"
    assert generations(organization) == [(2, 2)]


def test_a_reader_overtaken_by_the_destruction_of_an_epoch_reads_again(
    organization: uuid.UUID, bat: uuid.UUID, counted: CountingService
) -> None:
    """It has the wrapped organization key in its hands when the epoch above is destroyed."""
    note, overtaken = written(organization, bat), threading.Event()
    cache.forget_all()

    def roll_first(name: str) -> None:
        if name == "unwrap" and not overtaken.is_set():
            overtaken.set()
            with elsewhere(lambda: epochs.roll(lambda: [organization])):
                pass

    counted.before = roll_first
    assert read(organization, note) == "x"
    assert generations(organization) == [(1, 2)]


def test_a_key_being_created_is_never_left_under_a_vanished_organization_key(
    organization: uuid.UUID, bat: uuid.UUID, monkeypatch: pytest.MonkeyPatch, thief: psycopg.Connection
) -> None:
    """The creator has chosen the organization key; the roll has to wait before it lets that key go."""
    shred(organization, bat)
    saraa, chosen, go_on = tenancy.new_id(), threading.Event(), threading.Event()
    wrap = wrapping.wrap

    def pausing(under: Any, name: wrapping.KeyName, key: bytes) -> bytes:
        if name.subject_id == saraa and not chosen.is_set():
            chosen.set()
            go_on.wait()
        return wrap(under, name, key)

    def create() -> None:
        with tenancy.tenant(organization):
            keys.create(saraa)

    def let_go() -> None:
        try:
            waits(thief)
        finally:
            go_on.set()

    monkeypatch.setattr(wrapping, "wrap", pausing)
    with elsewhere(create):
        chosen.wait()
        with elsewhere(let_go):
            epochs.roll(lambda: [organization])
    assert generations(organization) == [(2, 2)]
    assert read(organization, written(organization, saraa)) == "x"


# Who is founded meanwhile


def test_an_organization_founded_under_the_old_epoch_is_not_left_behind(
    organization: uuid.UUID, counted: CountingService, thief: psycopg.Connection
) -> None:
    """The founder has read the old epoch, and commits only after the roll has begun."""
    late, about_to_wrap, go_on = tenancy.new_id(), threading.Event(), threading.Event()
    founder = threading.Event()

    def pause(name: str) -> None:
        if name == "wrap" and not founder.is_set():
            founder.set()
            about_to_wrap.set()
            go_on.wait()

    counted.before = pause

    def found_late() -> None:
        with tenancy.tenant(late):
            keys.found()

    def let_go() -> None:
        try:
            waits(thief)
        finally:
            go_on.set()

    with elsewhere(found_late):
        about_to_wrap.wait()
        with elsewhere(let_go):
            report = epochs.roll(lambda: [organization, late])
    assert generations(late) == generations(organization) == [(1, report.epoch)]
    assert kms.service().epochs() == [report.epoch]


def test_nobody_is_founded_between_the_last_look_and_the_destruction(
    organization: uuid.UUID, monkeypatch: pytest.MonkeyPatch, thief: psycopg.Connection
) -> None:
    late, destroy = tenancy.new_id(), epochs._destroy_older

    def found_late() -> None:
        with tenancy.tenant(late):
            keys.found()

    founders = []

    def destroy_while_somebody_is_founded(report: epochs.RollReport) -> None:
        founding = elsewhere(found_late)
        founding.__enter__()
        founders.append(founding)
        waits(thief)
        destroy(report)

    monkeypatch.setattr(epochs, "_destroy_older", destroy_while_somebody_is_founded)
    report = epochs.roll(lambda: [organization])
    founders[0].__exit__(None, None, None)
    assert generations(late) == [(1, report.epoch)]


def test_an_organization_without_keys_is_passed_over(organization: uuid.UUID) -> None:
    report = epochs.roll(lambda: [organization, tenancy.new_id()])
    assert report.organizations == 1


def test_two_rolls_at_once_are_one(organization: uuid.UUID, thief: psycopg.Connection) -> None:
    thief.execute("SELECT pg_advisory_lock(%s)", [epoch_lock.ROLLING])
    with pytest.raises(epochs.RollInProgress):
        epochs.roll(lambda: [organization])
    assert kms.service().epochs() == [1]
    thief.execute("SELECT pg_advisory_unlock(%s)", [epoch_lock.ROLLING])
    assert epochs.roll(lambda: [organization]).epoch == 2


def test_a_roll_leaves_no_lock_behind(organization: uuid.UUID, thief: psycopg.Connection) -> None:
    epochs.roll(lambda: [organization])
    with pytest.raises(ZeroDivisionError):
        epochs.roll(lambda: [1 / 0])  # type: ignore[list-item]
    mine = connection.connection.info.backend_pid
    held = thief.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid = %s", [mine]).fetchall()
    assert held == []


def test_an_unbroken_ledger_is_all_a_roll_leaves_in_it(organization: uuid.UUID, bat: uuid.UUID) -> None:
    shred(organization, bat)
    epochs.roll(lambda: [organization])
    assert [entry.subject for entry in ledger.entries()] == [bat]
