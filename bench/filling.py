"""Filling tables by the million, past the wall and the ORM: as superuser, inside PostgreSQL.

What is measured is sealed for real; what only has to be there is filler. Conversations are as long as in
life: one in twenty has 200 messages, the others 7. Messages go in as time brought them, so that those of one
conversation are scattered over the table.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import psycopg

from bench import cast
from conversations.models import Message
from iva import tenancy
from iva.crypto import bulk, keys

LONG, SHORT, ONE_IN = 200, 7, 20
MEAN = (LONG + SHORT * (ONE_IN - 1)) / ONE_IN
BODY: Any = Message._meta.get_field("body")
FILLER_BYTES = 266
"""As long as an envelope of `cast.TEXT`."""

STAGE = """
CREATE UNLOGGED TABLE IF NOT EXISTS bench_stage (
    organization_id uuid, channel_id uuid, end_user_id uuid, conversation_id uuid, id uuid, place int,
    moment timestamptz, body bytea
)
"""
PEOPLE = """
INSERT INTO privacy_enduser (organization_id, id, first_seen_at)
SELECT DISTINCT ON (end_user_id) organization_id, end_user_id, moment FROM bench_stage
ON CONFLICT DO NOTHING
"""
CONVERSATIONS = """
INSERT INTO conversations_conversation
    (organization_id, id, end_user_id, channel_id, opened_at, last_message_at, resolution)
SELECT organization_id, conversation_id, end_user_id, channel_id, min(moment), max(moment), ''
FROM bench_stage GROUP BY organization_id, conversation_id, end_user_id, channel_id
"""
MESSAGES = """
INSERT INTO conversations_message
    (organization_id, conversation_id, id, end_user_id, channel_id, author, body_encrypted,
     external_bidx, kept_at, in_reply_to, outcome, knowledge_entry_ids)
SELECT organization_id, conversation_id, id, end_user_id, channel_id,
       CASE place % 2 WHEN 0 THEN 'end_user' ELSE 'agent' END, body,
       CASE place % 2 WHEN 0 THEN uuid_send(gen_random_uuid()) END, moment,
       CASE place % 2 WHEN 1 THEN gen_random_uuid() END, '', '[]'
FROM bench_stage ORDER BY moment
"""
FILLER = """
INSERT INTO bench_stage
SELECT %(organization)s, %(channel)s, talk.end_user, talk.conversation, uuidv7(said.moment - now()),
       said.place, said.moment, convert_to(repeat('x', %(bytes)s), 'UTF8')
FROM (SELECT number, uuidv7() AS end_user, uuidv7() AS conversation,
             now() - random() * interval '300 days' AS began
      FROM generate_series(1, %(conversations)s) number) talk,
     LATERAL (SELECT place, talk.began + place * interval '1 hour' AS moment
              FROM generate_series(1, CASE talk.number %% %(one_in)s WHEN 0 THEN %(long)s ELSE %(short)s END)
                   AS place) said
"""


def empty_stage(connection: psycopg.Connection) -> None:
    connection.execute(STAGE)
    connection.execute("TRUNCATE bench_stage")


def stage_filler(
    connection: psycopg.Connection, organization: uuid.UUID, channel: uuid.UUID, messages: int
) -> None:
    """Messages nobody will open, of so many conversations as that makes."""
    parameters = {
        "organization": organization,
        "channel": channel,
        "conversations": round(messages / MEAN),
        "one_in": ONE_IN,
        "long": LONG,
        "short": SHORT,
        "bytes": FILLER_BYTES,
    }
    connection.execute(FILLER, parameters)


def seal_staged(connection: psycopg.Connection, party: cast.Party) -> None:
    """Give the staged people of this organization keys, and their messages bodies that open."""
    rows = connection.execute(
        "SELECT id, end_user_id FROM bench_stage WHERE organization_id = %s", [party.id]
    ).fetchall()
    people = sorted({end_user for _, end_user in rows})
    with tenancy.tenant(party.id):
        keys.create_many(people)
        sealed = _sealed(rows)
    connection.execute("CREATE TEMPORARY TABLE sealed (id uuid PRIMARY KEY, body bytea)")
    with connection.cursor() as cursor, cursor.copy("COPY sealed FROM STDIN (FORMAT binary)") as copy:
        copy.set_types(["uuid", "bytea"])
        for (id_, _), body in zip(rows, sealed, strict=True):
            copy.write_row((id_, body))
    connection.execute(
        "UPDATE bench_stage SET body = sealed.body FROM sealed WHERE sealed.id = bench_stage.id"
    )
    connection.execute("DROP TABLE sealed")


def _sealed(rows: Sequence[tuple[uuid.UUID, uuid.UUID]]) -> list[bytes]:
    subjects, ids = [end_user for _, end_user in rows], [id_ for id_, _ in rows]
    return bulk.seal_values(BODY, subjects, ids, [cast.TEXT] * len(rows))


def unload(connection: psycopg.Connection) -> None:
    """Move what is staged into the product's tables; that a million foreign keys hold is known already."""
    connection.execute("SET session_replication_role = replica")
    for statement in (PEOPLE, CONVERSATIONS, MESSAGES):
        connection.execute(statement)
    connection.execute("RESET session_replication_role")
    connection.execute("DROP TABLE bench_stage")
    connection.execute("VACUUM ANALYZE")
