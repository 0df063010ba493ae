"""The erasure ledger: which keys were destroyed, kept outside the database (DESIGN 6).

A restored dump brings deleted key rows back; the ledger says that they are dead. It is an append-only file
of JSON lines under IVA_ERASURE_LEDGER_PATH, ids only, each line chained to the one before it:

    digest = SHA-256(previous digest, 32 bytes | the line's other members as canonical JSON)

`<file>.head` holds the number and digest of the last line, so that lines cut from the end are missed too.
A line that names no subject is a mark, written when an epoch roll has finished: what the organization's lines
up to number `through` destroyed, no backup opens any more `since` then. Whether another roll has to give an
organization a new key is read from here and not from the database alone, which a restore or a thief may have
altered.

Both belong on other storage than the database and its backups, shared by every machine that serves.
A line is on disk before the transaction that deletes the key commits: a crash can leave a line whose rows
still exist, never the reverse. `keys.complete_shreddings()` finishes such an erasure.
"""

import fcntl
import hashlib
import json
import os
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from django.conf import settings

GENESIS = hashlib.sha256(b"iva/erasure-ledger/v1").digest()


class LedgerBroken(RuntimeError):
    """The ledger was edited, cut or replaced by another; keys stay closed until somebody has looked."""


class Shredding(NamedTuple):
    """One line: the keys of a subject that were destroyed."""

    number: int
    organization: uuid.UUID
    subject: uuid.UUID
    keys: list[int]
    at: datetime


class Mark(NamedTuple):
    """What an organization's lines up to this number destroyed is final since then."""

    through: int
    since: datetime


Finals = dict[uuid.UUID, tuple[datetime, list[int]]]
"""Of one organization: the subjects nobody can open any more, since when, and their key ids."""


class Head(NamedTuple):
    """The end of the chain: how many lines there are, and the digest of the last."""

    number: int = 0
    digest: bytes = GENESIS


class Ledger:
    """One ledger file as far as this process has read it; it reads on when the file has changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.head_path = path.with_name(path.name + ".head")
        self._lock = threading.Lock()
        self._signature: tuple[int, int, int] | None = None
        self._offset, self._head = 0, Head()
        self._once = self._anchored()  # a head the file once had, and therefore always has to contain
        self._shredded: dict[uuid.UUID, set[int]] = {}
        self._last: dict[uuid.UUID, int] = {}
        self._through: dict[uuid.UUID, int] = {}

    def shredded(self, organization_id: uuid.UUID) -> Set[int]:
        """The ids of the organization's destroyed keys, for one `stat` when nothing has changed.

        Raises LedgerBroken.
        """
        with self._lock:
            signature = self._stat()
            if signature is None or signature != self._signature:
                self._read_on(signature)
            return self._shredded.get(organization_id, frozenset())

    def last(self, organization_id: uuid.UUID) -> int:
        """The number of the organization's newest shredding, 0 when there is none. Raises LedgerBroken."""
        self.shredded(organization_id)
        return self._last.get(organization_id, 0)

    def awaits_roll(self, organization_id: uuid.UUID) -> bool:
        """Whether something was destroyed that an older backup could still open. Raises LedgerBroken."""
        return self.last(organization_id) > self._through.get(organization_id, 0)

    def append(self, organization_id: uuid.UUID, subject_id: uuid.UUID, key_ids: Sequence[int]) -> None:
        """Write a line; it is on disk when this returns. Raises LedgerBroken and OSError."""
        keys = [str(key_id) for key_id in key_ids]
        self._write({"organization": str(organization_id), "subject": str(subject_id), "keys": keys})

    def mark(self, organization_id: uuid.UUID, mark: Mark) -> None:
        """Write that a roll is finished; on disk when this returns. Raises LedgerBroken and OSError."""
        since = mark.since.isoformat()
        self._write({"organization": str(organization_id), "through": mark.through, "since": since})

    def _write(self, content: dict[str, Any]) -> None:
        with self._lock, self._exclusively() as file:
            self._read_on(self._stat())
            file.truncate(self._offset)  # the torn line of a process that died while writing it
            file.seek(self._offset)
            file.write(_line(self._head, content))
            file.flush()
            os.fsync(file.fileno())
            self._read_on(self._stat())
            _replace_durably(self.head_path, _head_as_json(self._head))

    def entries(self) -> Iterator[Shredding]:
        """Every shredding, oldest first, the chain checked. Raises LedgerBroken."""
        for members in self._lines():
            if "subject" in members:
                yield _shredding(members)

    def finals(self) -> dict[uuid.UUID, Finals]:
        """What nobody can open any more, with whatever backup, by organization; read in one pass.

        Raises LedgerBroken.
        """
        shredded: dict[uuid.UUID, dict[uuid.UUID, list[Shredding]]] = {}
        marks: dict[uuid.UUID, list[Mark]] = {}
        for members in self._lines():
            if "subject" in members:
                line = _shredding(members)
                shredded.setdefault(line.organization, {}).setdefault(line.subject, []).append(line)
            else:
                mark = Mark(members["through"], datetime.fromisoformat(members["since"]))
                marks.setdefault(uuid.UUID(members["organization"]), []).append(mark)
        return {
            organization_id: _finals(subjects, marks.get(organization_id, []))
            for organization_id, subjects in shredded.items()
        }

    def _lines(self) -> Iterator[dict[str, Any]]:
        self.shredded(uuid.UUID(int=0))
        if self.path.exists():
            with self.path.open("rb") as file:
                for _, members in _chained(file, Head()):
                    yield members

    def _read_on(self, signature: tuple[int, int, int] | None) -> None:
        """Read the lines this process has not seen; all of them when the file is another one."""
        if signature is None or self._is_another(signature):
            self._offset, self._head = 0, Head()
        if signature is not None:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                self._take(file)
        if self._head.number < self._once.number:
            raise LedgerBroken(f"{self.path} was cut: line {self._once.number} is missing")
        self._once, self._signature = self._head, signature

    def _take(self, file: BinaryIO) -> None:
        for head, members in _chained(file, self._head):
            if head.number == self._once.number and head.digest != self._once.digest:
                raise LedgerBroken(f"{self.path} was rewritten before line {head.number + 1}")
            self._head, self._offset = head, file.tell()
            self._remember(uuid.UUID(members["organization"]), members)

    def _remember(self, organization_id: uuid.UUID, members: dict[str, Any]) -> None:
        if "subject" in members:
            self._shredded.setdefault(organization_id, set()).update(map(int, members["keys"]))
            self._last[organization_id] = members["number"]
        else:
            self._through[organization_id] = members["through"]

    def _is_another(self, signature: tuple[int, int, int]) -> bool:
        return self._signature is None or signature[0] != self._signature[0] or signature[1] < self._offset

    def _stat(self) -> tuple[int, int, int] | None:
        try:
            found = os.stat(self.path)  # noqa: PTH116  twice as fast, and on the path of every read
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns

    def _anchored(self) -> Head:
        """The head file's word. It is written after its line, so it may lag, never lead."""
        try:
            found = json.loads(self.head_path.read_bytes())
            return Head(int(found["number"]), bytes.fromhex(found["digest"]))
        except FileNotFoundError:
            return Head()
        except (ValueError, KeyError, TypeError):
            raise LedgerBroken(f"{self.head_path} is not the head of a ledger") from None

    @contextmanager
    def _exclusively(self) -> Iterator[BinaryIO]:
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield file


def append(organization_id: uuid.UUID, subject_id: uuid.UUID, key_ids: Sequence[int]) -> None:
    """Write down that keys are destroyed; on disk when this returns. Raises LedgerBroken and OSError."""
    current().append(organization_id, subject_id, key_ids)


def entries() -> Iterator[Shredding]:
    """Every shredding ever, oldest first. Raises LedgerBroken."""
    return current().entries()


def is_shredded(organization_id: uuid.UUID, key_id: int) -> bool:
    """Whether the organization's key was destroyed, whatever the database says. Raises LedgerBroken."""
    return key_id in current().shredded(organization_id)


def current() -> Ledger:
    """The ledger under IVA_ERASURE_LEDGER_PATH."""
    return _at(settings.IVA_ERASURE_LEDGER_PATH)


@lru_cache(maxsize=4)
def _at(path: str) -> Ledger:
    return Ledger(Path(path))


os.register_at_fork(after_in_child=_at.cache_clear)


def _line(head: Head, content: dict[str, Any]) -> bytes:
    members = {"number": head.number + 1, **content, "at": datetime.now(UTC).isoformat()}
    return _canonical({**members, "digest": _digest(head.digest, members).hex()}) + b"\n"


def _chained(file: BinaryIO, head: Head) -> Iterator[tuple[Head, dict[str, Any]]]:
    """Each whole line after `head`, as the head it makes and its members. Raises LedgerBroken."""
    for line in iter(file.readline, b""):
        if not line.endswith(b"\n"):
            return
        members = _members(line)
        found, digest = members.pop("digest", None), _digest(head.digest, members)
        if members.get("number") != head.number + 1 or found != digest.hex():
            raise LedgerBroken(f"line {head.number + 1} was altered")
        head = Head(head.number + 1, digest)
        yield head, members


def _members(line: bytes) -> dict[str, Any]:
    try:
        members = json.loads(line)
    except ValueError:
        raise LedgerBroken("a line is not JSON") from None
    if not isinstance(members, dict):
        raise LedgerBroken("a line is not an object")
    return members


def _shredding(members: dict[str, Any]) -> Shredding:
    return Shredding(
        members["number"],
        uuid.UUID(members["organization"]),
        uuid.UUID(members["subject"]),
        [int(key_id) for key_id in members["keys"]],
        datetime.fromisoformat(members["at"]),
    )


def _finals(subjects: Mapping[uuid.UUID, Sequence[Shredding]], marks: Sequence[Mark]) -> Finals:
    return {
        subject: (mark.since, [key_id for line in lines for key_id in line.keys])
        for subject, lines in subjects.items()
        if (mark := next((mark for mark in marks if mark.through >= lines[-1].number), None))
    }


def _canonical(members: dict[str, Any]) -> bytes:
    return json.dumps(members, sort_keys=True, separators=(",", ":")).encode()


def _digest(previous: bytes, members: dict[str, Any]) -> bytes:
    return hashlib.sha256(previous + _canonical(members)).digest()


def _head_as_json(head: Head) -> bytes:
    return json.dumps({"number": head.number, "digest": head.digest.hex()}).encode()


def _replace_durably(path: Path, content: bytes) -> None:
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
