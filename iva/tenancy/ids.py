"""Row ids, made in Python so that a row can be sealed before it is inserted."""

import uuid

from uuid_utils import compat


def new_id() -> uuid.UUID:
    """A UUIDv7 (RFC 9562): ordered by time to the millisecond; an id, never a secret."""
    return compat.uuid7()
