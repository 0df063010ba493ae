"""Shapes stay within their plot and keep the proportions of the numbers."""

import random
from datetime import timedelta

import pytest
from django.utils import translation

from iva import charts
from iva.templatetags import figures


@pytest.mark.parametrize("seed", range(20))
def test_stacked_blocks_fill_their_share_and_no_more(seed: int) -> None:
    dice = random.Random(seed)
    columns = [[(kind, dice.randrange(10 ** dice.randrange(1, 6))) for kind in "abc"] for _ in range(30)]
    plot = charts.stacked(columns)
    for column, series in zip(plot.columns, columns, strict=True):
        total = sum(number for _, number in series)
        assert sum(block.height for block in column.blocks) == pytest.approx(100 * total / plot.top, abs=0.05)
        assert all(0 <= block.y <= 100 for block in column.blocks)
        assert all(column.x < block.x < column.x + charts.STEP for block in column.blocks)


def test_nothing_is_drawn_of_nothing() -> None:
    assert [column.blocks for column in charts.stacked([[("a", 0)], []]).columns] == [[], []]
    assert charts.diverging([(0, 0)], "up", "down").columns[0].blocks == []
    assert charts.shares([("a", 0), ("b", 0)]) == []
    assert charts.stacked([]).top == 2


def test_what_diverges_meets_in_the_middle() -> None:
    up, down = charts.diverging([(4, 2)], "up", "down").columns[0].blocks
    assert (up.y + up.height, down.y) == (50, 50)
    assert (up.height, down.height) == (50, 25)


def test_shares_fill_the_bar() -> None:
    blocks = charts.shares([("a", 1), ("b", 1), ("c", 1)])
    assert blocks[-1].x + blocks[-1].width == pytest.approx(100, abs=0.02)


@pytest.mark.parametrize(
    ("number", "top"), [(0, 2), (1, 2), (3, 4), (9, 10), (11, 12), (20, 20), (21, 40), (99, 100), (101, 120)]
)
def test_a_scale_ends_with_an_even_number(number: int, top: int) -> None:
    assert charts.round_number(number) == top


@pytest.mark.parametrize("number", range(0, 5_000, 7))
def test_a_scale_is_never_too_short(number: int) -> None:
    assert number <= charts.round_number(number) <= max(2, 2 * number)


def test_only_nothing_is_cold() -> None:
    assert [charts.level(number, 100) for number in (0, 1, 20, 21, 100)] == [0, 1, 1, 2, 5]


def test_durations_lie_on_a_scale_from_a_second_to_a_week() -> None:
    assert charts.span(timedelta(0), timedelta(days=400)) == (0, 100)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "1 s"), (59, "59 s"), (90, "2 min"), (5_400, "1.5 h"), (40_000, "11 h"), (90_000, "1.0 d")],
)
def test_durations_are_said_as_people_say_them(seconds: float, said: str) -> None:
    with translation.override("en"):
        assert figures.duration(timedelta(seconds=seconds)) == said


def test_nothing_is_a_dash() -> None:
    assert figures.duration(None) == "–"
