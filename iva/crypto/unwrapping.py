"""From rows of wrapped keys to ciphers, asking the key service as seldom as can be.

A data key at hand in the process costs nothing more. One that is not needs its organization's key, and that
one, when it is not at hand either, one call to the key service for all who wait for it.
"""

import uuid
from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection

from iva.crypto import aead, cache, kms, wrapping

OPENING = (
    "SELECT id, subject_id, purpose, wrapped FROM iva_crypto_datakey"
    " WHERE organization_id = %s AND id = ANY(%s) AND purpose <> 'index'"
)
SEALING = (
    "SELECT id, subject_id, purpose, wrapped FROM iva_crypto_datakey"
    " WHERE organization_id = %s AND subject_id = ANY(%s) AND purpose <> 'index' ORDER BY id FOR KEY SHARE"
)
INDEXING = (
    "SELECT id, subject_id, purpose, wrapped FROM iva_crypto_datakey"
    " WHERE organization_id = %s AND subject_id = ANY(%s) AND purpose = 'index'"
)
ORGANIZATION_KEYS = (
    "SELECT generation, epoch, wrapped FROM iva_crypto_organizationkey WHERE organization_id = %s"
)


class KeyRotated(LookupError):
    """The organization key that a data key names was replaced after the data key had been read."""


class KeyRow(NamedTuple):
    """A row of iva_crypto_datakey, as far as opening it needs."""

    key_id: int
    subject_id: uuid.UUID
    purpose: str
    wrapped: bytes


def read(statement: str, organization_id: uuid.UUID, wanted: Sequence[object]) -> list[KeyRow]:
    """The key rows one of the statements above selects."""
    with connection.cursor() as cursor:
        cursor.execute(statement, [organization_id, list(wanted)])
        return [
            KeyRow(key_id, subject, purpose, bytes(wrapped)) for key_id, subject, purpose, wrapped in cursor
        ]


class OrganizationKeys:
    """The organization's keys as one transaction sees them: usually one, two during an epoch roll."""

    def __init__(self, organization_id: uuid.UUID) -> None:
        self._organization_id = organization_id
        self._organization = organization_id.bytes
        self._rows: dict[int, tuple[int, bytes]] = {}

    def forget(self) -> None:
        """Read the rows again next time: an epoch roll may have replaced them."""
        self._rows = {}

    def data_cipher(self, row: KeyRow) -> aead.Cipher:
        """The cipher of a data key. Raises KeyRotated, WrapBroken, and what the key service raises."""
        name = (self._organization, row)
        found = cache.data_keys.peek(name)
        if found is not None:
            return found
        # The database and the key service are asked before anybody else is made to wait for us.
        generation = wrapping.generation_of(row.wrapped)
        under = self.cipher(generation)
        return cache.data_keys.get(name, lambda: aead.cipher(self._unwrap(under, row, generation)))

    def raw_key(self, row: KeyRow) -> bytes:
        """A data key itself, 32 bytes, for deriving from. Raises like `data_cipher`."""
        generation = wrapping.generation_of(row.wrapped)
        return self._unwrap(self.cipher(generation), row, generation)

    def cipher(self, generation: int) -> aead.Cipher:
        """The cipher of one generation. Raises KeyRotated and what the key service raises."""
        if generation not in self._rows:
            self._read()
        if generation not in self._rows:
            raise KeyRotated(f"the organization has no key of generation {generation}")
        epoch, wrapped = self._rows[generation]
        return organization_cipher(self._organization_id, generation, epoch, wrapped)

    def _unwrap(self, under: aead.Cipher, row: KeyRow, generation: int) -> bytes:
        name = wrapping.KeyName(self._organization_id, row.subject_id, row.purpose, row.key_id, generation)
        return wrapping.unwrap(under, name, row.wrapped)

    def _read(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(ORGANIZATION_KEYS, [self._organization_id])
            self._rows = {generation: (epoch, bytes(wrapped)) for generation, epoch, wrapped in cursor}


def organization_cipher(
    organization_id: uuid.UUID, generation: int, epoch: int, wrapped: bytes
) -> aead.Cipher:
    """An organization key, from the cache or the key service. Raises what `KeyService.unwrap` raises."""
    context = wrapping.organization_context(organization_id, generation)
    name = (context, epoch, wrapped)
    return cache.organization_keys.get(
        name, lambda: aead.cipher(kms.service().unwrap(epoch, wrapped, context))
    )
