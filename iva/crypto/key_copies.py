"""A copy of the wrapped keys outside the database, made by every epoch roll before it destroys anything.

A dump older than the last roll holds keys that nothing can open any more: that is what makes erasure final,
and it would make the dump worthless for the living too. The copy holds the keys of the living as the roll has
re-wrapped them, and none of the erased; laid over a restored dump it opens the former and not the latter.

One file of JSON lines a roll, `epoch-<number>.jsonl`, mode 0600, in IVA_KEY_COPIES_PATH; the newest two are
kept. It is as secret as the table it copies: wrapped keys, useless without the key service.
"""

import base64
import json
import os
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from django.conf import settings

from iva import tenancy
from iva.audit import log as audit
from iva.audit.events import Event
from iva.crypto import ledger, rewrapping, unwrapping
from iva.crypto.models import DataKey, OrganizationKey, ShreddedKey
from iva.crypto.unwrapping import KeyRow

KEPT = 2
PAGE = 5_000


class NoKeyCopy(LookupError):
    """There is no copy to lay over the database."""


def keep(epoch: int, organization_ids: Iterable[uuid.UUID]) -> Path:
    """Write the wrapped keys of every organization, durably, and forget all but the newest copies."""
    folder = _folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = folder / "unfinished"
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        for organization_id in organization_ids:
            with tenancy.tenant(organization_id):
                file.writelines(json.dumps(row) + "\n" for row in _rows(organization_id))
        file.flush()
        os.fsync(file.fileno())
    finished = unfinished.rename(folder / f"epoch-{epoch:012d}.jsonl")
    for old in copies()[:-KEPT]:
        old.unlink()
    return finished


def copies() -> list[Path]:
    """The copies there are, the oldest first."""
    return sorted(_folder().glob("epoch-*.jsonl"))


def lay_over(path: Path | None = None) -> int:
    """Replace keys that nothing opens any more by their copies; returns how many data keys.

    For a restored dump older than the last roll, before any traffic; where the organization's keys open, it
    changes nothing. Keys that the ledger lists stay out and leave a tombstone. Each organization is one
    transaction, at whose end every key has been opened once. Raises NoKeyCopy and WrapBroken.
    """
    kept = copies()
    if path is None and not kept:
        raise NoKeyCopy(str(_folder()))
    laid = 0
    with (path or kept[-1]).open(encoding="utf-8") as lines:
        rows = (json.loads(line) for line in lines)
        for organization, its_rows in groupby(rows, key=lambda row: row["organization"]):
            with tenancy.tenant(uuid.UUID(organization)):
                laid += _replace(list(its_rows))
    return laid


def _rows(organization_id: uuid.UUID) -> Iterator[dict[str, Any]]:
    for key in OrganizationKey.objects.order_by("generation"):
        yield {
            "organization": str(organization_id),
            "organization_key": str(key.pk),
            "generation": key.generation,
            "epoch": key.epoch,
            "wrapped": base64.b64encode(key.wrapped).decode(),
            "created_at": key.created_at.isoformat(),
        }
    last = -1
    while page := list(DataKey.objects.filter(pk__gt=last).order_by("pk")[:PAGE]):
        for data_key in page:
            yield {
                "organization": str(organization_id),
                "data_key": data_key.pk,
                "purpose": data_key.purpose,
                "subject": str(data_key.subject_id),
                "under": str(data_key.organization_key_id),
                "wrapped": base64.b64encode(data_key.wrapped).decode(),
                "created_at": data_key.created_at.isoformat(),
            }
        last = page[-1].pk


def _replace(rows: list[dict[str, Any]]) -> int:
    organization_id = tenancy.active().organization_id
    lost = [key for key in OrganizationKey.objects.all() if not rewrapping.opens(organization_id, key)]
    if not lost:
        return 0
    _bury_what_was_under(lost)
    kept = {key.generation: key for key in OrganizationKey.objects.all()}
    copied = {row["organization_key"]: _organization_key(row) for row in rows if "organization_key" in row}
    OrganizationKey.objects.bulk_create(key for key in copied.values() if key.generation not in kept)
    under = {uuid.UUID(pk): kept.get(key.generation, key).pk for pk, key in copied.items()}
    there = set(DataKey.objects.values_list("pk", flat=True))
    dead = ledger.current().shredded(organization_id)
    data_keys = [
        _data_key(row, under)
        for row in rows
        if "data_key" in row and row["data_key"] not in dead and row["data_key"] not in there
    ]
    DataKey.objects.bulk_create(data_keys, batch_size=PAGE)
    _make_sure_they_open(organization_id)
    audit.record(Event.KEYS_LAID_OVER, keys=len(data_keys))
    return len(data_keys)


def _bury_what_was_under(lost: list[OrganizationKey]) -> None:
    dead = ledger.current().shredded(tenancy.active().organization_id)
    gone = DataKey.objects.filter(organization_key__in=lost)
    ShreddedKey.objects.bulk_create(
        (
            ShreddedKey(id=key_id, subject_id=subject_id)
            for key_id, subject_id in gone.values_list("pk", "subject_id")
            if key_id in dead
        ),
        batch_size=PAGE,
        ignore_conflicts=True,
    )
    gone.delete()
    ShreddedKey.objects.filter(organization_key__in=lost).update(organization_key=None)
    OrganizationKey.objects.filter(pk__in=[key.pk for key in lost]).delete()


def _make_sure_they_open(organization_id: uuid.UUID) -> None:
    """Raises WrapBroken, KeyRotated: then the copy is of another history than the database."""
    keys, last = unwrapping.OrganizationKeys(organization_id), -1
    while page := list(DataKey.objects.filter(pk__gt=last).order_by("pk")[:PAGE]):
        for key in page:
            keys.data_cipher(KeyRow(key.pk, key.subject_id, key.purpose, bytes(key.wrapped)))
        last = page[-1].pk


def _organization_key(row: dict[str, Any]) -> OrganizationKey:
    return OrganizationKey(
        pk=uuid.UUID(row["organization_key"]),
        generation=row["generation"],
        epoch=row["epoch"],
        wrapped=base64.b64decode(row["wrapped"]),
        created_at=datetime.fromisoformat(row["created_at"]),
    )


def _data_key(row: dict[str, Any], under: dict[uuid.UUID, uuid.UUID]) -> DataKey:
    return DataKey(
        pk=row["data_key"],
        purpose=row["purpose"],
        subject_id=uuid.UUID(row["subject"]),
        organization_key_id=under[uuid.UUID(row["under"])],
        wrapped=base64.b64decode(row["wrapped"]),
        created_at=datetime.fromisoformat(row["created_at"]),
    )


def _folder() -> Path:
    return Path(settings.IVA_KEY_COPIES_PATH)
