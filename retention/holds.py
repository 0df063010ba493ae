"""Placing and releasing legal holds, and asking whether one stands in the way."""

import re
import uuid

from django.db.models import Q
from django.utils import timezone

from iva.audit import log as audit
from iva.audit.actors import Actor
from iva.audit.events import Event
from iva.crypto.models import DataKey, OrganizationKey
from retention.models import LegalHold

MATTER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}")


class LegalHoldInForce(Exception):
    """A legal hold forbids the disposal."""


class NotAMatterNumber(ValueError):
    """A matter is a reference number: letters, digits, dots, slashes and dashes, at most 64."""


def place(matter: str, *, actor: Actor, subject_id: uuid.UUID | None = None) -> LegalHold:
    """Hold an End User's data, or the whole organization's when no subject is named."""
    if not MATTER.fullmatch(matter):
        raise NotAMatterNumber(matter)
    _wait_for_erasures(subject_id)
    hold = LegalHold.objects.create(matter=matter, subject_id=subject_id, placed_by=str(actor))
    audit.record(Event.LEGAL_HOLD_PLACED, actor=actor, legal_hold=hold.pk, end_user=subject_id)
    return hold


def _wait_for_erasures(subject_id: uuid.UUID | None) -> None:
    """Lock what an erasure locks first, so that a hold comes wholly before it or wholly after."""
    if subject_id is None:
        list(OrganizationKey.objects.select_for_update().values_list("id", flat=True))
    else:
        list(DataKey.objects.select_for_update().filter(subject_id=subject_id).values_list("id", flat=True))


def release(hold: LegalHold, *, actor: Actor) -> None:
    """End a hold; it stays on record."""
    if LegalHold.objects.filter(pk=hold.pk, released_at=None).update(released_at=timezone.now()):
        audit.record(Event.LEGAL_HOLD_RELEASED, actor=actor, legal_hold=hold.pk)


def refuse_if_held(subject_id: uuid.UUID) -> None:
    """Raises LegalHoldInForce. Ask inside the transaction that disposes: a hold may have come since."""
    if is_held(subject_id):
        raise LegalHoldInForce


def is_held(subject_id: uuid.UUID) -> bool:
    """Whether a hold on the End User, or on the whole organization, is in force."""
    named = Q(subject_id=subject_id) | Q(subject_id=None)
    return LegalHold.objects.filter(named, released_at=None).exists()
