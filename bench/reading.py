"""Reading at a million messages of fifty organizations: a conversation's last 50, the inbox's first page.

From the bare statement, as a superuser whom no policy holds, to what our room gives: the same statement
behind the wall, rows of the ORM, opened bodies, and the whole transaction with its audit event on disk.
"""

from __future__ import annotations

import itertools
import random
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from statistics import median
from typing import Any

import psycopg
from django.db import connection

from bench import cast, filling
from bench.figures import Figure, Report
from bench.measuring import interleaved, seconds
from bench.surroundings import superuser
from conversations import inbox, reading, replying
from conversations.models import Conversation, Message
from iva import local, tenancy
from iva.audit.actors import SYSTEM

NAME = "reading at a million messages"
ORGANIZATIONS, MESSAGES, PAGE, ROUNDS = 50, 1_000_000, 50, 150
CONVERSATIONS = 60

LAST_MESSAGES = """
SELECT organization_id, conversation_id, id, end_user_id, channel_id, author, body_encrypted, external_bidx,
       sent_at, kept_at, in_reply_to, outcome, knowledge_entry_ids
FROM conversations_message WHERE organization_id = %s AND conversation_id = %s ORDER BY id DESC LIMIT 50
"""
INBOX = """
SELECT conversation.* FROM conversations_conversation conversation
JOIN privacy_enduser end_user ON end_user.organization_id = conversation.organization_id
     AND end_user.id = conversation.end_user_id
WHERE conversation.organization_id = %s AND end_user.erased_at IS NULL
ORDER BY conversation.last_message_at DESC, conversation.id DESC LIMIT 50
"""
MEMBERS_PAGE = """
SELECT page.*, last.* FROM (
    SELECT conversation.*, end_user.name_encrypted FROM conversations_conversation conversation
    JOIN privacy_enduser end_user ON end_user.organization_id = conversation.organization_id
         AND end_user.id = conversation.end_user_id
    WHERE conversation.organization_id = %s AND end_user.erased_at IS NULL
    ORDER BY conversation.last_message_at DESC, conversation.id DESC LIMIT 25
) page CROSS JOIN LATERAL (
    SELECT id, author, body_encrypted, kept_at FROM conversations_message message
    WHERE message.organization_id = page.organization_id AND message.conversation_id = page.id
    ORDER BY id DESC LIMIT 1
) last
"""


def run(servers: local.Servers, report: Report, *, full: bool) -> None:
    party = cast.found("Reading", 0)
    with superuser(servers) as bare:
        _fill(bare, party)
        bare.prepare_threshold = 1
        long_ones = _long_conversations(bare, party)
        _report(report, "last 50 messages", _timeline(bare, party, long_ones))
        _report(report, "first page of the inbox", _inbox(bare, party))
        _report(report, "a member's page of the inbox", _members_page(bare, party))


def _fill(bare: psycopg.Connection, party: cast.Party) -> None:
    filling.empty_stage(bare)
    each = MESSAGES // ORGANIZATIONS
    filling.stage_filler(bare, party.id, party.channel, each)
    filling.seal_staged(bare, party)
    for number in range(1, ORGANIZATIONS):
        other = cast.found(f"Reading {number}", 0)
        filling.stage_filler(bare, other.id, other.channel, each)
    filling.unload(bare)


def _long_conversations(bare: psycopg.Connection, party: cast.Party) -> list[uuid.UUID]:
    rows = bare.execute(
        "SELECT conversation_id FROM conversations_message WHERE organization_id = %s"
        " GROUP BY conversation_id HAVING count(*) >= %s ORDER BY conversation_id LIMIT %s",
        [party.id, filling.LONG, CONVERSATIONS],
    ).fetchall()
    return random.Random(20260101).sample([row[0] for row in rows], len(rows))


Ways = dict[str, Callable[[], float]]


def _timeline(bare: psycopg.Connection, party: cast.Party, conversations: list[uuid.UUID]) -> Ways:
    following = itertools.cycle(conversations)

    def statement(cursor: Any) -> None:
        cursor.execute(LAST_MESSAGES, [party.id, next(following)])
        assert len(cursor.fetchall()) == PAGE

    def rows() -> list[Message]:
        return list(Message.objects.filter(conversation_id=next(following)).order_by("-id")[:PAGE])

    def opened() -> None:
        messages = rows()
        replying.reveal(messages)
        assert all(message.body == cast.TEXT for message in messages)

    def room() -> None:
        with tenancy.tenant(party.id):
            conversation = reading.get(next(following))
            page = reading.messages(conversation, actor=SYSTEM, limit=PAGE)
            assert len([message.body for message in page]) == PAGE

    return {
        "bare SQL, no wall": lambda: _within(nullcontext(), lambda: statement(bare.cursor())),
        "the same SQL behind the wall": lambda: _within(tenancy.tenant(party.id), _with_cursor(statement)),
        "rows of the ORM": lambda: _within(tenancy.tenant(party.id), rows),
        "opened": lambda: _within(tenancy.tenant(party.id), opened),
        "the whole transaction, audited": lambda: seconds(room),
    }


def _inbox(bare: psycopg.Connection, party: cast.Party) -> Ways:
    def statement(cursor: Any) -> None:
        cursor.execute(INBOX, [party.id])
        assert len(cursor.fetchall()) == PAGE

    def rows() -> list[Conversation]:
        return reading.inbox(limit=PAGE)

    def room() -> None:
        with tenancy.tenant(party.id):
            assert len(rows()) == PAGE

    return {
        "bare SQL, no wall": lambda: _within(nullcontext(), lambda: statement(bare.cursor())),
        "the same SQL behind the wall": lambda: _within(tenancy.tenant(party.id), _with_cursor(statement)),
        "rows of the ORM": lambda: _within(tenancy.tenant(party.id), rows),
        "the whole transaction": lambda: seconds(room),
    }


def _members_page(bare: psycopg.Connection, party: cast.Party) -> Ways:
    """25 rows with names, labels, assignees and the last message opened, counts beside them, audited."""
    wanted = inbox.Filter(tenancy.new_id(), inbox.View.ALL)

    def statement() -> None:
        assert len(bare.execute(MEMBERS_PAGE, [party.id]).fetchall()) == inbox.PAGE

    def found() -> None:
        assert len(inbox.find(wanted)) == inbox.PAGE

    def room() -> None:
        with tenancy.tenant(party.id):
            inbox.counts(wanted)
            rows = inbox.show(inbox.find(wanted), actor=SYSTEM, with_names=True)
            assert all(row.last is not None and row.last.body == cast.TEXT for row in rows)

    return {
        "bare SQL, no wall": lambda: seconds(statement),
        "rows of the ORM": lambda: _within(tenancy.tenant(party.id), found),
        "all that is shown, audited": lambda: seconds(room),
    }


def _within(surrounding: AbstractContextManager[Any], action: Callable[[], Any]) -> float:
    """How long `action` takes inside a transaction that is open already."""
    with surrounding:
        return seconds(action)


def _with_cursor(statement: Callable[[Any], None]) -> Callable[[], None]:
    def run_it() -> None:
        with connection.cursor() as cursor:
            statement(cursor)

    return run_it


def _report(report: Report, what: str, ways: Ways) -> None:
    measured = interleaved(ways, ROUNDS)
    bare, *others = ways
    base = median(measured[bare])
    report(Figure(NAME, f"{what}: {bare}", base * 1e6, "µs"))
    for way in others:
        took = median(measured[way])
        detail = {"microseconds": round(took * 1e6)}
        report(Figure(NAME, f"{what}: {way} ÷ bare SQL", took / base, "x", None, None, detail))
