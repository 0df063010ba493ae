"""Row ids, made in Python so that a row can be sealed before it is inserted."""

import uuid
from datetime import datetime, timedelta

from uuid_utils import compat


def new_id() -> uuid.UUID:
    """A UUIDv7 (RFC 9562): ordered by time to the millisecond; an id, never a secret."""
    return compat.uuid7()


def earlier(id_: uuid.UUID, by: timedelta) -> uuid.UUID:
    """The lowest UUIDv7 made so long before this one."""
    return _first((id_.int >> 80) - int(by.total_seconds() * 1000))


def first_of(moment: datetime) -> uuid.UUID:
    """The lowest UUIDv7 of a moment."""
    return _first(int(moment.timestamp() * 1000))


def _first(millisecond: int) -> uuid.UUID:
    """48 bits of milliseconds since 1970 stand in front (RFC 9562, 5.7)."""
    return uuid.UUID(int=max(millisecond, 0) << 80)
