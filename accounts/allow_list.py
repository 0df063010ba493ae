"""From which networks an organization may be used: its dashboard and its API (P50, P54).

A process remembers an organization's list for a few seconds, as it does a recognized API key; a change is
noticed by other processes within `IVA_API_KEY_CACHE_SECONDS` (at most five), by the one that made it at once.
"""

import ipaddress
import re
import threading
import time
import uuid
from collections import OrderedDict
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import AllowList
from accounts.people import Acting
from accounts.roles import Permission
from iva import tenancy
from iva.personal_data import Purpose

MOST = 50
MOST_CACHED = 10_000

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class NetworkInvalid(ValueError):
    """What was written is no network in CIDR notation (RFC 4632, RFC 4291 2.3).

    `meant` is the network of an address whose host bits are set, None where nothing can be guessed.
    """

    def __init__(self, written: str, meant: str | None = None) -> None:
        self.written, self.meant = written, meant
        super().__init__("not a network")


class TooManyNetworks(ValueError):
    """A list has at most fifty networks."""


class WouldLockOut(Exception):
    """The list does not contain the address from which it is being saved."""


class Networks(NamedTuple):
    """Networks as numbers, to be compared in a moment: version, mask and first address of each."""

    ranges: tuple[tuple[int, int, int], ...] = ()

    def admits(self, address: str) -> bool:
        """Whether the list is empty, or contains the address. What is no address is in no network."""
        if not self.ranges:
            return True
        try:
            ip = plain(address)
        except ValueError:
            return False
        number, version = int(ip), ip.version
        return any(kind == version and number & mask == first for kind, mask, first in self.ranges)


def plain(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The address; one that is IPv4 written in IPv6 (`::ffff:…`) as what it is. Raises ValueError."""
    ip = ipaddress.ip_address(address)
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return mapped or ip


def parse(text: str) -> list[Network]:
    """The networks in a text, one a line or parted by commas, each once.

    A single address is a network of its own. Raises NetworkInvalid and TooManyNetworks.
    """
    found = list(dict.fromkeys(_network(word) for word in re.split(r"[\s,;]+", text) if word))
    if len(found) > MOST:
        raise TooManyNetworks
    return found


def read() -> list[str]:
    """The list of the active organization, empty when it may be used from anywhere."""
    kept = AllowList.objects.first()
    return kept.networks.split("\n") if kept else []


def replace(networks: list[Network], *, by: Acting, address: str) -> bool:
    """Set the active organization's list; an empty one opens it to everywhere. Says whether it changed.

    Raises WouldLockOut if `address`, from which it is saved, would be refused; NotPermitted, StepUpNeeded.
    """
    by.require(Permission.SECURITY_MANAGE)
    if not compiled(networks).admits(address):
        raise WouldLockOut
    written = [str(network) for network in networks]
    kept = AllowList.objects.select_for_update().first()
    if (kept.networks.split("\n") if kept else []) == written:
        return False
    if kept is None:
        AllowList.objects.create(networks="\n".join(written))
    elif not written:
        kept.delete()
    else:
        kept.networks, kept.changed_at = "\n".join(written), timezone.now()
        kept.save(update_fields=["networks", "changed_at"])
    organization_id = tenancy.active().organization_id
    transaction.on_commit(lambda: _remembered.forget(organization_id))
    return True


def admits(organization_id: uuid.UUID, address: str) -> bool:
    """Whether the organization may be used from this address. Opens a transaction every few seconds."""
    return (_remembered.get(organization_id) or of(organization_id)).admits(address)


def of(organization_id: uuid.UUID) -> Networks:
    """The organization's list as it is now, whatever is remembered. Opens a transaction."""
    with tenancy.tenant(organization_id, Purpose.ACCOUNT_AUTHENTICATE):
        networks = compiled(parse("\n".join(read())))
    _remembered.put(organization_id, networks)
    return networks


def _network(word: str) -> Network:
    try:
        return ipaddress.ip_network(word)
    except ValueError:
        raise NetworkInvalid(word, _meant(word)) from None


def _meant(word: str) -> str | None:
    try:
        return str(ipaddress.ip_network(word, strict=False))
    except ValueError:
        return None


def compiled(networks: list[Network]) -> Networks:
    """The networks, ready to be compared with addresses."""
    return Networks(
        tuple((network.version, int(network.netmask), int(network.network_address)) for network in networks)
    )


class _Remembered:
    """Lists, each for a few seconds; bounded, oldest out first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: OrderedDict[uuid.UUID, tuple[float, Networks]] = OrderedDict()

    def get(self, organization_id: uuid.UUID) -> Networks | None:
        found = self._entries.get(organization_id)
        return found[1] if found and found[0] > time.monotonic() else None

    def put(self, organization_id: uuid.UUID, networks: Networks) -> None:
        with self._lock:
            self._entries.pop(organization_id, None)
            self._entries[organization_id] = (time.monotonic() + settings.IVA_API_KEY_CACHE_SECONDS, networks)
            while len(self._entries) > MOST_CACHED:
                self._entries.popitem(last=False)

    def forget(self, organization_id: uuid.UUID) -> None:
        with self._lock:
            self._entries.pop(organization_id, None)


_remembered = _Remembered()
