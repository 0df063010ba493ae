"""Rolling the key epoch, and noting for whom it has made erasure final (DESIGN 4)."""

import uuid

from accounts import organizations
from iva import tenancy
from iva.audit.actors import SYSTEM, Actor
from iva.crypto import epochs
from iva.crypto.models import ShreddedKey
from privacy.models import ErasureRecord


def roll_epoch(actor: Actor = SYSTEM) -> epochs.RollReport:
    """Roll the epoch for every organization; from then on no older backup opens what was erased.

    Raises RollInProgress and KeyServiceUnavailable.
    """
    report = epochs.roll(organizations.every_id, actor=actor)
    for organization_id in organizations.every_id():
        note_sealed(organization_id)
    return report


def note_sealed(organization_id: uuid.UUID) -> None:
    """Write into each erasure record since when no backup can open what it speaks of."""
    with tenancy.tenant(organization_id, purpose="legal.requirement"):
        waiting = ErasureRecord.objects.filter(sealed_at=None)
        final = dict(
            ShreddedKey.objects.filter(
                subject_id__in=waiting.values("end_user_id"), unrecoverable_at__isnull=False
            ).values_list("subject_id", "unrecoverable_at")
        )
        for record in waiting.filter(end_user_id__in=list(final)):
            record.sealed_at = final[record.end_user_id]
            record.save(update_fields=["sealed_at"])
