"""The erasure ledger: append-only, chained, and not to be cut without somebody noticing."""

import json
import os
import subprocess
import sys
import threading
import uuid
from pathlib import Path

import pytest

from iva.crypto import ledger
from iva.crypto.ledger import Ledger, LedgerBroken

ACME, BAT = uuid.UUID(int=1), uuid.UUID(int=2)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "erasures"


def written(file: Path, lines: int = 5) -> Ledger:
    mine = Ledger(file)
    for number in range(1, lines + 1):
        mine.append(ACME, uuid.UUID(int=number), [number, 100 + number])
    return mine


def test_a_ledger_that_was_never_written_lists_nothing(file: Path) -> None:
    assert Ledger(file).shredded(ACME) == set()
    assert list(Ledger(file).entries()) == []


def test_what_was_appended_is_listed_by_every_process(file: Path) -> None:
    reader = Ledger(file)
    assert reader.shredded(ACME) == set()
    writer = written(file, 2)
    assert reader.shredded(ACME) == writer.shredded(ACME) == Ledger(file).shredded(ACME) == {1, 2, 101, 102}
    first, second = reader.entries()
    assert (first.number, first.organization, first.subject, first.keys) == (
        1,
        ACME,
        uuid.UUID(int=1),
        [1, 101],
    )
    assert second.number == 2
    assert second.at >= first.at


def test_the_module_speaks_of_the_configured_ledger() -> None:
    ledger.append(ACME, BAT, [2**63 - 1])
    assert ledger.is_shredded(ACME, 2**63 - 1)
    assert not ledger.is_shredded(ACME, 1)
    assert not ledger.is_shredded(uuid.uuid4(), 2**63 - 1), "another organization's key of the same id lives"
    assert [entry.subject for entry in ledger.entries()] == [BAT]


def test_the_ledger_is_readable_by_its_owner_only(file: Path) -> None:
    written(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert Ledger(file).head_path.stat().st_mode & 0o777 == 0o600


def test_the_ledger_holds_ids_and_times_and_nothing_else(file: Path) -> None:
    written(file, 1)
    line = json.loads(file.read_text())
    assert set(line) == {"number", "organization", "subject", "keys", "at", "digest"}


@pytest.mark.parametrize("fresh", [True, False], ids=["after a restart", "while running"])
@pytest.mark.parametrize("cut_to", [0, 1, 4])
def test_lines_cut_from_the_end_are_missed(file: Path, cut_to: int, fresh: bool) -> None:
    running = written(file)
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:cut_to]))
    mine = Ledger(file) if fresh else running
    for _ in range(2):
        with pytest.raises(LedgerBroken):
            mine.shredded(ACME)
    with pytest.raises(LedgerBroken):
        mine.append(ACME, BAT, [9])


@pytest.mark.parametrize("fresh", [True, False], ids=["after a restart", "while running"])
def test_a_ledger_that_is_gone_is_missed(file: Path, fresh: bool) -> None:
    running = written(file)
    file.unlink()
    for _ in range(2):
        with pytest.raises(LedgerBroken):
            (Ledger(file) if fresh else running).shredded(ACME)


@pytest.mark.parametrize("number", range(5))
def test_an_edited_line_is_noticed(file: Path, number: int) -> None:
    written(file)
    lines = file.read_text().splitlines()
    lines[number] = lines[number].replace('"10', '"20')
    file.write_text("\n".join(lines) + "\n")
    with pytest.raises(LedgerBroken):
        Ledger(file).shredded(ACME)


@pytest.mark.parametrize("number", range(5))
def test_a_removed_line_is_noticed(file: Path, number: int) -> None:
    written(file)
    lines = file.read_text().splitlines(keepends=True)
    del lines[number]
    file.write_text("".join(lines))
    with pytest.raises(LedgerBroken):
        Ledger(file).shredded(ACME)


@pytest.mark.parametrize("fresh", [True, False], ids=["after a restart", "while running"])
def test_a_ledger_written_anew_without_a_line_is_noticed(file: Path, tmp_path: Path, fresh: bool) -> None:
    """Somebody who can compute the chain leaves one erasure out and adds another at the end."""
    running = written(file)
    running.shredded(ACME)
    forged = Ledger(tmp_path / "forged")
    for number in (1, 2, 4, 5, 6, 7):
        forged.append(ACME, uuid.UUID(int=number), [number])
    forged.path.replace(file)
    mine = Ledger(file) if fresh else running
    for _ in range(2):
        with pytest.raises(LedgerBroken, match="rewritten"):
            mine.shredded(ACME)


def test_something_that_is_no_ledger_is_refused(file: Path) -> None:
    for content in (b"hello\n", b"[]\n", b"{}\n", b'{"number":1,"digest":7}\n'):
        file.write_bytes(content)
        with pytest.raises(LedgerBroken):
            Ledger(file).shredded(ACME)


def test_a_head_that_is_no_head_is_refused(file: Path) -> None:
    mine = written(file)
    mine.head_path.write_text("{}")
    with pytest.raises(LedgerBroken):
        Ledger(file)


def test_a_torn_last_line_is_overlooked_and_replaced(file: Path) -> None:
    """A process died while writing: its transaction has not committed, so nothing was promised."""
    running = written(file, 2)
    with file.open("ab") as torn:
        torn.write(b'{"at":"2026-01-01","keys":["3"')
    assert Ledger(file).shredded(ACME) == running.shredded(ACME) == {1, 2, 101, 102}
    running.append(ACME, BAT, [7])
    assert Ledger(file).shredded(ACME) == {1, 2, 7, 101, 102}


def test_a_crash_between_line_and_head_loses_nothing(file: Path) -> None:
    mine = written(file, 2)
    head = mine.head_path.read_bytes()
    mine.append(ACME, BAT, [7])
    mine.head_path.write_bytes(head)
    again = Ledger(file)
    assert 7 in again.shredded(ACME)
    again.append(ACME, BAT, [8])
    assert {7, 8} <= Ledger(file).shredded(ACME)


def test_threads_and_processes_append_without_losing_a_line(file: Path) -> None:
    program = (
        "import sys, uuid; from pathlib import Path; from iva.crypto.ledger import Ledger\n"
        "for number in range(20):\n"
        "    ledger = Ledger(Path(sys.argv[1]))\n"
        f"    ledger.append(uuid.UUID('{ACME}'), uuid.uuid4(), [int(sys.argv[2]) + number])"
    )
    others = [
        subprocess.Popen([sys.executable, "-c", program, str(file), str(start)], env=os.environ)
        for start in (1_000, 2_000)
    ]
    shared = Ledger(file)
    threads = [
        threading.Thread(target=lambda s=start: [shared.append(ACME, BAT, [s + n]) for n in range(20)])
        for start in (3_000, 4_000)
    ]
    for thread in threads:
        thread.start()
    for waited_for in (*threads, *others):
        waited_for.join() if isinstance(waited_for, threading.Thread) else waited_for.wait()
    expected = {start + number for start in (1_000, 2_000, 3_000, 4_000) for number in range(20)}
    assert Ledger(file).shredded(ACME) == shared.shredded(ACME) == expected
    assert [entry.number for entry in shared.entries()] == list(range(1, 81))


def test_looking_again_costs_one_stat_and_no_reading(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = written(file)
    mine.shredded(ACME)
    monkeypatch.setattr(Ledger, "_read_on", lambda self, signature: pytest.fail("the file has not changed"))
    assert len(mine.shredded(ACME)) == 10
