"""What the home page shows of a period: figures read from the days of `conversations.counting`.

Bounded whatever the organization's size: at most 180 days × its channels, and `MOST_PENDING` conversations
that have changed since they were last counted, which are added on the way. Inside `tenancy.tenant()`.
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from channels_cfg.models import Channel
from conversations import counting
from conversations.models import ConversationDay

PERIODS = (7, 30, 90)
"""Days that can be asked for."""

MOST_PENDING = 2_000
MEDIAN, LATE = 0.5, 0.9
HOURS, WEEKDAYS = 24, 7


@dataclass(frozen=True)
class Day:
    """A day of the organization, and what happened with the conversations that began on it."""

    day: date
    opened: int
    agent: int
    people: int
    nobody: int
    positive: int
    neutral: int
    negative: int


@dataclass(frozen=True)
class Times:
    """How long something took: half of the cases no longer than `median`, nine in ten than `late`.

    None where there was no case. At most 9 % off (`counting.bucket`).
    """

    cases: int
    median: timedelta | None
    late: timedelta | None


@dataclass(frozen=True)
class ChannelShare:
    """How many conversations began over a channel."""

    channel_id: uuid.UUID
    name: str
    opened: int


@dataclass(frozen=True)
class Report:
    """A period, day by day and as a whole. `hours[weekday][hour]` counts beginnings, Monday first."""

    days: list[Day]
    opened: int
    opened_before: int
    agent: int
    people: int
    nobody: int
    waiting: int
    positive: int
    neutral: int
    negative: int
    agent_reply: Times
    people_reply: Times
    agent_end: Times
    people_end: Times
    channels: list[ChannelShare]
    hours: list[list[int]]
    is_up_to_date: bool

    @property
    def appraised(self) -> int:
        return self.positive + self.neutral + self.negative

    @property
    def change(self) -> int | None:
        """Conversations against as many days before, in percent; None where there were none."""
        if not self.opened_before:
            return None
        return round(100 * (self.opened - self.opened_before) / self.opened_before)


def report(days: int, zone: ZoneInfo, *, today: date | None = None) -> Report:
    """The last `days` days in the organization's time zone, today among them.

    While conversations are being counted at this moment, some may be missing or double for as long.
    """
    last = today or timezone.now().astimezone(zone).date()
    first = last - timedelta(days=days - 1)
    sums, is_all = _sums(first - timedelta(days=days), last, zone)
    within = {place: counter for place, counter in sums.items() if place.day >= first}
    whole = _added(within.values())
    return Report(
        days=list(_days(within, first, days)),
        opened=whole["opened"],
        opened_before=_added(sums.values())["opened"] - whole["opened"],
        agent=whole["agent"],
        people=whole["people"],
        nobody=whole["nobody"],
        waiting=whole["waiting"],
        positive=whole["positive"],
        neutral=whole["neutral"],
        negative=whole["negative"],
        agent_reply=_times(whole, "agent_reply"),
        people_reply=_times(whole, "people_reply"),
        agent_end=_times(whole, "agent_end"),
        people_end=_times(whole, "people_end"),
        channels=_channels(within),
        hours=_hours(within),
        is_up_to_date=is_all,
    )


def percentile(buckets: Counter[int], share: float) -> timedelta | None:
    """The duration that `share` of the cases do not exceed (nearest rank); None without cases."""
    rank = share * buckets.total()
    reached = 0
    for number in sorted(buckets):
        reached += buckets[number]
        if reached >= rank and reached:
            return counting.middle(number)
    return None


def _sums(first: date, last: date, zone: ZoneInfo) -> tuple[counting.Sums, bool]:
    """What stands in the days, and what will when everything is counted."""
    changed, is_all = counting.pending(zone, MOST_PENDING)
    sums = {
        counting.Place(row.day, row.channel_id): Counter(row.numbers)
        for row in ConversationDay.objects.filter(day__range=(first, last))
    }
    for place, counter in changed.items():
        if first <= place.day <= last:
            sums.setdefault(place, Counter()).update(counter)
    return sums, is_all


def _added(counters: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for counter in counters:
        total.update(counter)
    return total


def _days(sums: counting.Sums, first: date, count: int) -> Iterator[Day]:
    """Every day of the period, also those on which nobody wrote."""
    by_day: dict[date, Counter[str]] = {}
    for place, counter in sums.items():
        by_day.setdefault(place.day, Counter()).update(counter)
    marks = ("opened", "agent", "people", "nobody", "positive", "neutral", "negative")
    for number in range(count):
        day = first + timedelta(days=number)
        found = by_day.get(day, Counter())
        yield Day(day, **{mark: found[mark] for mark in marks})


def _times(whole: Counter[str], mark: str) -> Times:
    buckets = Counter(
        {int(name.partition(":")[2]): number for name, number in whole.items() if name.startswith(f"{mark}:")}
    )
    return Times(buckets.total(), percentile(buckets, MEDIAN), percentile(buckets, LATE))


def _channels(sums: counting.Sums) -> list[ChannelShare]:
    opened: Counter[uuid.UUID] = Counter()
    for place, counter in sums.items():
        opened[place.channel_id] += counter["opened"]
    names = dict(Channel.objects.filter(pk__in=opened).values_list("id", "name"))
    return [
        ChannelShare(channel_id, names.get(channel_id, ""), number)
        for channel_id, number in opened.most_common()
    ]


def _hours(sums: counting.Sums) -> list[list[int]]:
    begun = [[0] * HOURS for _ in range(WEEKDAYS)]
    for place, counter in sums.items():
        for hour in range(HOURS):
            begun[place.day.weekday()][hour] += counter[f"hour:{hour}"]
    return begun
