"""What the trail says already, so that what is looked at again and again is written once."""

import uuid
from collections.abc import Collection
from datetime import timedelta

from iva import tenancy
from iva.audit.actors import Actor
from iva.audit.events import Event
from iva.audit.models import AuditEvent
from iva.tenancy import ids


def end_users_of(
    event: Event, actor: Actor, end_users: Collection[uuid.UUID], *, within: timedelta
) -> set[uuid.UUID]:
    """Of these End Users, those of whom an event of the actor's in the last `within` speaks; one query."""
    said = AuditEvent.objects.filter(
        event=event.value,
        actor=str(actor),
        end_user_id__in=end_users,
        id__gt=ids.earlier(tenancy.new_id(), within),
    )
    return set(said.values_list("end_user_id", flat=True))
