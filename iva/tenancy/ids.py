"""Row ids, made in Python so that a row can be sealed before it is inserted."""

import uuid
from datetime import timedelta

from uuid_utils import compat


def new_id() -> uuid.UUID:
    """A UUIDv7 (RFC 9562): ordered by time to the millisecond; an id, never a secret."""
    return compat.uuid7()


def earlier(id_: uuid.UUID, by: timedelta) -> uuid.UUID:
    """The lowest UUIDv7 (RFC 9562, 5.7) made so long before this one."""
    milliseconds = max((id_.int >> 80) - int(by.total_seconds() * 1000), 0)
    return uuid.UUID(int=milliseconds << 80)
