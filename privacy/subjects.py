"""Who is this? Finding End Users by blind index, and meeting them for the first time."""

import hmac
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from iva import tenancy
from iva.audit import log as audit
from iva.audit.actors import Actor
from iva.audit.events import Event
from iva.crypto import blind_index, keys
from privacy.handles import Handle, HandleKind, normalize
from privacy.models import EndUser, EndUserIdentity

LONGEST_NAME = 200

Token = tuple[str, bytes]

LOOK_UP = """
SELECT asked.kind, asked.token, identity.end_user_id, key.id, key.wrapped, identity.binding
FROM unnest(%(kinds)s::text[], %(tokens)b::bytea[]) AS asked (kind, token)
JOIN privacy_enduseridentity identity
  ON identity.organization_id = %(organization)s AND identity.kind = asked.kind
 AND identity.handle_bidx = asked.token
JOIN iva_crypto_datakey key
  ON key.organization_id = %(organization)s AND key.purpose = 'end_user'
 AND key.subject_id = identity.end_user_id
ORDER BY key.id
FOR KEY SHARE OF key
"""

TURNS = 64
TAKE_TURNS = "SELECT pg_advisory_xact_lock(%(organization)s::int, turn) FROM unnest(%(turns)s::int[]) AS turn"


class IdentityConflict(Exception):
    """The handles of one sender belong to different End Users."""


class NoHandle(ValueError):
    """A sender has to be recognizable by at least one handle."""


class IdentityRepointed(RuntimeError):
    """A row of the database says that a handle is somebody else's than the one it was made for."""


class NoSuchEndUser(LookupError):
    """The organization knows nobody of that id, or has erased them."""


@dataclass(frozen=True, slots=True, repr=False)
class Sender:
    """Who a channel says wrote the message: at least one handle. Raises NoHandle without any."""

    handles: tuple[Handle, ...]
    name: str | None = None

    def __post_init__(self) -> None:
        if not self.handles:
            raise NoHandle


def token_of(kind: HandleKind, normalized: str) -> bytes:
    """The blind index of a handle within the active organization, 16 bytes."""
    return blind_index.token(f"end_user.{kind.value}", normalized)


def binding_of(kind: str, token: bytes, end_user_id: uuid.UUID) -> bytes:
    """What ties a blind index to its End User, 16 bytes, under the organization's index key."""
    return blind_index.token("end_user.binding", f"{kind}:{token.hex()}:{end_user_id}")


def refuse_repointed(kind: str, token: bytes, end_user_id: uuid.UUID, binding: bytes) -> None:
    """Raises IdentityRepointed unless the handle was tied to this End User by us."""
    if not hmac.compare_digest(binding, binding_of(kind, token, end_user_id)):
        raise IdentityRepointed(str(end_user_id))


def identify(senders: Sequence[Sender]) -> list[uuid.UUID | IdentityConflict]:
    """The End User behind each sender, met for the first time if need be.

    One query finds the known ones and locks their keys: one can seal for them in this transaction, and
    nothing can be sealed for somebody who is being erased. Handles that are new are kept too, by one
    transaction after the other where they are the same.
    """
    tokens = [
        tuple((kind.value, token_of(kind, value)) for kind, value in sender.handles) for sender in senders
    ]
    asked = {token for of_sender in tokens for token in of_sender}
    known = _look_up(asked)
    if unknown := asked - known.keys():
        _take_turns(unknown)
        known |= _look_up(unknown)
    people = dict(known)
    newcomers: dict[uuid.UUID, Sender] = {}
    found = [
        _settle(sender, of_sender, people, newcomers)
        for sender, of_sender in zip(senders, tokens, strict=True)
    ]
    if newcomers:
        _meet(newcomers)
    if len(people) > len(known):
        _learn_handles(_handles_by_token(senders, tokens), people, known)
    return found


def search(kind: HandleKind, value: str, *, actor: Actor) -> EndUser | None:
    """The End User with this handle, or None. The search is audited, its content is not.

    Raises HandleInvalid for something that cannot be such a handle.
    """
    handle = normalize(kind, value)
    identity = EndUserIdentity.objects.filter(kind=kind, handle_bidx=token_of(*handle)).first()
    if identity is not None:
        token, binding = bytes(identity.handle_bidx), bytes(identity.binding)
        refuse_repointed(identity.kind, token, identity.end_user_id, binding)
    end_user_id = identity.end_user_id if identity else None
    audit.record(Event.END_USER_SEARCHED, actor=actor, kind=kind, end_user=end_user_id)
    return _living(end_user_id) if end_user_id else None


def get(end_user_id: uuid.UUID) -> EndUser:
    """A living End User of the active organization. Raises NoSuchEndUser."""
    end_user = _living(end_user_id)
    if end_user is None:
        raise NoSuchEndUser
    return end_user


def handles_of(end_user: EndUser) -> list[EndUserIdentity]:
    """How the End User can be reached; handles are opened when they are touched."""
    return list(EndUserIdentity.objects.filter(end_user=end_user).order_by("kind", "id"))


def _living(end_user_id: uuid.UUID) -> EndUser | None:
    return EndUser.objects.filter(pk=end_user_id, erased_at=None).first()


def _take_turns(tokens: Iterable[Token]) -> None:
    """Wait for who is about to keep one of these handles; until we have committed nobody else will.

    An organization has few turns, so that no batch fills PostgreSQL's lock table; taken in order.
    """
    organization_id = tenancy.active().organization_id
    parameters: dict[str, Any] = {
        "organization": int.from_bytes(organization_id.bytes[-4:], "big", signed=True),
        "turns": sorted({token[0] % TURNS for _, token in tokens}),
    }
    with connection.cursor() as cursor:
        cursor.execute(TAKE_TURNS, parameters)


def _look_up(tokens: Iterable[Token]) -> dict[Token, uuid.UUID]:
    asked = sorted(tokens)
    parameters: dict[str, Any] = {
        "organization": tenancy.active().organization_id,
        "kinds": [kind for kind, _ in asked],
        "tokens": [token for _, token in asked],
    }
    with connection.cursor() as cursor:
        cursor.execute(LOOK_UP, parameters)
        rows = cursor.fetchall()
    for kind, token, end_user_id, _, _, binding in rows:
        refuse_repointed(kind, bytes(token), end_user_id, bytes(binding))
    keys.ciphers(
        {(key_id, end_user_id, wrapped) for _, _, end_user_id, key_id, wrapped, _ in rows}, held=True
    )
    return {(kind, bytes(token)): end_user_id for kind, token, end_user_id, *_ in rows}


def _settle(
    sender: Sender,
    tokens: tuple[Token, ...],
    people: dict[Token, uuid.UUID],
    newcomers: dict[uuid.UUID, Sender],
) -> uuid.UUID | IdentityConflict:
    candidates = {people[token] for token in tokens if token in people}
    if len(candidates) > 1:
        return IdentityConflict()
    if candidates:
        end_user_id = candidates.pop()
    else:
        end_user_id = tenancy.new_id()
        newcomers[end_user_id] = sender
    for token in tokens:
        people.setdefault(token, end_user_id)
    return end_user_id


def _meet(newcomers: dict[uuid.UUID, Sender]) -> None:
    keys.create_many(list(newcomers))
    EndUser.objects.bulk_create(
        EndUser(pk=pk, name=sender.name)  # type: ignore[misc]  # an attribute the plugin does not know
        for pk, sender in newcomers.items()
    )
    for end_user_id in newcomers:
        audit.record(Event.END_USER_FIRST_SEEN, end_user=end_user_id)


def _handles_by_token(senders: Sequence[Sender], tokens: Sequence[tuple[Token, ...]]) -> dict[Token, Handle]:
    return {
        token: handle
        for sender, of_sender in zip(senders, tokens, strict=True)
        for token, handle in zip(of_sender, sender.handles, strict=True)
    }


def _learn_handles(
    handles: dict[Token, Handle], people: dict[Token, uuid.UUID], known: dict[Token, uuid.UUID]
) -> None:
    """Keep the handles that are not yet identities, in the order of their index, against deadlocks."""
    unknown = sorted(token for token in handles if token in people and token not in known)
    EndUserIdentity.objects.bulk_create(
        EndUserIdentity(  # type: ignore[misc]  # an attribute the plugin does not know
            end_user_id=people[token],
            kind=token[0],
            handle=handles[token].value,
            handle_bidx=token[1],
            binding=binding_of(*token, people[token]),
        )
        for token in unknown
    )
