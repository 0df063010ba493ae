"""Moving an organization to a new epoch, step by step; every step may be the last before a crash."""

import uuid
from collections.abc import Sequence

from django.db import IntegrityError, connection, transaction

from iva import tenancy
from iva.audit import log as audit
from iva.audit.actors import Actor
from iva.audit.events import Event
from iva.crypto import aead, kms, ledger, unwrapping, wrapping
from iva.crypto.models import DataKey, OrganizationKey, ShreddedKey
from iva.crypto.unwrapping import KeyRow

BATCH = 1_000
WRAPPED_UNDER = (
    "SELECT id, subject_id, purpose, wrapped FROM iva_crypto_datakey"
    " WHERE organization_id = %s AND organization_key_id = %s ORDER BY id LIMIT %s FOR NO KEY UPDATE"
)
LEFT_UNDER = (
    "SELECT id FROM iva_crypto_datakey WHERE organization_id = %s"
    " AND substring(wrapped from %s::int for 4) = int4send(%s::int) LIMIT 1"
)
REWRAP = (
    "UPDATE iva_crypto_datakey AS key SET wrapped = anew.wrapped, organization_key_id = %s"
    " FROM unnest(%s::bigint[], %s::bytea[]) AS anew (id, wrapped)"
    " WHERE key.organization_id = %s AND key.id = anew.id"
)


def move_to(organization_id: uuid.UUID, epoch: int) -> int | None:
    """Bring the organization's newest key under the epoch.

    Where something was destroyed since the last roll has finished, under a new key; returns the number of
    the ledger's line through which that makes it final, otherwise None. Both the ledger and the database are
    asked, so that neither can hide it. Does nothing when the key is there already. Raises what the key
    service raises, and LedgerBroken.
    """
    with tenancy.tenant(organization_id):
        newest = OrganizationKey.objects.select_for_update(no_key=True).order_by("-generation").first()
        if newest is None or newest.epoch >= epoch:
            return None
        through = ledger.current().last(organization_id)
        known_here = ShreddedKey.objects.filter(organization_key=newest).exists()
        if known_here or ledger.current().awaits_roll(organization_id):
            _begin_generation(newest.generation + 1, epoch)
            return through
        _rewrap(newest, epoch)
        return None


def opens(organization_id: uuid.UUID, key: OrganizationKey) -> bool:
    """Whether the key service opens the key, asked now and not of a cache."""
    context = wrapping.organization_context(organization_id, key.generation)
    try:
        kms.service().unwrap(key.epoch, bytes(key.wrapped), context)
    except (kms.EpochDestroyed, kms.WrapBroken):
        return False
    return True


def move_data_keys(organization_id: uuid.UUID, actor: Actor) -> int:
    """Re-wrap what older generations wrap under the newest, then let them go. Returns how many data keys."""
    moved = 0
    while True:
        with tenancy.tenant(organization_id):
            generations = list(OrganizationKey.objects.order_by("generation"))
            if len(generations) < 2:
                return moved
            oldest, newest = generations[0], generations[-1]
            batch = _move_batch(oldest, newest)
            moved += batch
            if not batch and _let_go(oldest):
                audit.record(Event.ORGANIZATION_KEY_ROTATED, actor=actor, generation=newest.generation)


def _begin_generation(generation: int, epoch: int) -> None:
    organization_id, key = tenancy.active().organization_id, wrapping.new_key()
    context = wrapping.organization_context(organization_id, generation)
    wrapped = kms.service().wrap(epoch, key, context)
    OrganizationKey.objects.create(generation=generation, epoch=epoch, wrapped=wrapped)


def _rewrap(row: OrganizationKey, epoch: int) -> None:
    context = wrapping.organization_context(row.organization_id, row.generation)
    key = kms.service().unwrap(row.epoch, bytes(row.wrapped), context)
    row.wrapped, row.epoch = kms.service().wrap(epoch, key, context), epoch
    row.save(update_fields=["wrapped", "epoch"])


def _move_batch(old: OrganizationKey, new: OrganizationKey) -> int:
    with connection.cursor() as cursor:
        cursor.execute(WRAPPED_UNDER, [old.organization_id, old.pk, BATCH])
        rows = [
            KeyRow(key_id, subject, purpose, bytes(wrapped)) for key_id, subject, purpose, wrapped in cursor
        ]
        if rows:
            anew = _wrapped_anew(rows, old, new)
            cursor.execute(REWRAP, [new.pk, [row.key_id for row in rows], anew, old.organization_id])
    return len(rows)


def _wrapped_anew(rows: Sequence[KeyRow], old: OrganizationKey, new: OrganizationKey) -> list[bytes]:
    under_old, under_new = _cipher(old), _cipher(new)
    anew = []
    for row in rows:
        name = wrapping.KeyName(old.organization_id, row.subject_id, row.purpose, row.key_id, old.generation)
        try:
            key = wrapping.unwrap(under_old, name, row.wrapped)
        except wrapping.WrapBroken as broken:
            raise wrapping.WrapBroken(f"key {row.key_id} of {old.organization_id}: {broken}") from None
        anew.append(wrapping.wrap(under_new, name._replace(generation=new.generation), key))
    return anew


def _cipher(row: OrganizationKey) -> aead.Cipher:
    return unwrapping.organization_cipher(row.organization_id, row.generation, row.epoch, bytes(row.wrapped))


def _let_go(old: OrganizationKey) -> bool:
    """Delete an organization key that wraps nothing. False if somebody was quicker and it wraps again.

    Asks the wrapped bytes, not only the column beside them. Raises WrapBroken where the two disagree.
    """
    if DataKey.objects.filter(organization_key=old).exists():
        return False
    with connection.cursor() as cursor:
        cursor.execute(LEFT_UNDER, [old.organization_id, wrapping.GENERATION_AT + 1, old.generation])
        left = cursor.fetchone()
    if left is not None:
        raise wrapping.WrapBroken(f"key {left[0]} of {old.organization_id} says it is under another key")
    try:
        with transaction.atomic():
            ShreddedKey.objects.filter(organization_key=old).update(organization_key=None)
            OrganizationKey.objects.filter(pk=old.pk).delete()
    except IntegrityError:
        return False
    return True
