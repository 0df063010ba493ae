"""The life of data keys: founded with their organization, created with an End User, shredded with them.

Locks are always taken in the same direction, so that none of this can deadlock: the organization's key
row first, then data keys in the order of their ids, the audit head last.
"""

import uuid
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db import connection

from iva import tenancy
from iva.audit import log as audit
from iva.audit.actors import SYSTEM, Actor
from iva.audit.events import Event
from iva.crypto import aead, cache, epoch_lock, kms, ledger, ring, unwrapping, wrapping
from iva.crypto.models import KeyPurpose, OrganizationKey, ShreddedKey
from iva.crypto.ring import KeyShredded, KeyUnknown, PurposeNotDeclared
from iva.crypto.unwrapping import KeyRow

__all__ = [
    "AlreadyFounded",
    "KeyShredded",
    "KeyUnknown",
    "PurposeNotDeclared",
    "SealingKey",
    "ciphers",
    "complete_shreddings",
    "create",
    "create_many",
    "for_sealing",
    "found",
    "shred",
    "shreddings",
    "write_down_missing",
]

NEWEST = (
    "SELECT id, generation, epoch, wrapped FROM iva_crypto_organizationkey WHERE organization_id = %s"
    " ORDER BY generation DESC LIMIT 1 FOR KEY SHARE"
)
KEEP = (
    "INSERT INTO iva_crypto_datakey (organization_id, id, purpose, subject_id, organization_key_id, wrapped,"
    " created_at) SELECT %s, made.id, %s, made.subject, %s, made.wrapped, now()"
    " FROM unnest(%s::bigint[], %s::uuid[], %s::bytea[]) AS made (id, subject, wrapped)"
)
HOLD_ORGANIZATION_KEYS = (
    "SELECT 1 FROM iva_crypto_organizationkey WHERE organization_id = %s ORDER BY generation FOR KEY SHARE"
)
_SHRED = """
WITH gone AS (
    DELETE FROM iva_crypto_datakey
    WHERE organization_id = %(organization)s AND purpose = 'end_user' AND {which}
    RETURNING organization_id, id, subject_id, purpose, wrapped, organization_key_id
), buried AS (
    INSERT INTO iva_crypto_shreddedkey (organization_id, id, subject_id, organization_key_id, shredded_at)
    SELECT organization_id, id, subject_id, organization_key_id, now() FROM gone
    ON CONFLICT (organization_id, id) DO UPDATE
    SET organization_key_id = EXCLUDED.organization_key_id, unrecoverable_at = NULL
)
SELECT id, subject_id, purpose, wrapped FROM gone ORDER BY id
"""
SHRED_SUBJECT = _SHRED.format(which="subject_id = %(wanted)s")
SHRED_KEYS = _SHRED.format(which="id = ANY(%(wanted)s)")
TRIES = 3


class AlreadyFounded(RuntimeError):
    """The organization has its keys."""


class SealingKey(NamedTuple):
    """A data key whose row this transaction holds: nobody can shred it before we have committed."""

    key_id: int
    cipher: aead.Cipher


def found() -> None:
    """Create the active organization's key, the key of its own data and its index key.

    Raises AlreadyFounded and KeyServiceUnavailable.
    """
    organization_id = tenancy.active().organization_id
    if OrganizationKey.objects.exists():
        raise AlreadyFounded(str(organization_id))
    epoch_lock.hold()  # the epoch cannot be destroyed before this row can be seen
    epoch, key = kms.service().current_epoch(), wrapping.new_key()
    wrapped = kms.service().wrap(epoch, key, wrapping.organization_context(organization_id, 1))
    made = OrganizationKey.objects.create(generation=1, epoch=epoch, wrapped=wrapped)
    for purpose in (KeyPurpose.ORGANIZATION, KeyPurpose.INDEX):
        _keep(_Under(made.pk, 1, aead.cipher(key)), purpose, [organization_id])


def create(subject_id: uuid.UUID) -> SealingKey:
    """Create the key of an End User. Raises IntegrityError where there is one, KeyUnknown before `found`."""
    return create_many([subject_id])[subject_id]


def create_many(subject_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, SealingKey]:
    """Create the keys of many End Users with one statement; they can be sealed for at once.

    Raises IntegrityError where one has a key already, KeyUnknown when the organization was not founded.
    """
    return _keep(_newest(), KeyPurpose.END_USER, subject_ids)


def for_sealing(subject_id: uuid.UUID) -> SealingKey:
    """The key of a subject, its row locked until the transaction ends. Raises KeyShredded and KeyUnknown."""
    sealer = ring.current().sealer(subject_id)
    return SealingKey(sealer.key_id, sealer.cipher)


def ciphers(rows: Iterable[tuple[int, uuid.UUID, bytes]], *, held: bool = False) -> dict[int, aead.Cipher]:
    """{key id: cipher} for (key id, subject id, wrapped) rows that the caller has selected itself.

    `held` says that it did so FOR KEY SHARE, in the order of the ids, so that fields of these subjects can
    be sealed without another look. Raises KeyShredded, also for a row that a restored dump brought back.
    """
    known = [
        KeyRow(key_id, subject, KeyPurpose.END_USER.value, bytes(wrapped))
        for key_id, subject, wrapped in rows
    ]
    found = ring.current().admit(known)
    if held:
        for row in known:
            ring.current().take(row.key_id, row.subject_id, found[row.key_id])
    return found


def shred(subject_id: uuid.UUID, *, actor: Actor = SYSTEM) -> list[int]:
    """Destroy the keys of an End User and return their ids; none where there is none left.

    Waits for transactions that are sealing for them. The rows go with the commit, and the erasure ledger
    is written just before it. From the commit on no process can open what the keys sealed; after the next
    epoch roll nobody can, with whatever backup.
    """
    return _shred(SHRED_SUBJECT, subject_id, actor)


def write_down_missing(subject_id: uuid.UUID) -> None:
    """For a subject that should have had a key: a backup may hold it, so the next roll must rotate."""
    organization_id = tenancy.active().organization_id
    tenancy.active().before_commit(lambda: ledger.append(organization_id, subject_id, []), outside=True)


def complete_shreddings(*, actor: Actor = SYSTEM) -> list[uuid.UUID]:
    """Destroy again what the erasure ledger says was destroyed; the subjects for whom there was something.

    For the active organization: after a restore, or after a crash between ledger and commit.
    """
    organization_id = tenancy.active().organization_id
    dead = [entry for entry in ledger.entries() if entry.organization == organization_id]
    key_ids = [key_id for entry in dead for key_id in entry.keys]
    gone = set(_shred(SHRED_KEYS, key_ids, actor)) if key_ids else set()
    return [entry.subject for entry in dead if gone.intersection(entry.keys)]


def shreddings(subject_id: uuid.UUID) -> list[ShreddedKey]:
    """What is known of a subject's destroyed keys: when, and since when no backup can open them."""
    return list(ShreddedKey.objects.filter(subject_id=subject_id).order_by("shredded_at", "id"))


class _Under(NamedTuple):
    """The organization key that wraps new data keys; its row is locked against being rotated away."""

    id: uuid.UUID
    generation: int
    cipher: aead.Cipher


def _newest() -> _Under:
    organization_id = tenancy.active().organization_id
    for _ in range(TRIES):
        with connection.cursor() as cursor:
            cursor.execute(NEWEST, [organization_id])
            row = cursor.fetchone()
        if row is None:  # never founded, or the row we waited for was rotated away: then there is a newer one
            continue
        row_id, generation, epoch, wrapped = row
        try:
            cipher = unwrapping.organization_cipher(organization_id, generation, epoch, bytes(wrapped))
        except kms.EpochDestroyed:
            continue
        return _Under(row_id, generation, cipher)
    raise KeyUnknown(f"{organization_id} has no key that can be opened")


def _keep(
    under: _Under, purpose: KeyPurpose, subject_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, SealingKey]:
    organization_id, active = tenancy.active().organization_id, ring.current()
    made: dict[uuid.UUID, SealingKey] = {}
    wrapped = []
    for subject_id in subject_ids:
        key, key_id = wrapping.new_key(), wrapping.new_key_id()
        name = wrapping.KeyName(organization_id, subject_id, purpose.value, key_id, under.generation)
        wrapped.append(wrapping.wrap(under.cipher, name, key))
        made[subject_id] = SealingKey(key_id, aead.cipher(key))
    key_ids = [sealing_key.key_id for sealing_key in made.values()]
    with connection.cursor() as cursor:
        cursor.execute(KEEP, [organization_id, purpose.value, under.id, key_ids, list(made), wrapped])
    if purpose is not KeyPurpose.INDEX:
        for subject_id, sealing_key in made.items():
            active.take(sealing_key.key_id, subject_id, sealing_key.cipher)
    return made


def _shred(statement: str, wanted: uuid.UUID | list[int], actor: Actor) -> list[int]:
    organization_id = tenancy.active().organization_id
    with connection.cursor() as cursor:
        cursor.execute(HOLD_ORGANIZATION_KEYS, [organization_id])
        cursor.execute(statement, {"organization": organization_id, "wanted": wanted})
        gone = [
            KeyRow(key_id, subject, purpose, bytes(wrapped)) for key_id, subject, purpose, wrapped in cursor
        ]
    for row in gone:
        ring.current().forget(row.subject_id)
        cache.data_keys.discard((organization_id.bytes, row))
        audit.record(Event.KEY_SHREDDED, actor=actor, subject=row.subject_id, key=row.key_id)
    if gone:
        tenancy.active().before_commit(lambda: _write_down(organization_id, gone), outside=True)
    return [row.key_id for row in gone]


def _write_down(organization_id: uuid.UUID, gone: Sequence[KeyRow]) -> None:
    """Into the ledger with what is gone; a savepoint rolled back meanwhile has brought its rows back."""
    back = {
        row.key_id
        for row in unwrapping.read(unwrapping.OPENING, organization_id, [row.key_id for row in gone])
    }
    for row in gone:
        if row.key_id not in back and not ledger.is_shredded(organization_id, row.key_id):
            ledger.append(organization_id, row.subject_id, [row.key_id])
