"""The organization's index key, from which one key for each blind index is derived."""

import hmac

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from iva.crypto import aead

LABEL = b"iva/blind-index/v1|"
TOKEN_BYTES = 16


class IndexRoot:
    """Derives with HKDF-SHA-256 (RFC 5869; info = label | index name), once for each name."""

    __slots__ = ("_derived", "_root")

    def __init__(self, root: bytes) -> None:
        self._root = root
        self._derived: dict[str, bytes] = {}

    def token(self, index_name: str, normalized: str) -> bytes:
        """HMAC-SHA-256 over the UTF-8 of a normalized value, its first 16 bytes."""
        return hmac.digest(self._key(index_name), normalized.encode(), "sha256")[:TOKEN_BYTES]

    def _key(self, index_name: str) -> bytes:
        key = self._derived.get(index_name)
        if key is None:
            info = LABEL + index_name.encode()
            key = HKDF(algorithm=SHA256(), length=aead.KEY_BYTES, salt=None, info=info).derive(self._root)
            self._derived[index_name] = key
        return key
