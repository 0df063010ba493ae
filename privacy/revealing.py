"""Revealing one handle of one End User to one member, for a reason that stays in the audit trail."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from iva.audit import log as audit
from iva.audit.actors import Actor
from iva.audit.events import Event
from privacy.models import EndUserIdentity


class Reason(models.TextChoices):
    """Why somebody has to see a handle: a code, because free words would be personal data in the trail."""

    CALL_BACK = "call_back", _("To call or write back")
    VERIFY_IDENTITY = "verify_identity", _("To make sure who they are")
    CORRECT_RECORD = "correct_record", _("To correct or find a record in another system")
    DATA_SUBJECT_REQUEST = "data_subject_request", _("To answer a data-subject request")
    COMPLAINT = "complaint", _("To look into a complaint")
    FRAUD = "fraud", _("To look into a suspected fraud")


class NoSuchHandle(LookupError):
    """The End User has no such handle, or has been erased."""


def find(end_user_id: uuid.UUID, handle_id: uuid.UUID) -> EndUserIdentity:
    """A handle of this living End User, unopened. Raises NoSuchHandle."""
    found = EndUserIdentity.objects.filter(
        pk=handle_id, end_user_id=end_user_id, end_user__erased_at=None
    ).first()
    if found is None:
        raise NoSuchHandle
    return found


def reveal(identity: EndUserIdentity, reason: Reason, *, actor: Actor) -> str:
    """The handle in full; who saw whose, which and why is audited."""
    audit.record(
        Event.HANDLE_REVEALED,
        actor=actor,
        end_user=identity.end_user_id,
        handle=identity.pk,
        kind=identity.kind,
        reason=reason,
    )
    value: str = identity.handle
    return value
