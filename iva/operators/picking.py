"""The organization an operator looks at: picked for a reason, for an hour, in the organization's own trail.

Operators have no way around the wall (P35, P50): rows are seen in a transaction of the one they picked.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest
from django.utils import timezone

from accounts import references
from accounts.models import Organization
from iva import tenancy
from iva.audit import log as audit
from iva.audit.events import Event
from iva.operators.entering import operator
from iva.personal_data import Purpose

PICKED = "picked_organization"
LASTS = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Picked:
    """What an operator looks at. `reference` says why; it ends `until` then by itself."""

    organization: Organization
    reference: str
    until: datetime


def pick(request: HttpRequest, organization: Organization, reference: str) -> None:
    """Begin to look at one organization; audited in its own trail. Raises NotAReference."""
    code = references.read(reference)
    _record(Event.ORGANIZATION_PICKED, request, organization.pk, code)
    until = timezone.now() + LASTS
    request.session[PICKED] = {
        "organization": str(organization.pk),
        "reference": code,
        "until": until.isoformat(),
    }


def picked(request: HttpRequest) -> Picked | None:
    """What the operator has picked in this session, unless its hour is over."""
    kept = request.session.get(PICKED)
    if kept is None:
        return None
    until = datetime.fromisoformat(kept["until"])
    organization = Organization.objects.filter(pk=uuid.UUID(kept["organization"])).first()
    if organization is None or until <= timezone.now():
        del request.session[PICKED]
        return None
    return Picked(organization, kept["reference"], until)


def leave(request: HttpRequest) -> None:
    """Look at nobody any more; audited like the picking."""
    looked_at = picked(request)
    if looked_at is not None:
        _record(Event.ORGANIZATION_LEFT, request, looked_at.organization.pk, looked_at.reference)
        del request.session[PICKED]


def _record(event: Event, request: HttpRequest, organization_id: uuid.UUID, reference: str) -> None:
    with tenancy.tenant(organization_id, Purpose.SUPPORT_TECHNICAL):
        audit.record(event, actor=operator(request), reference=reference)
