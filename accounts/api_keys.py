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
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import agreements, one_line, people, tokens
from accounts.models import ApiKey, Organization
from accounts.scopes import Scope, needed
from accounts.tokens import Token
from iva import tenancy
from iva.audit import log as audit
from iva.audit.actors import SYSTEM, Actor, ActorKind
from iva.audit.events import Event
from iva.crypto import blind_index

logger = structlog.get_logger("iva.api_keys")
PREFIX = "iva_"
LAST_USED_EVERY = timedelta(minutes=1)
MOST_CACHED = 10_000
MOST_SHOWN = 200
IDS_LENGTH = 42


class InvalidApiKey(Exception):
    """The credential opens nothing. Why is not said: unknown, revoked, expired and suspended look alike."""


class UnknownScope(ValueError):
    """A key was to be issued with a scope that does not exist."""


class NoSuchKey(LookupError):
    """The organization has no such key, or it has ended."""


class AlreadyIssued(Exception):
    """This very key was issued before; its token was shown then."""


class AlreadyRotated(Exception):
    """The key has a successor; rotate that one."""


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
    name: str,
    scopes: Collection[Scope],
    *,
    actor: Actor,
    expires_at: datetime | None = None,
    id: uuid.UUID | None = None,
) -> tuple[ApiKey, str]:
    """A new key of the active organization and its token, which is shown this once and kept nowhere.

    A member hands out only what they may do themselves: raises NotPermitted. With an `id` of the caller's a
    repetition makes no second key: raises AlreadyIssued. The key's own id is made of it (RFC 9562 5.5), so
    that nobody gives a key the id of somebody else. UnknownScope, NotOneLine.
    """
    one_line.refuse_breaks(name)
    if unknown := set(scopes) - set(Scope):
        raise UnknownScope(", ".join(sorted(unknown)))
    if actor != SYSTEM:
        people.require(actor, needed(scopes))
    secret = tokens.new_secret()
    key = ApiKey(
        id=uuid.uuid5(tenancy.active().organization_id, str(id)) if id else tenancy.new_id(),
        name=name,
        scopes=sorted(scopes),
        secret_hash=tokens.kept(secret),
        expires_at=expires_at,
    )
    key.seal = _seal(key)
    try:
        with transaction.atomic():
            key.save(force_insert=True)
    except IntegrityError:
        raise AlreadyIssued from None
    audit.record(Event.API_KEY_ISSUED, actor=actor, api_key=key.pk, scopes=sorted(scopes))
    return key, tokens.pack(PREFIX, Token(key.organization_id, key.pk, secret))


def rotate(
    key_id: uuid.UUID, overlap: timedelta, *, actor: Actor, id: uuid.UUID | None = None
) -> tuple[ApiKey, str]:
    """A new key with the same name, scopes and lifetime; the old one opens doors for `overlap` more at most.

    Raises NoSuchKey for a key that has ended, AlreadyRotated, and NotPermitted and AlreadyIssued as `issue`
    does: a token is shown only to who could have made the key.
    """
    old, now = _held(key_id), timezone.now()
    if old.replaced_by_id is not None:
        raise AlreadyRotated
    lifetime = old.expires_at and old.expires_at - old.issued_at
    expires_at = now + lifetime if lifetime else None
    scopes = [Scope(scope) for scope in old.scopes]
    new, token = issue(old.name, scopes, actor=actor, expires_at=expires_at, id=id)
    old.expires_at = min(now + overlap, old.expires_at or now + overlap)
    old.replaced_by_id, old.seal = new.pk, _seal(old)
    old.save(update_fields=["expires_at", "replaced_by_id", "seal"])
    audit.record(Event.API_KEY_ROTATED, actor=actor, api_key=old.pk, replacement=new.pk)
    transaction.on_commit(_recognized.clear)
    return new, token


def revoke(key: ApiKey, *, actor: Actor) -> None:
    """End a key. Other processes notice within `IVA_API_KEY_CACHE_SECONDS` (at most five)."""
    held = ApiKey.objects.select_for_update().filter(pk=key.pk, revoked_at=None).first()
    if held is not None:
        held.revoked_at = key.revoked_at = timezone.now()
        held.seal = _seal(held)
        held.save(update_fields=["revoked_at", "seal"])
        audit.record(Event.API_KEY_REVOKED, actor=actor, api_key=key.pk)
    _recognized.clear()
    transaction.on_commit(_recognized.clear)


def newest() -> list[ApiKey]:
    """The keys of the active organization, the newest first."""
    return list(ApiKey.objects.order_by("-issued_at", "-id")[:MOST_SHOWN])


def named(key_id: uuid.UUID) -> ApiKey:
    """A key of the active organization, ended or not. Raises NoSuchKey."""
    key = ApiKey.objects.filter(pk=key_id).first()
    if key is None:
        raise NoSuchKey
    return key


def has_ended(key: ApiKey) -> bool:
    """Whether the key opens nothing any more, whatever becomes of its organization."""
    return key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= timezone.now())


def hint(key: ApiKey) -> str:
    """Eight characters that stand in the key's token and tell it from others; they open nothing."""
    ids = tokens.pack("", Token(key.organization_id, key.pk, bytes(tokens.SECRET_BYTES)))
    return ids[IDS_LENGTH - 8 : IDS_LENGTH]


def _held(key_id: uuid.UUID) -> ApiKey:
    """A key that has not ended, locked until the transaction ends. Raises NoSuchKey."""
    key = ApiKey.objects.select_for_update().filter(pk=key_id).first()
    if key is None or has_ended(key):
        raise NoSuchKey
    return key


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
