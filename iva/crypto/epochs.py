"""Rolling the epoch: after it no backup older than the roll can open what was erased before it (DESIGN 4).

    1  begin a new epoch
    2  every organization: where the erasure ledger or the database names a key shredded since the last roll,
       a new organization key, under which the surviving data keys are re-wrapped in batches, after which the
       old one's row goes; elsewhere the same organization key, wrapped anew under the new epoch
    3  alone, so that nobody is founded meanwhile: look again, and move whoever was left behind
    4  copy the re-wrapped keys to a place outside the database, for dumps older than this roll
    5  destroy the older epochs, and write down since when what was shredded is unrecoverable

Both halves are needed. With only the epoch renewed, the unchanged organization key would open an erased data
key out of an old backup; with only the organization key renewed, the old one could be unwrapped. Each step
is its own short transaction: readers and writers go on, and a roll that died is simply begun again.
"""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from iva import tenancy
from iva.audit import log as audit
from iva.audit.actors import SYSTEM, Actor
from iva.audit.events import Event
from iva.audit.models import AuditHead
from iva.crypto import epoch_lock, key_copies, kms, ledger, rewrapping
from iva.crypto.epoch_lock import RollInProgress
from iva.crypto.ledger import Mark
from iva.crypto.models import OrganizationKey, ShreddedKey

__all__ = ["RollInProgress", "RollIncomplete", "RollReport", "roll"]

Organizations = Callable[[], Iterable[uuid.UUID]]


class RollIncomplete(RuntimeError):
    """An organization's key does not open under the new epoch; nothing was destroyed. Carries its id."""


@dataclass
class RollReport:
    """What a roll did. `unrecoverable_at` is the moment from which nobody can bring the old epochs back."""

    began_at: datetime
    epoch: int = 0
    organizations: int = 0
    rotated: dict[uuid.UUID, int] = field(default_factory=dict)
    data_keys: int = 0
    destroyed: list[int] = field(default_factory=list)
    unrecoverable_at: datetime | None = None
    ended_at: datetime | None = None


def roll(organization_ids: Organizations, *, actor: Actor = SYSTEM) -> RollReport:
    """Roll the epoch for every organization; call outside `tenant()`.

    `organization_ids` is called again before anything is destroyed, for those founded meanwhile, and must
    name every organization there is. Raises RollInProgress, KeyServiceUnavailable, and WrapBroken for a data
    key that somebody altered: it has to be repaired or deleted knowingly, because afterwards no backup could
    bring it back. Whatever is raised, nothing is lost, and calling `roll` again completes it.
    """
    report = RollReport(began_at=timezone.now())
    with epoch_lock.one_roll():
        report.epoch = kms.service().begin_epoch()
        _move_all(organization_ids, report, actor)
        with epoch_lock.alone():
            _move_all(organization_ids, report, actor)
            _make_sure_everybody_opens(organization_ids, report.epoch)
            key_copies.keep(report.epoch, organization_ids())
            _destroy_older(report)
        _conclude(organization_ids, report, actor)
    report.ended_at = timezone.now()
    return report


def _move_all(organization_ids: Organizations, report: RollReport, actor: Actor) -> None:
    for organization_id in organization_ids():
        through = rewrapping.move_to(organization_id, report.epoch)
        if through is not None:
            report.rotated[organization_id] = through
        report.data_keys += rewrapping.move_data_keys(organization_id, actor)


def _make_sure_everybody_opens(organization_ids: Organizations, epoch: int) -> None:
    """Nothing is destroyed on the word of a column: every organization's key is unwrapped, now.

    Organizations are also taken from the audit heads, in case the list was tampered with. Raises
    RollIncomplete.
    """
    known = set(organization_ids()) | set(AuditHead.objects.values_list("organization_id", flat=True))
    for organization_id in sorted(known):
        with tenancy.tenant(organization_id):
            for key in OrganizationKey.objects.all():
                if key.epoch != epoch or not rewrapping.opens(organization_id, key):
                    raise RollIncomplete(str(organization_id))


def _destroy_older(report: RollReport) -> None:
    for epoch in kms.service().epochs():
        if epoch < report.epoch:
            gone_at = kms.service().destroy_epoch(epoch)
            report.destroyed.append(epoch)
            report.unrecoverable_at = max(gone_at, report.unrecoverable_at or gone_at)


def _conclude(organization_ids: Organizations, report: RollReport, actor: Actor) -> None:
    """Write into the ledger what has become final, and then what the ledger says into the database."""
    since = report.unrecoverable_at or timezone.now()
    for organization_id, through in report.rotated.items():
        ledger.current().mark(organization_id, Mark(through, since))
    finals = ledger.current().finals()
    for organization_id in organization_ids():
        with tenancy.tenant(organization_id):
            if not OrganizationKey.objects.exists():
                continue
            report.organizations += 1
            for gone_at, key_ids in finals.get(organization_id, {}).values():
                ShreddedKey.objects.filter(id__in=key_ids, unrecoverable_at=None).update(
                    unrecoverable_at=gone_at
                )
            audit.record(Event.EPOCH_ROLLED, actor=actor, epoch=report.epoch)
