"""What was lost and what was doubled, counted behind the wall."""

import uuid
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import psycopg


class Tally(NamedTuple):
    """`kept` messages of End Users; of those that were acknowledged or answered, how many went wrong."""

    kept: int
    lost: int = 0
    unacknowledged: int = 0
    unanswered: int = 0
    answered_twice: int = 0
    answered_to_nothing: int = 0


def tally(db: psycopg.Connection, organization: uuid.UUID, acknowledged: Iterable[uuid.UUID]) -> Tally:
    """What became of the messages whose ids were acknowledged. The names of the fields say what is wrong."""
    given = set(acknowledged)
    rows = db.execute(
        "SELECT id, author, in_reply_to FROM conversations_message WHERE organization_id = %s", [organization]
    ).fetchall()
    kept = {id_ for id_, author, _ in rows if author == "end_user"}
    replies = Counter(in_reply_to for _, author, in_reply_to in rows if author == "agent")
    return Tally(
        kept=len(kept),
        lost=len(given - kept),
        unacknowledged=len(kept - given),
        unanswered=len(kept - replies.keys()),
        answered_twice=sum(count > 1 for count in replies.values()),
        answered_to_nothing=len(replies.keys() - kept),
    )


def used(db: psycopg.Connection, organization: uuid.UUID) -> dict[str, int]:
    """The usage counters, all days together."""
    rows = db.execute(
        "SELECT meter, sum(count)::int FROM billing_usage WHERE organization_id = %s GROUP BY meter",
        [organization],
    ).fetchall()
    return dict(rows)


def events(db: psycopg.Connection, organization: uuid.UUID) -> Counter[str]:
    """How often each event stands in the audit trail."""
    rows = db.execute(
        "SELECT event, count(*) FROM iva_audit_auditevent WHERE organization_id = %s GROUP BY event",
        [organization],
    ).fetchall()
    return Counter(dict(rows))


def promised(db: psycopg.Connection) -> int:
    """Promises that are not kept yet."""
    return count(db, "iva_outbox_promise")


def leased(db: psycopg.Connection) -> int:
    """Promises that some worker is working on, or died working on."""
    return count(db, "iva_outbox_promise WHERE leased_until > now()")


def answers(db: psycopg.Connection) -> int:
    return count(db, "conversations_message WHERE author = 'agent'")


def handed_over(db: psycopg.Connection) -> int:
    return count(db, "conversations_conversation WHERE handed_over_at IS NOT NULL")


def count(db: psycopg.Connection, source: str) -> int:
    row = db.execute(f"SELECT count(*) FROM {source}".encode()).fetchone()
    assert row is not None
    return int(row[0])
