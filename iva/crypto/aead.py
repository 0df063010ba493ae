"""The envelope of an encrypted field: AES-256-GCM bound to the one place in which it may stand (DESIGN 4).

    offset  bytes
    0       1      magic 0xFE, which never occurs in UTF-8, so that planted plaintext cannot parse
    1       1      suite: 1 = AES-256-GCM, 96-bit random nonce, 128-bit tag (NIST SP 800-38D)
    2       1      flags: 0
    3       1      format version: 1
    4       8      key id, big-endian: names the data key, never the epoch
    12      12     nonce
    24      n      ciphertext, as long as the plaintext
    24+n    16     tag

Associated data: bytes 0..11 | organization 16 | subject 16 | table u32 | column u32 | row 16. Every part
has a fixed width, so no two places can share one encoding.
"""

import os
import struct
import uuid
from collections.abc import Callable
from typing import NamedTuple

from cryptography.exceptions import InvalidTag as InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC, SUITE, FLAGS, VERSION = 0xFE, 1, 0, 1
KEY_BYTES, NONCE_BYTES, TAG_BYTES, HEADER_BYTES = 32, 12, 16, 12
BODY_AT = HEADER_BYTES + NONCE_BYTES
SHORTEST = BODY_AT + TAG_BYTES
PLACE_WIDTHS = (16, 16, 4, 4, 16)

_HEADER = struct.Struct(">BBBBQ")
_COLUMN = struct.Struct(">II")

Cipher = AESGCM


class SealBroken(ValueError):
    """Bytes that are not an envelope of ours, or not one made for this place and key."""


class Place(NamedTuple):
    """Where a ciphertext stands. Widths in bytes: 16, 16, 4, 4, 16."""

    organization: bytes
    subject: bytes
    table: bytes
    column: bytes
    row: bytes

    @classmethod
    def at(
        cls, organization: uuid.UUID, subject: uuid.UUID, table: int, column: int, row: uuid.UUID
    ) -> "Place":
        numbers = column_bytes(table, column)
        return cls(organization.bytes, subject.bytes, numbers[:4], numbers[4:], row.bytes)


def column_bytes(table: int, column: int) -> bytes:
    """Table and column number as they stand in the associated data, 8 bytes."""
    return _COLUMN.pack(table, column)


def cipher(key: bytes) -> Cipher:
    """A reusable AES-256-GCM object. Raises ValueError unless the key has 32 bytes."""
    if len(key) != KEY_BYTES:
        raise ValueError("a data key has 32 bytes")
    return AESGCM(key)


def header(key_id: int) -> bytes:
    """The first 12 bytes of every envelope under this key."""
    return _HEADER.pack(MAGIC, SUITE, FLAGS, VERSION, key_id)


def key_id_of(sealed: bytes) -> int:
    """The key an envelope names. Raises SealBroken for anything that is not format version 1, whole."""
    if len(sealed) < SHORTEST:
        raise SealBroken("too short for an envelope")
    magic, suite, flags, version, key_id = _HEADER.unpack_from(sealed)
    if (magic, suite, flags, version) != (MAGIC, SUITE, FLAGS, VERSION):
        raise SealBroken("not an envelope of a known format")
    return int(key_id)


def seal(
    cipher: Cipher, key_id: int, place: Place, plaintext: bytes, *, draw: Callable[[int], bytes] = os.urandom
) -> bytes:
    """The envelope of `plaintext`, 40 bytes longer. Only known-answer tests `draw` a nonce of their own."""
    head, nonce = header(key_id), draw(NONCE_BYTES)
    return head + nonce + cipher.encrypt(nonce, plaintext, head + _encoded(place))


def open(cipher: Cipher, place: Place, sealed: bytes) -> bytes:
    """What was sealed. Raises SealBroken; there is no other way out for a bit that changed."""
    key_id_of(sealed)
    return unlock(cipher, bytes(sealed), sealed[:HEADER_BYTES] + _encoded(place))


def unlock(cipher: Cipher, sealed: bytes, associated_data: bytes) -> bytes:
    """Decrypt an envelope whose header has been read. Raises SealBroken."""
    try:
        return cipher.decrypt(sealed[HEADER_BYTES:BODY_AT], sealed[BODY_AT:], associated_data)
    except (InvalidTag, ValueError):
        raise SealBroken("the envelope was not sealed here, or was altered") from None


def _encoded(place: Place) -> bytes:
    if tuple(map(len, place)) != PLACE_WIDTHS:
        raise ValueError("every part of a place has a fixed width")
    return b"".join(place)
