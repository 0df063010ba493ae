"""Field encryption beside a reused raw AESGCM object, for a hundred messages: our largest page and batch.

The raw object does what nobody could do without: a fresh nonce, the row's id as associated data, UTF-8 in
and out. Ours finds the key, binds organization, subject, table, column and row, and gives the value to a
model.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bench import cast
from bench.figures import Figure, Goal, Report, at_most
from bench.measuring import interleaved, ratio, warm
from bench.naive.models import PlainMessage
from conversations.models import Conversation, Message
from iva import local, tenancy
from iva.crypto import bulk, ring

NAME = "field encryption"
ROWS, PEOPLE, ROUNDS = 100, 100, 301
TEXTS = [cast.TEXT] * ROWS
FIELD: Any = Message._meta.get_field("body")
COLUMNS = [field.attname for field in Message._meta.concrete_fields]


def run(servers: local.Servers, report: Report, *, full: bool) -> None:
    party = cast.found("Fields", PEOPLE)
    with tenancy.tenant(party.id):
        conversations = list(Conversation.objects.order_by("id"))
        one, many = _page(conversations[:1]), _page(conversations)
        _report(report, interleaved(_sealing(one, many) | _opening(one, many), ROUNDS))
    _list_rows(party, report)


class _Page:
    """Messages that hold envelopes, as they come from the database."""

    def __init__(self, conversations: list[Conversation]) -> None:
        whose = [conversations[number % len(conversations)] for number in range(ROWS)]
        self.subjects = [conversation.end_user_id for conversation in whose]
        self.rows = [tenancy.new_id() for _ in range(ROWS)]
        self.envelopes = bulk.seal_values(FIELD, self.subjects, self.rows, TEXTS)
        self.messages = [self._message(number, whose[number]) for number in range(ROWS)]

    def _message(self, number: int, conversation: Conversation) -> Message:
        values = {
            "id": self.rows[number],
            "organization_id": conversation.organization_id,
            "conversation_id": conversation.pk,
            "end_user_id": conversation.end_user_id,
            "body_encrypted": self.envelopes[number],
        }
        return Message.from_db("default", COLUMNS, [values.get(name) for name in COLUMNS])

    def close(self) -> None:
        """Put the envelopes back, as if nobody had opened the messages."""
        for message, envelope in zip(self.messages, self.envelopes, strict=True):
            message.__dict__["body_encrypted"] = envelope


def _page(conversations: list[Conversation]) -> _Page:
    page = _Page(conversations)
    assert [message.body for message in page.messages] == TEXTS
    return page


def _sealing(one: _Page, many: _Page) -> dict[str, Callable[[], float]]:
    encrypt, active = AESGCM(os.urandom(32)).encrypt, ring.current()

    def raw() -> None:
        sealed = []
        for text, row in zip(TEXTS, one.rows, strict=True):
            nonce = os.urandom(12)
            sealed.append(nonce + encrypt(nonce, text.encode(), row.bytes))

    def singly() -> None:
        for text, subject, row in zip(TEXTS, one.subjects, one.rows, strict=True):
            active.seal(text.encode(), FIELD, subject, row.int)

    return {
        "seal raw": lambda: warm(raw),
        "seal bulk": lambda: warm(lambda: bulk.seal_values(FIELD, one.subjects, one.rows, TEXTS)),
        "seal many": lambda: warm(lambda: bulk.seal_values(FIELD, many.subjects, many.rows, TEXTS)),
        "seal single": lambda: warm(singly),
    }


def _opening(one: _Page, many: _Page) -> dict[str, Callable[[], float]]:
    cipher = AESGCM(os.urandom(32))
    sealed = [_sealed_raw(cipher, row) for row in one.rows]
    decrypt = cipher.decrypt

    def raw() -> list[str]:
        return [
            decrypt(envelope[:12], envelope[12:], row.bytes).decode()
            for envelope, row in zip(sealed, one.rows, strict=True)
        ]

    def reveal(page: _Page) -> float:
        return warm(lambda: bulk.reveal(page.messages, "body"), before=page.close)

    def values(page: _Page) -> float:
        subject = page.subjects[0] if page is one else page.subjects
        return warm(lambda: bulk.open_values(FIELD, subject, page.rows, page.envelopes))

    def touch(page: _Page) -> float:
        return warm(lambda: [message.body for message in page.messages], before=page.close)

    return {
        "open raw": lambda: warm(raw),
        "open bulk": lambda: values(one),
        "open many": lambda: values(many),
        "reveal bulk": lambda: reveal(one),
        "reveal many": lambda: reveal(many),
        "open single": lambda: touch(one),
    }


def _sealed_raw(cipher: AESGCM, row: uuid.UUID) -> bytes:
    nonce = os.urandom(12)
    return nonce + cipher.encrypt(nonce, cast.TEXT.encode(), row.bytes)


WHAT: dict[str, tuple[str, str, Goal]] = {
    "seal bulk": ("seal raw", "seal in bulk, one End User ÷ raw", at_most(1.15)),
    "seal many": ("seal raw", "seal in bulk, a hundred End Users ÷ raw", at_most(1.3)),
    "seal single": ("seal raw", "seal one by one ÷ raw", at_most(1.6)),
    "open bulk": ("open raw", "open in bulk, one End User ÷ raw", at_most(1.15)),
    "open many": ("open raw", "open in bulk, a hundred End Users ÷ raw", at_most(1.3)),
    "reveal bulk": ("open raw", "open in bulk into model instances, one End User ÷ raw", at_most(1.15)),
    "reveal many": ("open raw", "open in bulk into model instances, a hundred ÷ raw", at_most(1.3)),
    "open single": ("open raw", "open one by one, by touching the attribute ÷ raw", at_most(1.6)),
}


def _report(report: Report, measured: dict[str, list[float]]) -> None:
    for ours, (raw, what, goal) in WHAT.items():
        found = ratio(measured[ours], measured[raw])
        report(Figure(NAME, what, found.median, "x", goal, found.spread))


def _list_rows(party: cast.Party, report: Report) -> None:
    """Rows as the ORM gives them, their bodies untouched, beside rows in plaintext."""
    with tenancy.tenant(party.id):
        conversation = Conversation.objects.order_by("id")[0]
        named = {"conversation_id": conversation.pk, "end_user_id": conversation.end_user_id}
        named |= {"channel_id": party.channel, "author": "end_user"}
        Message.objects.bulk_create(Message(body=text, **named) for text in TEXTS)
        PlainMessage.objects.bulk_create(PlainMessage(body=text, **named) for text in TEXTS)
    with tenancy.tenant(party.id):
        ours = Message.objects.filter(conversation_id=conversation.pk)
        plain = PlainMessage.objects.filter(conversation_id=conversation.pk)
        measured = interleaved(
            {
                "ours": lambda: warm(lambda: list(ours.all())),
                "plain": lambda: warm(lambda: list(plain.all())),
            },
            ROUNDS,
        )
    found = ratio(measured["ours"], measured["plain"])
    what = "list a hundred messages, bodies untouched ÷ plain rows"
    report(Figure(NAME, what, found.median, "x", at_most(1.1), found.spread))
