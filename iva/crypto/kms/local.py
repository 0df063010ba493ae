"""A keyring in a file: the default, for one machine.

The file is JSON, `{"format": 1, "last": 3, "epochs": {"3": "<base64 of 32 bytes>"}}`, mode 0600, ours.
Beside it lies its backup, `<file>.bak`, with the same content: every change writes the backup first, so
that a destroyed epoch is forgotten by both before `destroy_epoch` returns, and a crash in between is
completed by repeating it. Overwriting is best effort: a file system may keep old blocks; put the keyring
on storage that is encrypted itself, and on other storage than the database and its backups.

    offset  bytes   what `wrap` returns, 68 bytes
    0       1       magic 0xFC
    1       1       format version: 1
    2       1       suite: 1 = AES-256-GCM
    3       1       0
    4       4       epoch, big-endian
    8       12      nonce
    20      32      ciphertext of the key
    52      16      tag

Associated data: bytes 0..7 | context.
"""

import os
import struct
import threading
from datetime import UTC, datetime
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from iva.crypto import aead
from iva.crypto.kms import keyring_file
from iva.crypto.kms.keyring_file import Keyring
from iva.crypto.kms.promise import EpochDestroyed, WrapBroken

MAGIC, VERSION, SUITE = 0xFC, 1, 1
_HEADER = struct.Struct(">BBBBI")
NONCE_AT, BODY_AT, LENGTH = 8, 20, 68


class LocalKeyring:
    """Epoch keys in a file. Implements `iva.crypto.kms.KeyService`."""

    def __init__(self, path: str) -> None:
        if not path:
            raise ImproperlyConfigured("IVA_KEYRING_PATH names the keyring file")
        self._path = Path(path)
        self._lock = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._keyring = Keyring()

    def current_epoch(self) -> int:
        epochs = self.epochs()
        return epochs[-1] if epochs else self._begin(only_first=True)

    def epochs(self) -> list[int]:
        return sorted(self._read().keys)

    def wrap(self, epoch: int, key: bytes, context: bytes) -> bytes:
        head, nonce = _HEADER.pack(MAGIC, VERSION, SUITE, 0, epoch), os.urandom(aead.NONCE_BYTES)
        return head + nonce + self._cipher(epoch).encrypt(nonce, key, head + context)

    def unwrap(self, epoch: int, wrapped: bytes, context: bytes) -> bytes:
        cipher = self._cipher(epoch)
        head = _HEADER.pack(MAGIC, VERSION, SUITE, 0, epoch)
        if len(wrapped) != LENGTH or not wrapped.startswith(head):
            raise WrapBroken("not a key that this keyring wrapped under this epoch")
        try:
            return cipher.decrypt(wrapped[NONCE_AT:BODY_AT], wrapped[BODY_AT:], head + context)
        except aead.InvalidTag:
            raise WrapBroken("the wrapped key was altered or belongs elsewhere") from None

    def begin_epoch(self) -> int:
        return self._begin()

    def destroy_epoch(self, epoch: int) -> datetime:
        with keyring_file.exclusively(self._path):
            keyring_file.write(self._path, keyring_file.read(self._path).without(epoch))
        return datetime.now(UTC)

    def _begin(self, *, only_first: bool = False) -> int:
        with keyring_file.exclusively(self._path):
            keyring = keyring_file.read(self._path)
            if not (only_first and keyring.keys):
                keyring = keyring.with_new(os.urandom(aead.KEY_BYTES))
                keyring_file.write(self._path, keyring)
        return max(keyring.keys)

    def _cipher(self, epoch: int) -> aead.Cipher:
        key = self._read().keys.get(epoch)
        if key is None:
            raise EpochDestroyed(f"the keyring holds no epoch {epoch}")
        return aead.cipher(key)

    def _read(self) -> Keyring:
        """The keyring as it is on disk now; parsed again only when the file was replaced."""
        with self._lock:
            seen = keyring_file.signature(self._path)
            if seen is None or seen != self._seen:
                self._keyring, self._seen = keyring_file.read(self._path), seen
            return self._keyring
