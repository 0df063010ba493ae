"""Reading and replacing the keyring file, so that no crash and no other user can harm it."""

import base64
import fcntl
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from iva.crypto.kms.promise import KeyServiceUnavailable

FORMAT = 1
REPLACEMENTS = 10


class KeyringDamaged(KeyServiceUnavailable):
    """The keyring cannot be read while its backup exists, or is not a keyring: somebody has to look."""


class KeyringExposed(KeyServiceUnavailable):
    """Others may read the keyring, or it is not ours."""


@dataclass(frozen=True)
class Keyring:
    """Epoch number → key of 32 bytes, and the largest number ever given."""

    keys: dict[int, bytes] = field(default_factory=dict, repr=False)
    last: int = 0

    def with_new(self, key: bytes) -> "Keyring":
        return Keyring({**self.keys, self.last + 1: key}, self.last + 1)

    def without(self, epoch: int) -> "Keyring":
        return Keyring({number: key for number, key in self.keys.items() if number != epoch}, self.last)


def backup_of(path: Path) -> Path:
    return path.with_name(path.name + ".bak")


@contextmanager
def exclusively(path: Path) -> Iterator[None]:
    """Hold the keyring against every other process that wants to change it."""
    descriptor = _open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def signature(path: Path) -> tuple[int, int, int] | None:
    """What changes whenever the file is replaced; None when there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def read(path: Path) -> Keyring:
    """The keyring; an empty one where there never was a file. Raises KeyringDamaged and KeyringExposed."""
    for _ in range(REPLACEMENTS):
        try:
            with os.fdopen(_open(path, os.O_RDONLY), "rb") as file:
                content, names = file.read(), os.fstat(file.fileno()).st_nlink
        except FileNotFoundError:
            if backup_of(path).exists():
                raise KeyringDamaged(f"{path} is gone; its backup is {backup_of(path)}") from None
            return Keyring()
        # A file that lost its name was replaced, and perhaps overwritten, under our eyes.
        if names:
            break
    return _parsed(path, content)


def write(path: Path, keyring: Keyring) -> None:
    """Replace the backup, then the keyring, each at once and durably.

    The first time the keyring comes first: a backup without a keyring means that a keyring was lost.
    """
    content = json.dumps(
        {
            "format": FORMAT,
            "last": keyring.last,
            "epochs": {
                str(epoch): base64.b64encode(key).decode() for epoch, key in sorted(keyring.keys.items())
            },
        }
    ).encode()
    for target in (backup_of(path), path) if path.exists() else (path, backup_of(path)):
        _replace(target, content)


def _parsed(path: Path, content: bytes) -> Keyring:
    try:
        found = json.loads(content)
        keys = {int(epoch): base64.b64decode(key, validate=True) for epoch, key in found["epochs"].items()}
        keyring = Keyring(keys, int(found["last"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise KeyringDamaged(f"{path} is not a keyring; its backup is {backup_of(path)}") from None
    if (
        found["format"] != FORMAT
        or any(len(key) != 32 for key in keys.values())
        or max([0, *keys]) > keyring.last
    ):
        raise KeyringDamaged(f"{path} is not a keyring of format {FORMAT}")
    return keyring


def _open(path: Path, flags: int) -> int:
    """Open without following links; refuse what others may read or own. Raises FileNotFoundError."""
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise KeyringExposed(f"{path} cannot be opened safely: {error.strerror}") from None
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or stat.S_IMODE(found.st_mode) & 0o077 or found.st_uid != os.geteuid():
        os.close(descriptor)
        raise KeyringExposed(f"{path} has to be a file of ours with mode 0600")
    return descriptor


def _replace(path: Path, content: bytes) -> None:
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    with _old(path):
        fresh.replace(path)
        _sync_folder(path.parent)


@contextmanager
def _old(path: Path) -> Iterator[None]:
    """Overwrite what the file held before, once it has been replaced."""
    try:
        descriptor = _open(path, os.O_RDWR)
    except FileNotFoundError:
        yield
        return
    try:
        yield
        os.pwrite(descriptor, bytes(os.fstat(descriptor).st_size), 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
