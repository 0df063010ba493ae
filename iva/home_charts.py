"""The charts of the home page: a report in, what its templates draw out."""

from datetime import date
from typing import Any, NamedTuple

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from conversations import reporting
from conversations.reporting import ChannelShare, Day, Report, Times
from iva import charts

FEW_DAYS = 7


class Span(NamedTuple):
    """How long something took, and from where to where that lies; no `place` without a case."""

    label: str
    kind: str
    times: Times
    place: tuple[float, float] | None


class Hour(NamedTuple):
    """A field of the heat strip: how many conversations began then, and how hot that is, 0 to 5."""

    hour: int
    number: int
    level: int


def drawn(report: Report) -> dict[str, Any]:
    """What the templates in `iva/overview/` need."""
    answered = [_by_who(day) for day in report.days]
    sounding = [(day.positive, day.negative) for day in report.days]
    return {
        "report": report,
        "period": len(report.days),
        "per_day": _beside(report.days, charts.stacked(answered)),
        "share": charts.shares(_by_who(report)),
        "moods": _beside(report.days, charts.diverging(sounding, "positive", "negative")),
        "times": _times(report),
        "channels": _channels(report.channels),
        "heat": _heat(report.hours),
        "hours": range(reporting.HOURS),
        "marked_days": _marked([day.day for day in report.days]),
    }


def _by_who(figures: Day | Report) -> charts.Series:
    return [("agent", figures.agent), ("people", figures.people), ("nobody", figures.nobody)]


def _beside(days: list[Day], plot: charts.Plot) -> dict[str, Any]:
    return {"plot": plot, "columns": list(zip(days, plot.columns, strict=True)), "half": plot.top // 2}


def _times(report: Report) -> list[Span]:
    rows = [
        (_("First reply of the agent"), "agent", report.agent_reply),
        (_("First reply of a person"), "people", report.people_reply),
        (_("Resolved by the agent"), "agent", report.agent_end),
        (_("Resolved by people"), "people", report.people_end),
    ]
    return [Span(label, kind, times, _place(times)) for label, kind, times in rows]


def _place(times: Times) -> tuple[float, float] | None:
    return None if times.median is None or times.late is None else charts.span(times.median, times.late)


def _channels(shares: list[ChannelShare]) -> list[tuple[ChannelShare, float]]:
    """Each with the length of its bar: the busiest fills the room."""
    most = max((share.opened for share in shares), default=0)
    return [(share, round(charts.WIDTH * share.opened / most, 2) if most else 0.0) for share in shares]


def _heat(hours: list[list[int]]) -> list[tuple[str, list[Hour]]]:
    """For each weekday its hours."""
    most = max(map(max, hours))
    return [
        (
            str(WEEKDAYS[weekday]),
            [Hour(hour, number, charts.level(number, most)) for hour, number in enumerate(row)],
        )
        for weekday, row in enumerate(hours)
    ]


def _marked(days: list[date]) -> list[date]:
    """The days that are written under the axis."""
    return days if len(days) <= FEW_DAYS else [days[0], days[len(days) // 2], days[-1]]
