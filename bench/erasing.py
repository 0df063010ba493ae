"""Erasing an End User with ten, a thousand and a hundred thousand messages.

Unreadable is the commit of `erasure.erase`: the key is gone and the ledger is on disk. Disposed is the end of
`erasure.finish`, which pauses as long as it works so that the living are not slowed down.
"""

from __future__ import annotations

import itertools
import uuid
from statistics import median

import psycopg

from bench import cast, filling
from bench.figures import Figure, Report, at_most
from bench.measuring import ratio, seconds
from bench.surroundings import superuser
from conversations.models import Message
from conversations.receiving import Receipt
from iva import local, tenancy
from iva.audit.actors import SYSTEM
from iva.crypto.keys import KeyShredded
from privacy import erasure
from privacy.grounds import Ground

NAME = "erasure"
SIZES, ROUNDS = (10, 1_000, 100_000), 7
DISPOSALS = 2
"""Rounds that also wait for the rows to go; the largest takes seconds."""

MORE_MESSAGES = """
INSERT INTO conversations_message
    (organization_id, conversation_id, id, end_user_id, channel_id, author, body_encrypted,
     external_bidx, kept_at, outcome, knowledge_entry_ids)
SELECT organization_id, conversation_id, uuidv7(), end_user_id, channel_id, 'end_user',
       convert_to(repeat('x', %(bytes)s), 'UTF8'), uuid_send(gen_random_uuid()), now(), '', '[]'
FROM conversations_message, generate_series(2, %(messages)s)
WHERE organization_id = %(organization)s AND conversation_id = %(conversation)s
"""

phones = (f"+976{number}" for number in itertools.count(cast.FIRST_PHONE))


def run(servers: local.Servers, report: Report, *, full: bool) -> None:
    party = cast.found("Erasing", 0)
    with superuser(servers) as bare:
        rounds = [{size: _met(bare, party, size) for size in SIZES} for _ in range(ROUNDS)]
        warming_up = _met(bare, party, 1)
        bare.execute("VACUUM ANALYZE")
    _erase(party, warming_up)
    unreadable: dict[int, list[float]] = {size: [] for size in SIZES}
    disposed: dict[int, list[float]] = {size: [] for size in SIZES}
    for number, people in enumerate(rounds):
        for size, message in people.items():
            took, erasure_id = _erase(party, message)
            unreadable[size].append(took)
            if number < DISPOSALS:
                disposed[size].append(took + seconds(lambda: erasure.finish(party.id, erasure_id)))  # noqa: B023
    _report(report, unreadable, disposed)


def _met(bare: psycopg.Connection, party: cast.Party, messages: int) -> Receipt:
    """Somebody who has written so often; the receipt of the first message, which is really sealed."""
    (receipt,) = cast.receive(party, [(next(phones), cast.TEXT)])
    assert isinstance(receipt, Receipt)
    parameters = {"organization": party.id, "conversation": receipt.conversation_id, "messages": messages}
    bare.execute(MORE_MESSAGES, parameters | {"bytes": filling.FILLER_BYTES})
    return receipt


def _erase(party: cast.Party, message: Receipt) -> tuple[float, uuid.UUID]:
    """Seconds until nothing can be read any more, and the erasure's id."""
    records = []

    def erase() -> None:
        with tenancy.tenant(party.id):
            records.append(erasure.erase(message.end_user_id, Ground.SUBJECT_REQUEST, actor=SYSTEM))

    took = seconds(erase)
    assert _is_unreadable(party, message.message_id)
    return took, records[0].pk


def _is_unreadable(party: cast.Party, message_id: uuid.UUID) -> bool:
    with tenancy.tenant(party.id):
        try:
            return not Message.objects.get(pk=message_id).body
        except KeyShredded:
            return True


def _report(report: Report, unreadable: dict[int, list[float]], disposed: dict[int, list[float]]) -> None:
    smallest, *larger = SIZES
    for size in larger:
        found = ratio(unreadable[size], unreadable[smallest])
        what = f"time until unreadable, {size:,} messages ÷ {smallest}"
        report(Figure(NAME, what, found.median, "x", at_most(1.25), found.spread))
    for size in SIZES:
        took = [each * 1000 for each in unreadable[size]]
        what = f"until unreadable, {size:,} messages"
        report(Figure(NAME, what, median(took), "ms", None, (min(took), max(took))))
    for size in SIZES:
        took = [each * 1000 for each in disposed[size]]
        report(
            Figure(
                NAME, f"until disposed, {size:,} messages", median(took), "ms", None, (min(took), max(took))
            )
        )
