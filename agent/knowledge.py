"""Keeping the knowledge base of the active organization: publish, revise, retire, search (P22).

Every verb runs inside `tenancy.tenant()`.
"""

import uuid
from collections.abc import Callable, Sequence
from typing import NamedTuple

from django.db import connection
from django.utils import timezone

from agent import normalizing
from agent.models import KnowledgeEntry
from agent.retrieval import Entry, Index
from agent.shelf import Shelf
from iva import tenancy
from iva.audit import log as audit
from iva.audit.actors import Actor
from iva.audit.events import Event
from iva.crypto import bulk

__all__ = ["Index"]

LONGEST_TITLE = 200
LONGEST_QUESTION = 500
MOST_ALTERNATIVES = 20
LONGEST_ANSWER = 4_000
MOST_ENTRIES = 2_000
"""Published entries of one organization: what an index in memory is measured for (docs/agent.md)."""

MOST_BYTES = 1_000_000
"""Sealed text of all published entries together: an index of it takes seconds to build, not minutes."""

SEALED = ("title", "question", "alternatives", "answer")

# A number that changes with every publication, revision and retirement, and never comes back.
VERSION = """
SELECT COALESCE(bit_xor(hashtextextended(id::text || version || (retired_at IS NULL), 0)), 0)
FROM agent_knowledgeentry WHERE organization_id = %s
"""


HOW_MUCH = """
SELECT COALESCE(sum(octet_length(title_encrypted) + octet_length(question_encrypted)
                    + octet_length(alternatives_encrypted) + octet_length(answer_encrypted)), 0)
FROM agent_knowledgeentry WHERE organization_id = %s AND retired_at IS NULL
"""


class EntryRefused(ValueError):
    """An entry cannot be published as it is. Carries which part of it, never the text."""

    def __init__(self, part: str, limit: int | None = None) -> None:
        self.part, self.limit = part, limit
        super().__init__(part if limit is None else f"{part}: at most {limit}")


class TextMissing(EntryRefused):
    """A part that must say something says nothing; a question needs a word to be found by."""


class TextTooLong(EntryRefused):
    """A part is longer than its limit in characters."""


class TooManyAlternatives(EntryRefused):
    """More ways to ask than `MOST_ALTERNATIVES`."""


class KnowledgeBaseFull(EntryRefused):
    """The organization has published `MOST_ENTRIES` entries, or `MOST_BYTES` of text."""


class NoSuchEntry(LookupError):
    """The organization has no such entry, or has retired it."""


class _Text(NamedTuple):
    title: str
    question: str
    alternatives: list[str]
    answer: str


def publish(
    title: str, question: str, alternatives: Sequence[str], answer: str, *, actor: Actor
) -> KnowledgeEntry:
    """Add an entry; the agent answers from it at once. Raises EntryRefused."""
    text = _checked(title, question, alternatives, answer)
    if KnowledgeEntry.objects.filter(retired_at=None).count() >= MOST_ENTRIES:
        raise KnowledgeBaseFull("entries", MOST_ENTRIES)
    entry = KnowledgeEntry(**text._asdict())
    entry.save(force_insert=True)
    _refuse_too_much()
    audit.record(Event.KNOWLEDGE_PUBLISHED, actor=actor, entry=entry.pk, version=entry.version)
    return entry


def revise(
    entry: KnowledgeEntry,
    title: str,
    question: str,
    alternatives: Sequence[str],
    answer: str,
    *,
    actor: Actor,
) -> KnowledgeEntry:
    """Replace an entry's text by a new version. Raises EntryRefused, and NoSuchEntry once it is retired."""
    text = _checked(title, question, alternatives, answer)
    entry = _locked(entry.pk)
    for part, value in text._asdict().items():
        setattr(entry, part, value)
    entry.version += 1
    entry.updated_at = timezone.now()
    entry.save(update_fields=[*SEALED, "version", "updated_at"])
    _refuse_too_much()
    audit.record(Event.KNOWLEDGE_REVISED, actor=actor, entry=entry.pk, version=entry.version)
    return entry


def retire(entry: KnowledgeEntry, *, actor: Actor) -> None:
    """Take an entry out of use; the agent forgets it at once. Raises NoSuchEntry when it already is."""
    entry = _locked(entry.pk)
    entry.retired_at = entry.updated_at = timezone.now()
    entry.save(update_fields=["retired_at", "updated_at"])
    audit.record(Event.KNOWLEDGE_RETIRED, actor=actor, entry=entry.pk, version=entry.version)


def get(entry_id: uuid.UUID) -> KnowledgeEntry:
    """A published entry. Raises NoSuchEntry."""
    entry = KnowledgeEntry.objects.filter(pk=entry_id, retired_at=None).first()
    if entry is None:
        raise NoSuchEntry(str(entry_id))
    return entry


def published() -> list[KnowledgeEntry]:
    """Every published entry, the oldest first, opened."""
    return _revealed(KnowledgeEntry.objects.filter(retired_at=None).order_by("id"))


def page(*, before: uuid.UUID | None, limit: int) -> list[KnowledgeEntry]:
    """Published entries older than `before`, the newest first, opened."""
    entries = KnowledgeEntry.objects.filter(retired_at=None).order_by("-id")
    return _revealed((entries.filter(pk__lt=before) if before else entries)[:limit])


def index() -> Index:
    """The search index of what is published now, from this process's shelf."""
    return find_index()()


def find_index() -> Callable[[], Index]:
    """Read what the index of what is published now needs; calling the result later builds it.

    Building a large one takes seconds, in which no transaction should stay open.
    """
    organization_id = tenancy.active().organization_id
    version = _version(organization_id)
    held = _shelf.held(organization_id, version)
    if held is not None:
        return lambda: held
    entries = tuple(map(_entry, published()))
    return lambda: _shelf.get(organization_id, version, lambda: Index(entries))


_shelf = Shelf()


def _version(organization_id: uuid.UUID) -> int:
    with connection.cursor() as cursor:
        cursor.execute(VERSION, [organization_id])
        row: tuple[int] = cursor.fetchone()
    return row[0]


def _entry(row: KnowledgeEntry) -> Entry:
    return Entry(row.pk, row.title, row.question, tuple(row.alternatives), row.answer, row.language)


def _refuse_too_much() -> None:
    with connection.cursor() as cursor:
        cursor.execute(HOW_MUCH, [tenancy.active().organization_id])
        (much,) = cursor.fetchone()
    if much > MOST_BYTES:
        raise KnowledgeBaseFull("bytes of text", MOST_BYTES)


def _locked(entry_id: uuid.UUID) -> KnowledgeEntry:
    entry = KnowledgeEntry.objects.select_for_update().filter(pk=entry_id, retired_at=None).first()
    if entry is None:
        raise NoSuchEntry(str(entry_id))
    return entry


def _revealed(entries: Sequence[KnowledgeEntry]) -> list[KnowledgeEntry]:
    rows = list(entries)
    bulk.reveal(rows, *SEALED)
    return rows


def _checked(title: str, question: str, alternatives: Sequence[str], answer: str) -> _Text:
    others = list(dict.fromkeys(filter(None, (text.strip() for text in alternatives))))
    if len(others) > MOST_ALTERNATIVES:
        raise TooManyAlternatives("alternatives", MOST_ALTERNATIVES)
    if not normalizing.words(question):
        raise TextMissing("question")
    return _Text(
        _said("title", title, LONGEST_TITLE),
        _said("question", question, LONGEST_QUESTION),
        [_said("alternatives", text, LONGEST_QUESTION) for text in others],
        _said("answer", answer, LONGEST_ANSWER),
    )


def _said(part: str, text: str, longest: int) -> str:
    text = text.strip()
    if not text:
        raise TextMissing(part)
    if len(text) > longest:
        raise TextTooLong(part, longest)
    return text
