"""What the trail says already, so that what is looked at again and again is written once."""

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Max

from iva import tenancy
from iva.audit.actors import Actor
from iva.audit.events import Event
from iva.audit.models import AuditEvent
from iva.tenancy import ids


def newest_of(
    event: Event, actor: Actor, end_users: Collection[uuid.UUID], *, within: timedelta
) -> dict[uuid.UUID, datetime]:
    """When an event of the actor's last spoke of each of these End Users, in the last `within`; one query."""
    said = AuditEvent.objects.filter(
        event=event.value,
        actor=str(actor),
        end_user_id__in=end_users,
        id__gt=ids.earlier(tenancy.new_id(), within),
    )
    return dict(said.values_list("end_user_id").annotate(newest=Max("occurred_at")))
