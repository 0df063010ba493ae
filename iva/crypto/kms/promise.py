"""What every key service promises; tests/crypto/test_key_services.py holds each of them to it."""

from datetime import datetime
from typing import Protocol


class EpochDestroyed(LookupError):
    """The epoch's key does not exist any more, or never did: what it wrapped cannot be opened by anybody."""


class WrapBroken(ValueError):
    """The wrapped bytes were altered, or wrapped under another epoch or context."""


class KeyServiceUnavailable(RuntimeError):
    """The service did not answer, refused us, or is damaged. Nothing was lost; try again later."""


class KeyService(Protocol):
    """Epochs are numbered upwards; the largest is current. Every method may raise KeyServiceUnavailable."""

    def current_epoch(self) -> int:
        """The newest epoch; begins the first one where there is none."""
        ...

    def epochs(self) -> list[int]:
        """Every epoch whose key still exists, oldest first."""
        ...

    def wrap(self, epoch: int, key: bytes, context: bytes) -> bytes:
        """`key` encrypted under the epoch and bound to `context`. Raises EpochDestroyed."""
        ...

    def unwrap(self, epoch: int, wrapped: bytes, context: bytes) -> bytes:
        """The key again. Raises EpochDestroyed, and WrapBroken for other bytes, context or epoch."""
        ...

    def begin_epoch(self) -> int:
        """Make a new epoch and return its number, which is larger than any before it."""
        ...

    def destroy_epoch(self, epoch: int) -> datetime:
        """Destroy the epoch's key; harmless to repeat. Returns since when, or from when, nobody can undo it.

        From the return on `unwrap` raises EpochDestroyed, even if the service itself waits longer.
        """
        ...
