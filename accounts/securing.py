"""What an organization demands of those who enter: a second factor, and from where they come."""

from django.db import transaction

from accounts import allow_list, organizations
from accounts.allow_list import Network
from accounts.models import Organization
from accounts.people import Acting
from accounts.roles import Permission
from iva.audit import log as audit
from iva.audit.events import Event
from iva.live import announcing as live


def secure(
    organization: Organization, *, second_factor: bool, networks: list[Network], by: Acting, address: str
) -> None:
    """Set both at once, inside `tenant()`; `address` is where this is being saved from.

    Raises WouldLockOut, NotPermitted and StepUpNeeded.
    """
    by.require(Permission.SECURITY_MANAGE)
    has_moved = allow_list.replace(networks, by=by, address=address)
    has_changed = organizations.demand_second_factor(organization, second_factor)
    if has_moved or has_changed:
        transaction.on_commit(lambda: live.access_changed(organization.pk))
        audit.record(
            Event.SECURITY_CHANGED,
            actor=by.actor,
            second_factor="demanded" if second_factor else "as_the_role_says",
            networks=len(networks),
        )
