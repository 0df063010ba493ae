"""The arithmetic of the chain: what is hashed, in which order (RFC 6234 SHA-256)."""

import hashlib
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum

FORMAT = b"iva/audit/v1"
CODE = re.compile(r"[a-z0-9_.:-]{1,64}")

Id = uuid.UUID | int | str | Enum | Sequence[uuid.UUID | Enum]


class NotAnId(ValueError):
    """Something other than an id, a count or a code was offered to the audit trail."""


def genesis(organization_id: uuid.UUID) -> bytes:
    """The digest before the first event of an organization, 32 bytes."""
    return hashlib.sha256(FORMAT + organization_id.bytes).digest()


def link(previous: bytes, sequence: int, payload: bytes) -> bytes:
    """The digest after an event: SHA-256(previous | sequence as 8 bytes big-endian | payload)."""
    return hashlib.sha256(previous + sequence.to_bytes(8, "big") + payload).digest()


def payload(
    organization_id: uuid.UUID, event_id: uuid.UUID, event: str, actor: str, occurred_at: datetime, ids: str
) -> bytes:
    """The canonical bytes of an event. No part can contain a line feed, so lines cannot be shifted."""
    moment = occurred_at.astimezone(UTC).isoformat(timespec="microseconds")
    return "\n".join([str(organization_id), str(event_id), event, actor, moment, ids]).encode()


def canonical(ids: Mapping[str, Id | None]) -> str:
    """Ids as canonical JSON. Raises NotAnId for anything that could be content."""
    plain = {name: _plain(value) for name, value in ids.items() if value is not None}
    return json.dumps(plain, sort_keys=True, separators=(",", ":"))


def _plain(value: Id) -> str | int | list[str]:
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, list):
        return [_member(item) for item in value]
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise NotAnId(f"a {type(value).__name__} is not an id")
    if isinstance(value, str) and not CODE.fullmatch(value):
        raise NotAnId("only ids, counts and codes enter the audit trail")
    return value


def _member(item: object) -> str:
    """Of a list: a code of a closed vocabulary, or an id. Raises ValueError."""
    if isinstance(item, Enum):
        return str(_plain(item))
    return str(uuid.UUID(str(item)))
