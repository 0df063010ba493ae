"""What a report says of a period."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from conversations import counting, reporting
from conversations.models import Author, ConversationDay, Resolution
from tests.cast import Party
from tests.reports.conftest import NOON, ULAANBAATAR, Begin, counted, minutes

TODAY = date(2026, 3, 10)


def report(party: Party, days: int = 7) -> reporting.Report:
    with party.tenant():
        return reporting.report(days, ULAANBAATAR, today=TODAY)


def test_of_an_organization_to_which_nobody_has_written(acme: Party) -> None:
    empty = report(acme)
    assert [day.day for day in empty.days] == [TODAY - timedelta(days=back) for back in range(6, -1, -1)]
    assert (empty.opened, empty.appraised, empty.change, empty.channels) == (0, 0, None, [])
    assert empty.agent_reply == reporting.Times(0, None, None)
    assert empty.is_up_to_date


def test_says_the_same_before_and_after_counting(acme: Party, begin: Begin) -> None:
    begin(sentiment="negative")
    begin(NOON - timedelta(days=2), waited_for_people=minutes(12))
    live = report(acme)
    counted(acme)
    assert report(acme) == live
    assert [(day.opened, day.people, day.negative) for day in live.days][-3:] == [
        (1, 1, 0),
        (0, 0, 0),
        (1, 0, 1),
    ]


def test_counts_what_changed_since_on_top(acme: Party, begin: Begin) -> None:
    conversation = begin()
    counted(acme)
    with acme.tenant():
        type(conversation).objects.update(first_response_at=NOON, first_response_by=Author.AGENT)
    assert (report(acme).agent, report(acme).nobody) == (1, 0)


def test_says_so_when_too_much_has_changed_to_be_added_on_the_way(
    acme: Party, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporting, "MOST_PENDING", 2)
    for _ in range(3):
        begin()
    assert (report(acme).opened, report(acme).is_up_to_date) == (2, False)
    counted(acme)
    assert (report(acme).opened, report(acme).is_up_to_date) == (3, True)


def test_compares_with_as_many_days_before(acme: Party, begin: Begin) -> None:
    for days_ago in (0, 0, 3, 6, 7, 13, 14, 40):
        begin(NOON - timedelta(days=days_ago))
    week = report(acme)
    assert (week.opened, week.opened_before, week.change) == (4, 2, 100)
    assert (report(acme, 30).opened, report(acme, 90).opened) == (7, 8)


def test_keeps_the_times_of_people_and_agent_apart(acme: Party, begin: Begin) -> None:
    begin(
        first_response_at=NOON + timedelta(seconds=2),
        first_response_by=Author.AGENT,
        closed_at=NOON + minutes(60),
        resolution=Resolution.ANSWERED,
        last_message_at=NOON + minutes(4),
    )
    begin(
        first_response_at=NOON + minutes(10),
        first_response_by=Author.MEMBER,
        waited_for_people=minutes(10),
        closed_at=NOON + minutes(90),
        resolution=Resolution.ANSWERED,
        last_message_at=NOON + minutes(80),
    )
    said = report(acme)
    wanted = {"agent_reply": 2, "people_reply": 600, "agent_end": 240, "people_end": 4_800}
    for name, seconds in wanted.items():
        times = getattr(said, name)
        assert times.cases == 1, name
        assert times.median.total_seconds() == pytest.approx(seconds, rel=0.095), name


def test_nobody_answered_whoever_still_waits_or_left_without(acme: Party, begin: Begin) -> None:
    answered = {"first_response_at": NOON, "first_response_by": Author.AGENT}
    begin(**answered)
    begin(**answered, handed_over_at=NOON)
    begin(**answered, closed_at=NOON, resolution=Resolution.UNANSWERED)
    begin(**answered, handed_over_at=NOON, waited_for_people=minutes(1))
    begin()
    said = report(acme)
    assert (said.agent, said.people, said.nobody, said.waiting) == (1, 1, 3, 1)


def test_hours_are_the_organizations(acme: Party, begin: Begin) -> None:
    begin(datetime(2026, 3, 8, 16, 30, tzinfo=UTC))
    hours = report(acme).hours
    assert hours[0][0] == 1, "half past midnight on Monday in Ulaanbaatar"
    assert sum(map(sum, hours)) == 1


def test_channels_come_by_name_the_busiest_first(acme: Party, begin: Begin) -> None:
    begin(), begin()
    assert [(share.name, share.opened) for share in report(acme).channels] == [("API", 2)]


def test_globex_sees_nothing_of_acme(acme: Party, globex: Party, begin: Begin) -> None:
    begin()
    counted(acme)
    assert report(globex).opened == 0


def test_a_period_costs_as_many_queries_whatever_happened_in_it(
    acme: Party, begin: Begin, django_assert_num_queries: object
) -> None:
    for days_ago in range(20):
        begin(NOON - timedelta(days=days_ago))
    counted(acme)
    with acme.tenant():
        assert ConversationDay.objects.count() == 20
        with django_assert_num_queries(3):  # type: ignore[operator]
            reporting.report(90, ULAANBAATAR, today=TODAY)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [reporting.MEDIAN, reporting.LATE])
def test_a_percentile_is_the_one_of_the_durations_themselves(seed: int, share: float) -> None:
    dice = random.Random(seed)
    durations = sorted(dice.lognormvariate(4, 2) for _ in range(dice.randrange(1, 400)))
    buckets = Counter(counting.bucket(timedelta(seconds=seconds)) for seconds in durations)
    exactly = durations[max(-(-int(share * 10) * len(durations) // 10) - 1, 0)]
    found = reporting.percentile(buckets, share)
    assert found is not None
    assert found.total_seconds() == pytest.approx(exactly, rel=0.095, abs=0.6)
