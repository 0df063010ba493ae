"""An invitation is worth what whoever gave it could give now: it ends with their membership or their power.

Otherwise somebody who is removed could come back through an invitation they left behind.
"""

import uuid

from django.utils import timezone

from accounts import roles
from accounts.models import Invitation
from accounts.roles import Role
from iva.audit import log as audit
from iva.audit.actors import Actor
from iva.audit.events import Event


def take_back(inviter_id: uuid.UUID, own: Role | None, *, actor: Actor) -> None:
    """End the open invitations of a member that they could give no longer.

    `own` is their role from now on, None where they are no member any more.
    """
    theirs = Invitation.objects.filter(invited_by=inviter_id, accepted_at=None, revoked_at=None)
    for invitation in theirs.order_by("id").select_for_update():
        if own is None or not roles.hands_out(own, Role(invitation.role)):
            Invitation.objects.filter(pk=invitation.pk).update(revoked_at=timezone.now())
            audit.record(Event.INVITATION_REVOKED, actor=actor, invitation=invitation.pk)
