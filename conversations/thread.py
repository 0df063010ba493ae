"""A conversation as members see it: messages and their own notes in one line, by time."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from conversations import colleagues, delivering, replying
from conversations.delivering import Delivery
from conversations.models import Conversation, Message, Note
from iva.audit import log as audit
from iva.audit.actors import Actor
from iva.audit.events import Event
from iva.crypto import bulk
from iva.tenancy import ids

PAGE = 40
OVERLAP = timedelta(seconds=10)
MOST_RECENT = 100
"""As many entries of those seconds as a page remembers."""
"""Rows become visible when they are committed, which is not always in the order of their ids."""

NOTE = "note"


@dataclass
class Entry:
    """A message or a note. `author` is an `Author` or "note"; `name` is the member's, where one wrote it."""

    id: uuid.UUID
    author: str
    body: str
    at: datetime
    name: str | None
    delivery: Delivery | None
    outcome: str = ""

    @property
    def is_note(self) -> bool:
        return self.author == NOTE


def page(
    conversation: Conversation, *, actor: Actor, before: uuid.UUID | None = None, limit: int = PAGE
) -> list[Entry]:
    """The newest entries, the oldest of them first, opened; the reading is audited."""
    found: list[Message | Note] = []
    for model in (Message, Note):
        rows = model.objects.filter(conversation=conversation)
        if before is not None:
            rows = rows.filter(id__lt=before)
        found += rows.order_by("-id")[:limit]
    newest = sorted(found, key=lambda row: row.pk)[-limit:]
    return _open(conversation, newest, actor)


def since(
    conversation: Conversation, after: uuid.UUID, shown: Sequence[uuid.UUID], *, actor: Actor
) -> list[Entry]:
    """The first that has been added to a page that ends with `after`; looked for some seconds further back.

    `shown` are the entries of those seconds that the page has already. As many as PAGE may mean that more
    have come. Nothing is audited where nothing is read.
    """
    floor, found = ids.earlier(after, OVERLAP), list[Message | Note]()
    if len(shown) + 1 >= MOST_RECENT:  # it has forgotten what came before these
        floor = max(floor, min(shown))
    for model in (Message, Note):
        rows = model.objects.filter(conversation=conversation, id__gt=floor)
        found += rows.exclude(pk__in=[after, *shown]).order_by("id")[:PAGE]
    return _open(conversation, sorted(found, key=lambda row: row.pk)[:PAGE], actor)


def recent(entries: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """Of the entries on a page, those `since` would look at again: the newest, no more than MOST_RECENT."""
    if not entries:
        return []
    floor = ids.earlier(max(entries), OVERLAP)
    return sorted(entry_id for entry_id in entries if entry_id > floor)[-MOST_RECENT:]


def newest_id(conversation: Conversation) -> uuid.UUID | None:
    """The id of the newest entry; nothing is opened."""
    newest = [
        model.objects.filter(conversation=conversation).order_by("-id").values_list("id", flat=True).first()
        for model in (Message, Note)
    ]
    return max((id_ for id_ in newest if id_ is not None), default=None)


def taken_of(conversation: Conversation, queued: Sequence[uuid.UUID]) -> dict[uuid.UUID, Delivery]:
    """What became of messages that were queued when a page was made, as far as something did."""
    if not queued:
        return {}
    messages = Message.objects.filter(conversation=conversation, pk__in=queued)
    times = messages.only("id", "organization_id", "author", "taken_at", "delivered_at", "failed_at")
    states = {message.pk: delivering.state_of(message) for message in times}
    return {
        message_id: state
        for message_id, state in states.items()
        if state is not None and state is not Delivery.QUEUED
    }


def _open(conversation: Conversation, rows: Sequence[Message | Note], actor: Actor) -> list[Entry]:
    messages = [row for row in rows if isinstance(row, Message)]
    notes = [row for row in rows if isinstance(row, Note)]
    if not rows:
        return []
    replying.reveal(messages)
    bulk.reveal(notes, "body")
    names = colleagues.names(row.member_id for row in rows)
    audit.record(
        Event.CONVERSATION_READ,
        actor=actor,
        conversation=conversation.pk,
        end_user=conversation.end_user_id,
        messages=len(messages),
        notes=len(notes) or None,
    )
    return [_entry(row, names) for row in rows]


def _entry(row: Message | Note, names: dict[uuid.UUID, str]) -> Entry:
    name = names.get(row.member_id) if row.member_id else None
    if isinstance(row, Note):
        return Entry(row.pk, NOTE, row.body, row.kept_at, name, None)
    return Entry(row.pk, row.author, row.body, row.kept_at, name, delivering.state_of(row), row.outcome)
