"""The web process with plaintext where ciphertext should be; nothing of the kind exists in the product.

What encryption adds to a message goes: looking up and holding the key, opening it, the seal, the blind
indexes. Everything else stays as it is.
"""

import uuid
from collections.abc import Sequence
from typing import Any

from bench.wsgi import application as application
from conversations import continuing
from iva.crypto import blind_index, keys, ring
from privacy import subjects

KNOWN_WITHOUT_KEYS = """
SELECT asked.kind, asked.token, identity.end_user_id, 0, ''::bytea, identity.binding
FROM unnest(%(kinds)s::text[], %(tokens)s::bytea[]) AS asked (kind, token)
JOIN privacy_enduseridentity identity
  ON identity.organization_id = %(organization)s AND identity.kind = asked.kind
 AND identity.handle_bidx = asked.token
"""

KEY_HELD = """
JOIN iva_crypto_datakey key
  ON key.organization_id = %(organization)s AND key.purpose = 'end_user'
 AND key.subject_id = identity.end_user_id"""


def _without_keys(look: str) -> str:
    for part, instead in (
        (KEY_HELD, ""),
        ("key.id, key.wrapped", "0, ''::bytea"),
        ("SHARE OF key, conversation", "SHARE OF conversation"),
    ):
        if part not in look:
            raise LookupError(f"{part!r} is no longer in the statement")
        look = look.replace(part, instead)
    return look


def _plaintext(_ring: ring.Ring, plaintext: bytes, *_place: Any) -> bytes:
    return plaintext


TOKEN = blind_index.token
CREDENTIALS = "api_key.seal"


def _value_itself(index_name: str, normalized: str) -> bytes:
    if index_name == CREDENTIALS:  # credentials are recognized as ever
        return TOKEN(index_name, normalized)
    return f"{index_name}:{normalized}".encode()


def _no_keys(_rows: Any, **_options: Any) -> dict[int, Any]:
    return {}


def _none_made(_subject_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Any]:
    return {}


ring.Ring.seal = _plaintext  # type: ignore[method-assign,assignment]
blind_index.token = _value_itself
keys.ciphers = _no_keys  # type: ignore[assignment]
keys.create_many = _none_made
subjects.LOOK_UP = KNOWN_WITHOUT_KEYS
continuing.LOOK = {count: _without_keys(look) for count, look in continuing.LOOK.items()}
