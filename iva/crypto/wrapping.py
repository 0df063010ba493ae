"""How a data key is wrapped under its organization's key, and what the key service is told.

    offset  bytes   wrapped data key, 108 bytes
    0       1       magic 0xFD
    1       1       format version: 1
    2       1       suite: 1 = AES-256-GCM
    3       1       purpose: 1 end user, 2 organization, 3 index
    4       4       generation of the organization key, big-endian
    8       8       key id, big-endian
    16      32      commitment = HMAC-SHA-256(data key, "iva/commit/v1" | key id as 8 bytes)
    48      12      nonce
    60      32      ciphertext of the data key
    92      16      tag

Associated data: "iva/dek/v1" | bytes 0..47 | organization 16 | subject 16. GCM does not commit to its key;
the commitment does (checked in constant time), so one wrapped blob can never open to two data keys.
"""

import hmac
import os
import struct
import uuid
from collections.abc import Callable
from typing import NamedTuple

from iva.crypto import aead

MAGIC, VERSION, SUITE = 0xFD, 1, 1
LABEL, COMMITMENT_LABEL = b"iva/dek/v1", b"iva/commit/v1"
ORGANIZATION_KEY_LABEL = b"iva/organization-key/v1"
GENERATION_AT, NONCE_AT, BODY_AT, LENGTH = 4, 48, 60, 108
PURPOSE_NUMBERS = {"end_user": 1, "organization": 2, "index": 3}

_HEADER = struct.Struct(">BBBBIQ")
_KEY_ID = struct.Struct(">Q")
_GENERATION = struct.Struct(">I")


class WrapBroken(ValueError):
    """A wrapped key that is not whole, or was wrapped for something or somebody else."""


class KeyName(NamedTuple):
    """Everything a wrapped data key is bound to."""

    organization_id: uuid.UUID
    subject_id: uuid.UUID
    purpose: str
    key_id: int
    generation: int


def new_key() -> bytes:
    """32 random bytes: a derived key could not be destroyed."""
    return os.urandom(aead.KEY_BYTES)


def new_key_id() -> int:
    """A random key id, 63 bits so that it fits a signed bigint, never 0."""
    return (int.from_bytes(os.urandom(8)) >> 1) or 1


def commitment(key: bytes, key_id: int) -> bytes:
    """What a data key is recognised by, 32 bytes; says nothing about the key (HMAC-SHA-256, RFC 2104)."""
    return hmac.digest(key, COMMITMENT_LABEL + _KEY_ID.pack(key_id), "sha256")


def wrap(
    organization_cipher: aead.Cipher,
    name: KeyName,
    key: bytes,
    *,
    draw: Callable[[int], bytes] = os.urandom,
) -> bytes:
    """The wrapped data key, 108 bytes."""
    bound = _bound(name) + commitment(key, name.key_id)
    nonce = draw(aead.NONCE_BYTES)
    return bound + nonce + organization_cipher.encrypt(nonce, key, _associated_data(bound, name))


def unwrap(organization_cipher: aead.Cipher, name: KeyName, wrapped: bytes) -> bytes:
    """The data key, 32 bytes. Raises WrapBroken unless every bit and every part of the name agrees."""
    if len(wrapped) != LENGTH or not wrapped.startswith(_bound(name)):
        raise WrapBroken("the wrapped key is not the one its row names")
    bound = wrapped[:NONCE_AT]
    try:
        key = organization_cipher.decrypt(
            wrapped[NONCE_AT:BODY_AT], wrapped[BODY_AT:], _associated_data(bound, name)
        )
    except aead.InvalidTag:
        raise WrapBroken("the wrapped key does not open") from None
    if not hmac.compare_digest(commitment(key, name.key_id), bound[_HEADER.size :]):
        raise WrapBroken("the wrapped key is not the one it was committed to")
    return key


def generation_of(wrapped: bytes) -> int:
    """The generation of the organization key that wraps it. Raises WrapBroken."""
    if len(wrapped) != LENGTH:
        raise WrapBroken("not a wrapped key")
    magic, version, suite, _, generation, _ = _HEADER.unpack_from(wrapped)
    if (magic, version, suite) != (MAGIC, VERSION, SUITE):
        raise WrapBroken("not a wrapped key of a known format")
    return int(generation)


def organization_context(organization_id: uuid.UUID, generation: int) -> bytes:
    """What the key service binds an organization key to: label | organization 16 | generation u32."""
    return ORGANIZATION_KEY_LABEL + organization_id.bytes + _GENERATION.pack(generation)


def _bound(name: KeyName) -> bytes:
    purpose = PURPOSE_NUMBERS[name.purpose]
    return _HEADER.pack(MAGIC, VERSION, SUITE, purpose, name.generation, name.key_id)


def _associated_data(bound: bytes, name: KeyName) -> bytes:
    return LABEL + bound + name.organization_id.bytes + name.subject_id.bytes
