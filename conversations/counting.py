"""Counting conversations into days: what the reports are made of, kept small and exact.

A conversation adds *marks* to the day on which it began, in the organization's time zone: how it was
answered, how long that took, how it ended, how its End User sounds. What it added stands in `counted_as`.
When anything of that changes, a trigger sets `to_count`; counting it again takes the old marks away and adds
the new ones, in one transaction. So a reply that comes weeks later finds its day, a crash loses and doubles
nothing, and what is erased or purged in between leaves the sums as they were (P26).

Marks: `opened` and `hour:0…23` · one of `agent`, `people`, `nobody` · `waiting` for people · `agent_reply:B`,
`people_reply:B`, `agent_end:B`, `people_end:B`, durations as buckets · a resolution · a sentiment.
"""

import math
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import QuerySet

from conversations.models import Author, Conversation, ConversationDay, Resolution
from iva import tenancy

BATCH = 500
BUCKETS_PER_DOUBLING = 4
"""A duration read from its bucket is at most 9 % off."""


class Place(NamedTuple):
    """Which row of figures: the day in the organization's time zone, and the channel."""

    day: date
    channel_id: uuid.UUID


Sums = dict[Place, Counter[str]]


def count(zone: ZoneInfo) -> int:
    """Count what has changed, at most `BATCH` conversations; returns how many. Inside `tenant()`.

    May run twice at once: nobody waits for a conversation that somebody else is counting.
    """
    changed = list(_to_count().select_for_update(of=("self",), no_key=True, skip_locked=True)[:BATCH])
    sums, counted_as = changes(changed, zone)
    for place in sorted(sums):
        _add(place, sums[place])
    _remember(counted_as)
    return len(changed)


def pending(zone: ZoneInfo, most: int) -> tuple[Sums, bool]:
    """What counting would add now, without doing it, and whether that is all: for figures of this minute."""
    changed = list(_to_count()[: most + 1])
    return changes(changed[:most], zone)[0], len(changed) <= most


def changes(conversations: Iterable[Conversation], zone: ZoneInfo) -> tuple[Sums, dict[uuid.UUID, str]]:
    """What has to be added to which day, old marks taken away, and as what each conversation counts then."""
    sums: Sums = {}
    counted_as = {}
    for conversation in conversations:
        now = " ".join(marks(conversation, zone))
        for text, sign in ((conversation.counted_as, -1), (now, 1)):
            if text:
                day, *names = text.split()
                place = Place(date.fromisoformat(day), conversation.channel_id)
                counter = sums.setdefault(place, Counter())
                counter.update(dict.fromkeys(names, sign))
        counted_as[conversation.pk] = now
    return sums, counted_as


def marks(conversation: Conversation, zone: ZoneInfo) -> Iterator[str]:
    """The day on which it began, then its marks."""
    began: datetime = conversation.opened_at.astimezone(zone)
    yield began.date().isoformat()
    yield "opened"
    yield f"hour:{began.hour}"
    who = answered_by(conversation)
    yield who
    yield from _times(conversation, "people" if who == "people" else "agent")
    if conversation.closed_at is not None and conversation.resolution:
        yield conversation.resolution
    if conversation.sentiment:
        yield conversation.sentiment


def answered_by(conversation: Conversation) -> str:
    """`people` where one of them wrote; `agent` where it was enough; `nobody` where the End User still waits
    for people, was never answered, or left without an answer."""
    if conversation.waited_for_people is not None:
        return "people"
    ended_without = conversation.closed_at is not None and conversation.resolution != Resolution.ANSWERED
    waits = conversation.handed_over_at is not None
    return "nobody" if waits or ended_without or conversation.first_response_at is None else "agent"


def _times(conversation: Conversation, ended_by: str) -> Iterator[str]:
    waited, first_at = conversation.waited_for_people, conversation.first_response_at
    if waited is not None:
        yield f"people_reply:{bucket(waited)}"
    elif conversation.handed_over_at is not None and conversation.closed_at is None:
        yield "waiting"
    if first_at is not None and conversation.first_response_by == Author.AGENT:
        yield f"agent_reply:{bucket(first_at - conversation.opened_at)}"
    if conversation.closed_at is not None and conversation.resolution == Resolution.ANSWERED:
        yield f"{ended_by}_end:{bucket(timedelta(seconds=conversation.duration_seconds))}"


def bucket(duration: timedelta) -> int:
    """The number of the bucket of a duration: each is wider than the one before by the fourth root of two."""
    seconds = duration.total_seconds()
    return 0 if seconds < 1 else 1 + int(BUCKETS_PER_DOUBLING * math.log2(seconds))


def middle(number: int) -> timedelta:
    """The duration a bucket stands for: the geometric middle of its bounds."""
    return timedelta(seconds=0.5 if number == 0 else 2 ** ((number - 0.5) / BUCKETS_PER_DOUBLING))


def _to_count() -> QuerySet[Conversation]:
    """Conversations of the erased are left as they were counted, and go."""
    return Conversation.objects.filter(to_count=True, end_user__erased_at=None).order_by("id")


def _add(place: Place, counter: Counter[str]) -> None:
    row, _ = ConversationDay.objects.select_for_update().get_or_create(
        day=place.day, channel_id=place.channel_id
    )
    total = Counter(row.numbers)
    total.update(counter)
    row.numbers = {mark: number for mark, number in sorted(total.items()) if number}
    row.save(update_fields=["numbers"])


def _remember(counted_as: dict[uuid.UUID, str]) -> None:
    if counted_as:
        with connection.cursor() as cursor:
            cursor.execute(
                REMEMBER, [list(counted_as), list(counted_as.values()), tenancy.active().organization_id]
            )


REMEMBER = """
UPDATE conversations_conversation conversation SET counted_as = item.counted_as, to_count = false
FROM unnest(%s::uuid[], %s::text[]) AS item (id, counted_as)
WHERE conversation.organization_id = %s AND conversation.id = item.id
"""
