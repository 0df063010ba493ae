"""A thief: rows out of an old dump, today's database, and today's key service."""

import uuid
from typing import NamedTuple

import psycopg

from conversations.models import Message
from iva.crypto import aead, kms, wrapping


class Loot(NamedTuple):
    """What a stolen dump holds of one End User: their wrapped key and a message of theirs."""

    organization: uuid.UUID
    end_user: uuid.UUID
    key_id: int
    wrapped: bytes
    message: uuid.UUID
    envelope: bytes


def steal(database: psycopg.Connection, organization: uuid.UUID, end_user: uuid.UUID) -> Loot:
    """As from a dump taken now."""
    key = database.execute(
        "SELECT id, wrapped FROM iva_crypto_datakey WHERE organization_id = %s AND subject_id = %s",
        [organization, end_user],
    ).fetchone()
    message = database.execute(
        "SELECT id, body_encrypted FROM conversations_message"
        " WHERE organization_id = %s AND end_user_id = %s",
        [organization, end_user],
    ).fetchone()
    assert key is not None
    assert message is not None
    return Loot(organization, end_user, key[0], bytes(key[1]), message[0], bytes(message[1]))


def open_with_what_is_here(database: psycopg.Connection, loot: Loot) -> str | None:
    """The stolen message, if any organization key of today's database still opens the stolen key."""
    generation = wrapping.generation_of(loot.wrapped)
    rows = database.execute(
        "SELECT epoch, wrapped FROM iva_crypto_organizationkey"
        " WHERE organization_id = %s AND generation = %s",
        [loot.organization, generation],
    ).fetchall()
    for epoch, wrapped in rows:
        context = wrapping.organization_context(loot.organization, generation)
        under = aead.cipher(kms.service().unwrap(epoch, bytes(wrapped), context))
        name = wrapping.KeyName(loot.organization, loot.end_user, "end_user", loot.key_id, generation)
        column = Message._meta.get_field("body").place
        place = aead.Place(
            loot.organization.bytes, loot.end_user.bytes, column[:4], column[4:], loot.message.bytes
        )
        try:
            key = wrapping.unwrap(under, name, loot.wrapped)
        except wrapping.WrapBroken:
            continue
        return aead.open(aead.cipher(key), place, loot.envelope).decode()
    return None
