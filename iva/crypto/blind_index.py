"""Blind indexes: equality search over what is encrypted (DESIGN 4, P23).

A token is HMAC-SHA-256 under a key that is derived for the organization and the index name, over a
normalized value, cut to 16 bytes: the same phone number in two organizations, or in two indexes, has
unrelated tokens. Within one organization and index equal values have equal tokens: that is what it is for,
and what it leaks. Keep tokens in B-tree columns, and delete them with the End User: they are personal data.
"""

from collections.abc import Iterable

from iva import tenancy
from iva.crypto import cache, ring
from iva.crypto.index_root import IndexRoot


def token(index_name: str, normalized: str) -> bytes:
    """16 bytes. The caller normalizes. Raises NoTenantActive, KeyUnknown, KeyServiceUnavailable."""
    return _root().token(index_name, normalized)


def tokens(index_name: str, values: Iterable[str]) -> list[bytes]:
    """One token for each value, in order."""
    root = _root()
    return [root.token(index_name, value) for value in values]


def _root() -> IndexRoot:
    organization_id = tenancy.active().organization_id
    found = cache.index_roots.peek(organization_id.bytes)
    if found is not None:
        return found
    key = ring.current().index_key()
    return cache.index_roots.get(organization_id.bytes, lambda: IndexRoot(key))
