"""Tokens that name their organization, so that the wall stands before a row is read (docs/decisions/0008).

prefix + base64url(organization id 16 bytes | row id 16 bytes | secret 32 bytes), in one spelling only.
"""

import base64
import binascii
import hashlib
import secrets
import uuid
from typing import NamedTuple

LENGTH = 86
SECRET_BYTES = 32


class NotAToken(ValueError):
    """The text is no token with this prefix."""


class Token(NamedTuple):
    """What a token says."""

    organization_id: uuid.UUID
    row_id: uuid.UUID
    secret: bytes


def new_secret() -> bytes:
    """256 random bits."""
    return secrets.token_bytes(SECRET_BYTES)


def kept(secret: bytes) -> bytes:
    """What is kept of a secret: plain SHA-256, 256 random bits need no stretching (ASVS 6.5.2)."""
    return hashlib.sha256(secret).digest()


def pack(prefix: str, token: Token) -> str:
    """The text of a token."""
    content = token.organization_id.bytes + token.row_id.bytes + token.secret
    return prefix + base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def unpack(prefix: str, text: str) -> Token:
    """Raises NotAToken."""
    if len(text) != len(prefix) + LENGTH or not text.startswith(prefix) or not text.isascii():
        raise NotAToken
    try:
        content = base64.b64decode(text[len(prefix) :] + "==", altchars=b"-_", validate=True)
    except binascii.Error:
        raise NotAToken from None
    token = Token(uuid.UUID(bytes=content[:16]), uuid.UUID(bytes=content[16:32]), content[32:])
    if pack(prefix, token) != text:
        raise NotAToken  # the last character has bits to spare; only one spelling is the token
    return token
