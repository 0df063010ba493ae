"""Founding an organization and ending its access."""

import uuid
import zoneinfo
from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts import one_line
from accounts.models import Organization
from iva import tenancy
from iva.audit import log as audit
from iva.audit.actors import SYSTEM, Actor
from iva.audit.events import Event
from iva.crypto import keys
from iva.live import announcing as live


class TimeZoneUnknown(ValueError):
    """The IANA time zone database has no such zone."""


def found(name: str, slug: str, actor: Actor = SYSTEM, *, id: uuid.UUID | None = None) -> Organization:
    """Create an organization with its keys and the beginning of its audit chain, or nothing at all.

    Inside `tenant()` of its future id it joins that transaction. Raises NotOneLine, and IntegrityError for a
    slug in use.
    """
    one_line.refuse_breaks(name)
    organization = Organization(name=name, slug=slug, id=id or tenancy.new_id())
    with tenancy.tenant(organization.id):
        organization.save(force_insert=True)
        audit.begin(organization.id)
        keys.found()
        audit.record(Event.ORGANIZATION_FOUNDED, actor=actor)
    return organization


def suspend(organization: Organization, actor: Actor) -> None:
    """Close every door of the organization; its data stays as it is."""
    _set_suspension(organization, suspended=True, actor=actor)


def reinstate(organization: Organization, actor: Actor) -> None:
    """Open the doors again."""
    _set_suspension(organization, suspended=False, actor=actor)


def close(organization: Organization) -> None:
    """Suspend it and end its contract at once: nobody is left who could have one."""
    suspend(organization, SYSTEM)
    Organization.objects.filter(pk=organization.pk).update(contract_ended_at=timezone.now())


def describe(organization: Organization, name: str, time_zone: str, actor: Actor) -> None:
    """Change its name and time zone.

    Raises NotOneLine, and TimeZoneUnknown for what the IANA database does not have.
    """
    one_line.refuse_breaks(name)
    if time_zone not in zoneinfo.available_timezones():
        raise TimeZoneUnknown(time_zone)
    if (organization.name, organization.time_zone) == (name, time_zone):
        return
    with tenancy.tenant(organization.id):
        organization.name, organization.time_zone = name, time_zone
        organization.save(update_fields=["name", "time_zone"])
        audit.record(Event.ORGANIZATION_CHANGED, actor=actor)


def demand_second_factor(organization: Organization, demanded: bool) -> bool:
    """Whether all of its members need a second factor. Says whether that is a change."""
    return bool(
        Organization.objects.filter(pk=organization.pk)
        .exclude(demands_second_factor=demanded)
        .update(demands_second_factor=demanded)
    )


def demanding_second_factor(organization_ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Which of these ask all of their members for one."""
    demanding = Organization.objects.filter(pk__in=list(organization_ids), demands_second_factor=True)
    return set(demanding.values_list("pk", flat=True))


def every_id() -> Iterator[uuid.UUID]:
    """The ids of all organizations, for work that visits each in turn."""
    yield from Organization.objects.order_by("id").values_list("id", flat=True)


def parties_since(moment: datetime) -> Iterator[uuid.UUID]:
    """The ids of those founded by then whose contract runs and who are not suspended."""
    founded = Organization.objects.filter(founded_at__lte=moment)
    running = founded.filter(suspended_at=None, contract_ended_at=None)
    yield from running.order_by("id").values_list("id", flat=True)


def _set_suspension(organization: Organization, *, suspended: bool, actor: Actor) -> None:
    event = Event.ORGANIZATION_SUSPENDED if suspended else Event.ORGANIZATION_REINSTATED
    with tenancy.tenant(organization.id):
        organization.suspended_at = timezone.now() if suspended else None
        organization.save(update_fields=["suspended_at"])
        audit.record(event, actor=actor)
        transaction.on_commit(lambda: live.access_changed(organization.id))
