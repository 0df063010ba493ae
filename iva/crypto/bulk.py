"""Sealing and revealing many values at once: one query for all the keys, then one tight loop.

The loops are long-winded on purpose: a page of messages feels every call inside them.
"""

import os
import uuid
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from django.db import models

from iva.crypto import aead, ring
from iva.crypto.fields import EncryptedField
from iva.crypto.ring import Ring
from iva.crypto.sealed import Assigned, Opened, blank

NO_BODY = bytes(aead.SHORTEST - aead.HEADER_BYTES)
_HEADER_OF = itemgetter(slice(0, 12))


def reveal(instances: Sequence[models.Model], *names: str) -> None:
    """Open these encrypted fields of many instances of one model, so that touching them costs nothing.

    What was sealed under a shredded key stays sealed, and raises KeyShredded when it is touched. Raises
    SealBroken, KeyUnknown and PurposeNotDeclared at once.
    """
    active = ring.current()
    for field in _fields(instances, names):
        try:
            if not _reveal_one_subjects(field, active, instances):
                _reveal_many_subjects(field, active, instances)
        except (aead.InvalidTag, ValueError):
            raise aead.SealBroken("an envelope was not sealed here, or was altered") from None


def seal(instances: Sequence[models.Model], *names: str) -> None:
    """Seal the values assigned to many instances ahead of their save (`bulk_create`, `save`).

    Locks the keys of all their subjects with one query. What was sealed ahead counts for this transaction
    only. Raises KeyShredded and KeyUnknown.
    """
    active = ring.current()
    for field in _fields(instances, names):
        held = [instance.__dict__.get(field.attname) for instance in instances]
        waiting = [(i, h) for i, h in zip(instances, held, strict=True) if isinstance(h, Assigned)]
        places = [field.bound_to(instance) for instance, _ in waiting]
        values = [h.value for _, h in waiting]
        subjects, rows = [place[0] for place in places], [place[1] for place in places]
        envelopes = seal_values(field, subjects, rows, values, active)
        for (_, h), place, envelope in zip(waiting, places, envelopes, strict=True):
            h.ahead = active, place, envelope


def seal_values(
    field: EncryptedField,
    subjects: Sequence[uuid.UUID],
    rows: Sequence[uuid.UUID],
    values: Sequence[Any],
    active: Ring | None = None,
) -> list[Any]:
    """Envelopes for values that are to be written by a statement of one's own; None stays None.

    `subjects` and `rows` are the ids each value is bound to. Raises KeyShredded and KeyUnknown.
    """
    active = active or ring.current()
    sealers, column, encode = active.hold(subjects), field.place, field.encode
    nonces, at = os.urandom(12 * len(values)), 0
    known: dict[int, tuple[bytes, Any, bytes]] = {}
    sealed: list[Any] = []
    for subject, row, value in zip(subjects, rows, values, strict=True):
        if value is None:
            sealed.append(None)
            continue
        way = known.get(subject.int)
        if way is None:
            _, cipher, header, prefix, _ = sealers[subject.int]
            way = known[subject.int] = header, cipher.encrypt, prefix + column
        header, encrypt, prefix = way
        nonce = nonces[at : at + 12]
        at += 12
        sealed.append(header + nonce + encrypt(nonce, encode(value), prefix + row.int.to_bytes(16, "big")))
    return sealed


def open_values(
    field: EncryptedField,
    subjects: Sequence[uuid.UUID] | uuid.UUID,
    rows: Sequence[uuid.UUID],
    envelopes: Sequence[bytes | None],
    active: Ring | None = None,
) -> list[Any]:
    """The values of envelopes that were read by a statement of one's own; None stays None.

    One UUID as `subjects` says that all of them belong to one subject. Raises SealBroken, KeyUnknown,
    PurposeNotDeclared, and KeyShredded if the key of any of them is gone.
    """
    active = active or ring.current()
    try:
        if isinstance(subjects, uuid.UUID):
            return _open_for_one(field, active, subjects, rows, envelopes)
        return _open_for_many(field, active, subjects, rows, envelopes)
    except (aead.InvalidTag, ValueError):
        raise aead.SealBroken("an envelope was not sealed here, or was altered") from None


def _open_for_one(
    field: EncryptedField,
    active: Ring,
    subject: uuid.UUID,
    rows: Sequence[uuid.UUID],
    envelopes: Sequence[bytes | None],
) -> list[Any]:
    """All under one key but in rare cases, so that the headers are compared at once and not one by one."""
    headers = set(map(_HEADER_OF, filter(None, envelopes)))
    if len(headers) != 1 or None in envelopes:
        return _open_for_many(field, active, [subject] * len(rows), rows, envelopes)
    decrypt, prefix, bound_to = active.opener(headers.pop() + NO_BODY, field)
    if bound_to != subject.int:
        raise aead.SealBroken("an envelope belongs to another subject")
    decode = field.decode
    return [
        decode(decrypt(envelope[12:24], envelope[24:], prefix + row.int.to_bytes(16, "big")))  # type: ignore[index]
        for envelope, row in zip(envelopes, rows, strict=True)
    ]


def _open_for_many(
    field: EncryptedField,
    active: Ring,
    subjects: Sequence[uuid.UUID],
    rows: Sequence[uuid.UUID],
    envelopes: Sequence[bytes | None],
) -> list[Any]:
    table, decode, looked = active.table(field), field.decode, False
    opened: list[Any] = []
    keep = opened.append
    for subject, row, envelope in zip(subjects, rows, envelopes, strict=True):
        if envelope is None:
            keep(None)
            continue
        opener = table.get(envelope[:12])
        if opener is None:
            looked = looked or _look_for_keys(field, active, envelopes)
            opener = active.opener(envelope, field)
        decrypt, prefix, bound_to = opener
        if bound_to != subject.int:
            raise aead.SealBroken("an envelope belongs to another subject")
        keep(decode(decrypt(envelope[12:24], envelope[24:], prefix + row.int.to_bytes(16, "big"))))
    return opened


def _reveal_one_subjects(field: EncryptedField, active: Ring, instances: Sequence[models.Model]) -> bool:
    """A conversation: one key for all, looked at once. False, and nothing done, where that is not so."""
    attname, subject_name, decode = field.attname, field.subject, field.decode
    if not _alike(instances[0].__dict__.get(attname), instances[-1].__dict__.get(attname)):
        return False
    states = [instance.__dict__ for instance in instances]
    envelopes: list[Any] = [state.get(attname) for state in states]
    if set(map(type, envelopes)) != {bytes} or len(set(map(_HEADER_OF, envelopes))) > 1:
        return False
    opener = active.table(field).get(envelopes[0][:12])
    if opener is None or {state[subject_name].int for state in states} != {opener.subject}:
        return False
    decrypt, prefix, _ = opener
    values = [
        decode(decrypt(e[12:24], e[24:], prefix + state["id"].int.to_bytes(16, "big")))
        for e, state in zip(envelopes, states, strict=True)
    ]
    for state, envelope, value in zip(states, envelopes, values, strict=True):
        state[attname] = held = blank(Opened)
        held.envelope = envelope
        held.value = value
    return True


def _alike(first: Any, last: Any) -> bool:
    return type(first) is bytes and type(last) is bytes and first[:12] == last[:12]


def _reveal_many_subjects(field: EncryptedField, active: Ring, instances: Sequence[models.Model]) -> None:
    """An inbox, or a page some of which is open already: each looked at by itself."""
    attname, subject_name, decode = field.attname, field.subject, field.decode
    table, looked = active.table(field), False
    for instance in instances:
        state = instance.__dict__
        envelope = state.get(attname)
        if type(envelope) is not bytes:
            continue
        opener = table.get(envelope[:12])
        if opener is None:
            looked = looked or _look_for_keys(field, active, [i.__dict__.get(attname) for i in instances])
            opener = table.get(envelope[:12])
            if opener is None:
                continue
        decrypt, prefix, bound_to = opener
        if bound_to != state[subject_name].int:
            raise aead.SealBroken("an envelope belongs to another subject")
        place = prefix + state["id"].int.to_bytes(16, "big")
        value = decode(decrypt(envelope[12:24], envelope[24:], place))
        state[attname] = held = blank(Opened)
        held.envelope = envelope
        held.value = value


def _look_for_keys(field: EncryptedField, active: Ring, envelopes: Sequence[Any]) -> bool:
    """One query for all keys that are not at hand. Those still missing afterwards are shredded."""
    missing = {envelope[:12] for envelope in envelopes if type(envelope) is bytes}.difference(
        active.table(field)
    )
    active.open_with({header: aead.key_id_of(header + NO_BODY) for header in missing}, field)
    return True


def _fields(instances: Sequence[models.Model], names: Sequence[str]) -> list[EncryptedField]:
    if not instances:
        return []
    fields = [instances[0]._meta.get_field(name) for name in names]
    wrong = [field.name for field in fields if not isinstance(field, EncryptedField)]
    if wrong:
        raise TypeError(f"not encrypted: {', '.join(wrong)}")
    return fields  # type: ignore[return-value]
