"""Rolling the key epoch, and noting for whom it has made erasure final (DESIGN 4)."""

import uuid

from accounts import organizations
from iva import tenancy
from iva.audit.actors import SYSTEM, Actor
from iva.crypto import epochs, ledger
from privacy.models import ErasureRecord


def roll_epoch(actor: Actor = SYSTEM) -> epochs.RollReport:
    """Roll the epoch for every organization; from then on no older backup opens what was erased.

    Raises RollInProgress and KeyServiceUnavailable.
    """
    report = epochs.roll(organizations.every_id, actor=actor)
    for organization_id, final in ledger.current().finals().items():
        _note(organization_id, final)
    return report


def note_sealed(organization_id: uuid.UUID) -> None:
    """Write into each erasure record since when no backup can open what it speaks of.

    The erasure ledger says so, not a table that a restore or a thief may have altered.
    """
    _note(organization_id, ledger.current().finals().get(organization_id, {}))


def _note(organization_id: uuid.UUID, final: ledger.Finals) -> None:
    with tenancy.tenant(organization_id, purpose="legal.requirement"):
        for record in ErasureRecord.objects.filter(sealed_at=None, end_user_id__in=list(final)):
            record.sealed_at, _ = final[record.end_user_id]
            record.save(update_fields=["sealed_at"])
