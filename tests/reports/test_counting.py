"""Conversations are counted once, whatever happens to them afterwards and to whoever counts."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from conversations import counting, handover, replying, resolving
from conversations.models import Author, Conversation, ConversationDay, Resolution
from iva.audit.actors import SYSTEM
from privacy import erasure
from privacy.grounds import Ground
from tests.cast import Party
from tests.faults.together import together
from tests.reports.conftest import NOON, ULAANBAATAR, Begin, counted, minutes

Change = Callable[..., None]


def days(party: Party) -> dict[tuple[str, str], dict[str, int]]:
    with party.tenant():
        return {
            (row.day.isoformat(), str(row.channel_id)): row.numbers for row in ConversationDay.objects.all()
        }


def recount(party: Party) -> dict[tuple[str, str], dict[str, int]]:
    """The same by brute force, from every conversation there is."""
    sums: dict[tuple[str, str], Counter[str]] = {}
    with party.tenant():
        for conversation in Conversation.objects.all():
            day, *marks = counting.marks(conversation, ULAANBAATAR)
            sums.setdefault((day, str(conversation.channel_id)), Counter()).update(marks)
    return {place: dict(counter) for place, counter in sums.items()}


def only(party: Party) -> dict[str, int]:
    (numbers,) = days(party).values()
    return numbers


def test_a_conversation_is_counted_once(acme: Party, begin: Begin) -> None:
    begin()
    assert counted(acme) == 1
    assert counted(acme) == 0
    assert only(acme) == {"opened": 1, "hour:12": 1, "nobody": 1}


def test_a_message_alone_is_nothing_to_count_anew(acme: Party) -> None:
    acme.says("Сайн байна уу")
    counted(acme)
    acme.says("Байна уу?")
    assert counted(acme) == 0


def test_what_the_rooms_do_is_counted(acme: Party) -> None:
    """Nobody has to remember to say so."""
    conversation_id = acme.says("Сайн байна уу").body["conversation_id"]
    counted(acme)
    steps: list[Callable[[Conversation], object]] = [
        lambda c: replying.reply(c, "Сайн уу", author=Author.AGENT, actor=SYSTEM),
        lambda c: handover.hand_over(c, actor=SYSTEM),
        lambda c: replying.reply(c, "Сайн уу", author=Author.MEMBER, actor=SYSTEM),
        lambda c: resolving.resolve(c, Resolution.ANSWERED, actor=SYSTEM),
    ]
    said = []
    for step in steps:
        with acme.tenant():
            step(Conversation.objects.get(pk=conversation_id))
        assert counted(acme) == 1
        said.append({name.partition(":")[0] for name in only(acme)} - {"opened", "hour"})
    assert said == [
        {"agent", "agent_reply"},
        {"nobody", "waiting", "agent_reply"},
        {"people", "people_reply", "agent_reply"},
        {"people", "people_reply", "agent_reply", "people_end", "answered"},
    ]


def test_a_late_change_finds_its_day(acme: Party, begin: Begin, change: Change) -> None:
    """Answered three weeks later: the day on which it began says so, and no other."""
    conversation = begin()
    counted(acme)
    change(
        conversation,
        closed_at=NOON + timedelta(days=21),
        resolution=Resolution.ANSWERED,
        first_response_at=NOON + minutes(3),
        first_response_by=Author.AGENT,
    )
    counted(acme)
    assert list(days(acme)) == [("2026-03-10", str(conversation.channel_id))]
    assert days(acme) == recount(acme)
    assert only(acme)["agent"] == 1
    assert "nobody" not in only(acme)


@pytest.mark.parametrize(
    ("opened_at", "day", "hour"),
    [
        (datetime(2026, 3, 9, 15, 59, 59, tzinfo=UTC), "2026-03-09", "hour:23"),
        (datetime(2026, 3, 9, 16, 0, 0, tzinfo=UTC), "2026-03-10", "hour:0"),
    ],
)
def test_a_day_ends_at_midnight_in_ulaanbaatar(
    acme: Party, begin: Begin, opened_at: datetime, day: str, hour: str
) -> None:
    begin(opened_at)
    counted(acme)
    ((found, _),) = days(acme)
    assert found == day
    assert only(acme)[hour] == 1


def test_a_change_of_time_zone_takes_away_what_was_added(acme: Party, begin: Begin, change: Change) -> None:
    conversation = begin(datetime(2026, 3, 9, 17, 0, tzinfo=UTC))
    counted(acme)
    change(conversation, sentiment="negative")
    with acme.tenant():
        counting.count(ZoneInfo("Europe/Berlin"))
    assert {day: numbers for (day, _), numbers in days(acme).items()} == {
        "2026-03-10": {},
        "2026-03-09": {"opened": 1, "hour:18": 1, "nobody": 1, "negative": 1},
    }


def random_facts(dice: random.Random, opened_at: datetime) -> dict[str, Any]:
    answered = opened_at + timedelta(seconds=dice.choice([0, 2, 40, 4_000]))
    facts: dict[str, Any] = {
        "first_response_at": answered,
        "first_response_by": dice.choice([Author.AGENT, Author.MEMBER]),
        "handed_over_at": dice.choice([None, answered]),
        "waited_for_people": dice.choice([None, timedelta(seconds=dice.randrange(100_000))]),
        "closed_at": dice.choice([None, answered + minutes(30)]),
        "resolution": dice.choice([*Resolution.values, ""]),
        "sentiment": dice.choice(["", "positive", "neutral", "negative"]),
        "last_message_at": answered + minutes(dice.randrange(60)),
    }
    return {name: value for name, value in facts.items() if dice.random() < 0.7}


@pytest.mark.parametrize("seed", range(4))
def test_days_are_what_a_recount_of_everything_finds(
    acme: Party, begin: Begin, change: Change, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """However conversations begin and change, in whatever order, and however often they are counted."""
    monkeypatch.setattr(counting, "BATCH", 3)
    dice = random.Random(seed)
    conversations: list[Conversation] = []
    for _ in range(40):
        if not conversations or dice.random() < 0.4:
            opened_at = NOON + timedelta(hours=dice.randrange(-60, 60))
            conversations.append(begin(opened_at))
        else:
            conversation = dice.choice(conversations)
            change(conversation, **random_facts(dice, conversation.opened_at) or {"sentiment": "neutral"})
        if dice.random() < 0.3:
            with acme.tenant():
                counting.count(ULAANBAATAR)
    counted(acme)
    assert {place: numbers for place, numbers in days(acme).items() if numbers} == recount(acme)


class Killed(BaseException):
    """The worker is gone."""


@pytest.mark.parametrize("where", ["_add", "_remember"])
def test_a_crash_in_between_loses_and_doubles_nothing(
    acme: Party, begin: Begin, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    begin(), begin(NOON + timedelta(days=1))
    really = getattr(counting, where)

    def die_afterwards(*arguments: Any) -> None:
        really(*arguments)
        raise Killed

    monkeypatch.setattr(counting, where, die_afterwards)
    with pytest.raises(Killed), acme.tenant():
        counting.count(ULAANBAATAR)
    assert days(acme) == {}
    monkeypatch.setattr(counting, where, really)
    assert counted(acme) == 2
    assert days(acme) == recount(acme)


def test_two_workers_at_once_count_each_conversation_once(
    acme: Party, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "BATCH", 2)
    for number in range(12):
        begin(NOON + timedelta(days=number % 3))
    together([lambda: counted(acme)] * 4)
    counted(acme)
    assert days(acme) == recount(acme)


def test_a_message_arrives_while_its_conversation_is_being_counted(acme: Party) -> None:
    """Counting holds no lock that keeping a message has to wait for."""
    acme.says("Сайн байна уу")
    with acme.tenant():
        assert counting.count(ULAANBAATAR) == 1
        assert together([lambda: acme.says("Байна уу?").status]) == [201]


def test_an_erased_conversation_stays_in_the_sums_and_nothing_else_of_it(
    acme: Party, begin: Begin, superuser: psycopg.Connection
) -> None:
    conversation = begin()
    counted(acme)
    before = days(acme)
    with acme.tenant():
        record = erasure.erase(conversation.end_user_id, Ground.SUBJECT_REQUEST, actor=SYSTEM)
    assert erasure.finish(acme.id, record.pk)
    counted(acme)
    assert days(acme) == before
    row = superuser.execute("SELECT * FROM conversations_conversationday").fetchone()
    assert str(conversation.pk) not in str(row)
    assert str(conversation.end_user_id) not in str(row)


def test_globex_counts_its_own(acme: Party, globex: Party, begin: Begin) -> None:
    begin()
    assert counted(globex) == 0
    assert days(globex) == {}


@pytest.mark.parametrize("seconds", [0, 0.4, 1, 1.5, 2, 59, 3_600, 86_399, 2_600_000])
def test_a_bucket_is_at_most_nine_percent_off(seconds: float) -> None:
    found = counting.middle(counting.bucket(timedelta(seconds=seconds))).total_seconds()
    assert found == pytest.approx(seconds, rel=0.095, abs=0.6)
