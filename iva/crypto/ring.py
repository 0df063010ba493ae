"""The keys that one transaction has read: each row once, as many as are wanted with one query.

A ring lives in the transaction's memo and ends with it. Opening finds a key by the id in the envelope.
Sealing finds it by its subject and locks its row (FOR KEY SHARE): whoever shreds the key waits until what
is being sealed is committed, and whoever seals later finds no key.
"""

import os
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

from django.db import connection

from iva import tenancy
from iva.crypto import aead, ledger, unwrapping
from iva.crypto.kms import EpochDestroyed
from iva.crypto.unwrapping import KeyRotated, KeyRow
from iva.tenancy.context import SERVICE_OPERATE

TOMBSTONE = (
    "SELECT 1 FROM iva_crypto_shreddedkey WHERE organization_id = %s AND (id = %s OR subject_id = %s) LIMIT 1"
)
READS = 3


class KeyShredded(LookupError):
    """The key was destroyed: what it sealed is erased, for everybody and for good."""


class KeyUnknown(LookupError):
    """The active organization has no such key and never destroyed one."""


class PurposeNotDeclared(PermissionError):
    """The transaction was opened for a purpose that the model does not declare (P16)."""


class Column(Protocol):
    """What a ring has to know of an encrypted field: its 8 bytes of associated data, and who may open it."""

    @property
    def place(self) -> bytes: ...

    def allows(self, purpose: str) -> bool: ...


class Opener(NamedTuple):
    """Opens what one key sealed in one column. `subject` is the subject's id as an integer."""

    decrypt: Callable[[bytes, bytes, bytes], bytes]
    prefix: bytes
    subject: int


class Sealer(NamedTuple):
    """Seals for one subject, whose key row this transaction locked inside these savepoints."""

    key_id: int
    cipher: aead.Cipher
    header: bytes
    prefix: bytes
    savepoints: list[str]


class Ring:
    """The keys of one organization in one transaction."""

    def __init__(self, organization_id: uuid.UUID, purpose: str = SERVICE_OPERATE) -> None:
        self.organization_id, self.purpose = organization_id, purpose
        self._organization = organization_id.bytes
        self.organization_keys = unwrapping.OrganizationKeys(organization_id)
        self._ciphers: dict[int, tuple[aead.Cipher, uuid.UUID]] = {}
        self._openers: dict[bytes, dict[bytes, Opener]] = {}
        self._sealers: dict[int, Sealer] = {}
        self._within_savepoints = False
        self._dead_subjects: set[int] = set()

    def seal(self, plaintext: bytes, column: Column, subject: uuid.UUID, row: int) -> bytes:
        """One envelope. Raises KeyShredded and KeyUnknown."""
        sealer, nonce = self.sealer(subject), os.urandom(12)
        place = sealer.prefix + column.place + row.to_bytes(16, "big")
        return sealer.header + nonce + sealer.cipher.encrypt(nonce, plaintext, place)

    def opener(self, envelope: bytes, column: Column) -> Opener:
        """Opens this envelope. Raises SealBroken, KeyShredded, KeyUnknown and PurposeNotDeclared."""
        try:
            return self.table(column)[envelope[:12]]
        except KeyError:
            return self._new_opener(envelope[:12], aead.key_id_of(envelope), column)

    def table(self, column: Column) -> dict[bytes, Opener]:
        """The openers at hand for a column, by header (12 bytes)."""
        return self._openers.setdefault(column.place, {})

    def open_with(self, key_ids: dict[bytes, int], column: Column) -> None:
        """Have openers for these headers, with one query; shredded keys are left out. Raises KeyUnknown."""
        self._load(key_ids.values())
        for header, key_id in key_ids.items():
            if key_id in self._ciphers:
                self._new_opener(header, key_id, column)
            elif not self._is_shredded(key_id):
                raise KeyUnknown(f"key {key_id}")

    def sealer(self, subject: uuid.UUID) -> Sealer:
        """The locked key of one subject. Raises KeyShredded and KeyUnknown."""
        if not self.holds(subject.int):
            self.hold([subject])
        return self._sealers[subject.int]

    def hold(self, subjects: Iterable[uuid.UUID]) -> dict[int, Sealer]:
        """Lock the keys of these subjects in key order, with one query; what is held, by `subject.int`.

        Raises KeyShredded and KeyUnknown.
        """
        distinct = {subject.int: subject for subject in subjects}
        lost = self._within_savepoints and {number for number in distinct if not self.holds(number)}
        wanted = {number: distinct[number] for number in lost or distinct.keys() - self._sealers.keys()}
        if not wanted:
            return self._sealers
        for row in self._admit(unwrapping.SEALING, list(wanted.values())):
            self.take(row.key_id, row.subject_id, self._ciphers[row.key_id][0])
            del wanted[row.subject_id.int]
        for subject in wanted.values():
            raise self._missing(f"of {subject}", subject_id=subject)
        return self._sealers

    def take(self, key_id: int, subject: uuid.UUID, cipher: aead.Cipher) -> Sealer:
        """Seal with a key from now on whose row this transaction has locked or inserted."""
        header = aead.header(key_id)
        prefix, savepoints = header + self._organization + subject.bytes, [*connection.savepoint_ids]
        sealer = Sealer(key_id, cipher, header, prefix, savepoints)
        self._within_savepoints = self._within_savepoints or bool(savepoints)
        self._ciphers[key_id], self._sealers[subject.int] = (cipher, subject), sealer
        return sealer

    def admit(self, rows: Sequence[KeyRow]) -> dict[int, aead.Cipher]:
        """Ciphers by key id of rows the caller has read, read again where an epoch roll overtook them.

        Raises KeyShredded, KeyUnknown and WrapBroken.
        """
        try:
            self._unwrap(rows)
        except (KeyRotated, EpochDestroyed):
            self.organization_keys.forget()
            self._admit(unwrapping.OPENING, [row.key_id for row in rows])
        return {row.key_id: self._cipher(row.key_id)[0] for row in rows}

    def index_key(self) -> bytes:
        """The organization's index key, 32 bytes. Raises KeyUnknown and what the key service raises."""
        for row in unwrapping.read(unwrapping.INDEXING, self.organization_id, [self.organization_id]):
            return self.organization_keys.raw_key(row)
        raise KeyUnknown("the organization has no index key")

    def forget(self, subject: uuid.UUID) -> None:
        """Open and seal nothing more of a subject whose key this transaction has destroyed."""
        self._sealers.pop(subject.int, None)
        for table in self._openers.values():
            table.clear()
        self._ciphers = {key_id: found for key_id, found in self._ciphers.items() if found[1] != subject}

    def _new_opener(self, header: bytes, key_id: int, column: Column) -> Opener:
        if not column.allows(self.purpose):
            raise PurposeNotDeclared(f"{column} does not open for {self.purpose}")
        cipher, subject = self._cipher(key_id)
        prefix = header + self._organization + subject.bytes + column.place
        opener = self.table(column)[header] = Opener(cipher.decrypt, prefix, subject.int)
        return opener

    def _cipher(self, key_id: int) -> tuple[aead.Cipher, uuid.UUID]:
        self._load([key_id])
        try:
            return self._ciphers[key_id]
        except KeyError:
            raise self._missing(str(key_id), key_id=key_id) from None

    def _load(self, key_ids: Iterable[int]) -> None:
        missing = [key_id for key_id in key_ids if key_id not in self._ciphers]
        if missing:
            self._admit(unwrapping.OPENING, missing)

    def _admit(self, statement: str, wanted: Sequence[object]) -> Sequence[KeyRow]:
        """Read and unwrap. An epoch roll may replace the organization's key in between: then both again."""
        for _ in range(READS - 1):
            try:
                return self._unwrap(unwrapping.read(statement, self.organization_id, wanted))
            except (KeyRotated, EpochDestroyed):
                self.organization_keys.forget()
        return self._unwrap(unwrapping.read(statement, self.organization_id, wanted))

    def _unwrap(self, rows: Sequence[KeyRow]) -> Sequence[KeyRow]:
        dead, cipher_of = (
            ledger.current().shredded(self.organization_id),
            self.organization_keys.data_cipher,
        )
        living = [row for row in rows if row.key_id not in dead]
        self._dead_subjects.update(row.subject_id.int for row in rows if row.key_id in dead)
        self._ciphers.update((row.key_id, (cipher_of(row), row.subject_id)) for row in living)
        return living

    def holds(self, subject: int) -> bool:
        """Whether the key of this subject is locked: a lock is lost with the savepoint it was taken in."""
        sealer = self._sealers.get(subject)
        if sealer is None:
            return False
        inside = sealer.savepoints
        return not inside or connection.savepoint_ids[: len(inside)] == inside

    def _missing(self, what: str, *, key_id: int = 0, subject_id: uuid.UUID | None = None) -> LookupError:
        if self._is_shredded(key_id, subject_id):
            return KeyShredded(f"key {what}")
        return KeyUnknown(f"key {what}")

    def _is_shredded(self, key_id: int, subject_id: uuid.UUID | None = None) -> bool:
        if ledger.is_shredded(self.organization_id, key_id) or (
            subject_id and subject_id.int in self._dead_subjects
        ):
            return True
        with connection.cursor() as cursor:
            cursor.execute(TOMBSTONE, [self.organization_id, key_id, subject_id])
            return cursor.fetchone() is not None


def current() -> Ring:
    """The ring of the active transaction. Raises NoTenantActive outside `tenant()`."""
    active = tenancy.current() or tenancy.active()
    found: Ring | None = active.memo.get(Ring)
    if found is None:
        found = active.memo[Ring] = Ring(active.organization_id, active.purpose)
    return found
