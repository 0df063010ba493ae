"""Heads of the chains kept outside the database, so that not even its owner can rewrite history.

One append-only file of JSON lines for each organization under `IVA_AUDIT_HEADS_PATH`. The folder
belongs on other storage than the database; copy it further away as often as you like.
"""

import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import connection
from django.utils import timezone

LONGEST_FILE = 1_000_000
KEPT_LINES = 2_000


class Anchor(NamedTuple):
    """A head as it once was: after `sequence` events the digest was `digest` (hex)."""

    sequence: int
    digest: str


def anchor() -> int:
    """Write every head that has moved since it was last anchored. Returns how many were written."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT organization_id, sequence, digest FROM iva_audit_audithead WHERE sequence > 0")
        heads = cursor.fetchall()
    written = 0
    for organization_id, sequence, digest in heads:
        last = newest(organization_id)
        if last is None or last.sequence < sequence:
            _append(organization_id, Anchor(sequence, bytes(digest).hex()))
            written += 1
    return written


def organizations() -> set[uuid.UUID]:
    """The organizations that have ever been anchored."""
    return {uuid.UUID(path.stem) for path in _folder().glob("*.jsonl")}


def anchors(organization_id: uuid.UUID) -> Iterator[Anchor]:
    """The anchored heads of an organization, oldest first."""
    path = _file(organization_id)
    if not path.exists():
        return
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            found = _read(line)
            if found is not None:
                yield found


def newest(organization_id: uuid.UUID) -> Anchor | None:
    """The last anchored head, read from the end of the file."""
    path = _file(organization_id)
    if not path.exists():
        return None
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 512))
        lines = file.read().splitlines()
    return next((found for line in reversed(lines) if (found := _read(line.decode())) is not None), None)


def _read(line: str) -> Anchor | None:
    """None for a line torn by a full disk or a crash; the next anchor goes on a line of its own."""
    try:
        entry = json.loads(line)
        return Anchor(int(entry["sequence"]), str(entry["digest"]))
    except (ValueError, KeyError, TypeError):
        return None


def _append(organization_id: uuid.UUID, head: Anchor) -> None:
    path = _file(organization_id)
    line = json.dumps({"sequence": head.sequence, "digest": head.digest, "at": timezone.now().isoformat()})
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "a", encoding="utf-8") as file:
        file.write(("\n" if _is_torn(path) else "") + line + "\n")
        file.flush()
        os.fsync(file.fileno())
    if path.stat().st_size > LONGEST_FILE:
        _thin(path)


def _is_torn(path: Path) -> bool:
    return path.stat().st_size > 0 and not path.read_bytes().endswith(b"\n")


def _thin(path: Path) -> None:
    """Keep the newest lines and every hundredth of the older ones; an anchor proves all before it."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = lines[:-KEPT_LINES:100] + lines[-KEPT_LINES:]
    replacement = path.with_suffix(".new")
    replacement.write_text("".join(kept), encoding="utf-8")
    replacement.chmod(0o600)
    replacement.replace(path)


def _folder() -> Path:
    folder = Path(settings.IVA_AUDIT_HEADS_PATH)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _file(organization_id: uuid.UUID) -> Path:
    return _folder() / f"{organization_id}.jsonl"
