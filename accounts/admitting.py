"""At every door of an organization: may it be used from where this request comes?

A refusal leaves an event in the organization's trail, once an hour for each address and door, so that a
machine that knocks all day does not fill it. The event names who knocked; the address itself is not written.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from django.utils.crypto import salted_hmac
from limits import RateLimitItemPerHour

from accounts import allow_list, throttling
from iva import tenancy
from iva.audit import log as audit
from iva.audit.actors import Actor
from iva.audit.events import Event
from iva.personal_data import Purpose

ONCE = RateLimitItemPerHour(1, namespace="iva:refused-addresses")


class AddressNotAllowed(Exception):
    """The organization is not used from this network."""


def admit(organization_id: uuid.UUID, meta: Mapping[str, Any], actor: Actor, *, door: str) -> None:
    """Raises AddressNotAllowed. Outside any transaction. `door`: `dashboard` or `api`."""
    address = throttling.peer(meta)
    if allow_list.admits(organization_id, address):
        return
    if _is_first(f"{organization_id}:{door}:{address}"):
        with tenancy.tenant(organization_id, Purpose.ACCOUNT_AUTHENTICATE):
            audit.record(Event.ADDRESS_REFUSED, actor=actor, door=door)
    raise AddressNotAllowed


def _is_first(knock: str) -> bool:
    """Valkey counts under a keyed hash: no address lies there because of a refusal."""
    return throttling.limiter.hit(ONCE, salted_hmac("iva.admitting", knock).hexdigest()) is None
