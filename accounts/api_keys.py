"""Issuing, recognizing and revoking API keys.

A token names its organization, so that the wall stands before a row is read (`accounts/tokens.py`).
"""

import hashlib
import hmac
import json
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import structlog
from django.conf import settings
from django.utils import timezone

from accounts import agreements, tokens
from accounts.models import ApiKey, Organization
from accounts.scopes import Scope
from accounts.tokens import Token
from iva import tenancy
from iva.audit import log as audit
from iva.audit.actors import Actor, ActorKind
from iva.audit.events import Event
from iva.crypto import blind_index

logger = structlog.get_logger("iva.api_keys")
PREFIX = "iva_"
LAST_USED_EVERY = timedelta(minutes=1)
MOST_CACHED = 10_000


class InvalidApiKey(Exception):
    """The credential opens nothing. Why is not said: unknown, revoked, expired and suspended look alike."""


class UnknownScope(ValueError):
    """A key was to be issued with a scope that does not exist."""


class Principal(NamedTuple):
    """Who an authenticated request speaks for.

    `is_bound`: somebody of the organization has accepted the documents that count (P7).
    """

    organization_id: uuid.UUID
    api_key_id: uuid.UUID
    scopes: frozenset[str]
    is_bound: bool

    @property
    def is_authenticated(self) -> bool:
        return True

    @property
    def actor(self) -> Actor:
        return Actor(ActorKind.API_KEY, self.api_key_id)


def issue(
    name: str, scopes: Collection[Scope], *, actor: Actor, expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """A new key of the active organization and its token, which is shown this once and kept nowhere."""
    if unknown := set(scopes) - set(Scope):
        raise UnknownScope(", ".join(sorted(unknown)))
    secret = tokens.new_secret()
    key = ApiKey(name=name, scopes=sorted(scopes), secret_hash=tokens.kept(secret), expires_at=expires_at)
    key.seal = _seal(key)
    key.save(force_insert=True)
    audit.record(Event.API_KEY_ISSUED, actor=actor, api_key=key.pk)
    return key, tokens.pack(PREFIX, Token(key.organization_id, key.pk, secret))


def revoke(key: ApiKey, *, actor: Actor) -> None:
    """End a key. Other processes notice within `IVA_API_KEY_CACHE_SECONDS` (at most five)."""
    key.revoked_at = timezone.now()
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=key.revoked_at, seal=_seal(key)):
        audit.record(Event.API_KEY_REVOKED, actor=actor, api_key=key.pk)
    _recognized.clear()


def recognize(token: str) -> Principal:
    """Who the token speaks for. Raises InvalidApiKey.

    What was recognized is remembered for a few seconds by the SHA-256 of the token.
    """
    digest = hashlib.sha256(token.encode("utf-8", "replace")).digest()
    remembered = _recognized.get(digest)
    if remembered is not None:
        return remembered
    principal = _look_up(token)
    _recognized.put(digest, principal)
    return principal


def _look_up(token: str) -> Principal:
    organization_id, key_id, secret = _unpack(token)
    now = timezone.now()
    with tenancy.tenant(organization_id, purpose="account.authenticate"):
        key = ApiKey.objects.filter(pk=key_id).first()
        stored = bytes(key.secret_hash) if key else bytes(32)
        if not hmac.compare_digest(stored, tokens.kept(secret)) or key is None or not _is_valid(key, now):
            raise InvalidApiKey
        if not hmac.compare_digest(bytes(key.seal), _seal(key)):
            logger.warning("an API key was altered past us", organization=str(organization_id))
            raise InvalidApiKey
        if key.last_used_at is None or key.last_used_at < now - LAST_USED_EVERY:
            ApiKey.objects.filter(pk=key_id).update(last_used_at=now)
        return Principal(organization_id, key_id, frozenset(key.scopes), _is_bound(organization_id))


def _is_bound(organization_id: uuid.UUID) -> bool:
    try:
        return agreements.is_bound(organization_id)
    except agreements.NothingInEffect:
        return False


def _seal(key: ApiKey) -> bytes:
    """Everything that decides what the key opens, under a key that is not in the database."""
    times = [
        moment and moment.astimezone(UTC).isoformat()
        for moment in (key.issued_at, key.expires_at, key.revoked_at)
    ]
    parts = [str(key.pk), bytes(key.secret_hash).hex(), *key.scopes, *times]
    return blind_index.token("api_key.seal", json.dumps(parts))


def _is_valid(key: ApiKey, now: datetime) -> bool:
    if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now):
        return False
    organization = Organization.objects.filter(pk=key.organization_id).first()
    return organization is not None and organization.is_active


def _unpack(token: str) -> Token:
    try:
        return tokens.unpack(PREFIX, token)
    except tokens.NotAToken:
        raise InvalidApiKey from None


class _Recognized:
    """Recognized tokens, each for a few seconds; bounded, oldest out first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: OrderedDict[bytes, tuple[float, Principal]] = OrderedDict()

    def get(self, digest: bytes) -> Principal | None:
        found = self._entries.get(digest)
        return found[1] if found and found[0] > time.monotonic() else None

    def put(self, digest: bytes, principal: Principal) -> None:
        with self._lock:
            self._entries.pop(digest, None)
            self._entries[digest] = (time.monotonic() + settings.IVA_API_KEY_CACHE_SECONDS, principal)
            while len(self._entries) > MOST_CACHED:
                self._entries.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()


_recognized = _Recognized()
