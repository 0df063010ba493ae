"""Where things stand in a chart: numbers in, shapes for an SVG out. What they look like is `home.css`'s.

Every plot is stretched to the room it gets (`preserveAspectRatio="none"`), so shapes are plain rectangles and
text stands beside the plot, in HTML, where it can be read at any width.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import log

HEIGHT = 100.0
STEP, GAP = 10.0, 1.5
LEVELS = 5
SHORTEST, LONGEST = timedelta(seconds=1), timedelta(days=7)
WIDTH = 100.0


@dataclass(frozen=True)
class Block:
    """A rectangle; `kind` names its class."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Column:
    """The blocks over one place of the axis, which is `STEP` wide; what is said of it is the template's."""

    x: float
    blocks: list[Block]


@dataclass(frozen=True)
class Plot:
    """Columns side by side, and the number the top of the plot stands for."""

    width: float
    top: int
    columns: list[Column]


Series = Sequence[tuple[str, int]]
"""Kinds and numbers of one column, from the bottom up."""


def stacked(columns: Sequence[Series]) -> Plot:
    """Blocks on top of each other."""
    top = round_number(max((sum(number for _, number in series) for series in columns), default=0))
    return Plot(
        len(columns) * STEP,
        top,
        [Column(index * STEP, _stack(index, series, top)) for index, series in enumerate(columns)],
    )


def diverging(columns: Sequence[tuple[int, int]], above: str, below: str) -> Plot:
    """Two numbers for each column, one up and one down from the middle."""
    top = round_number(max((max(pair) for pair in columns), default=0))
    half = HEIGHT / 2
    found = []
    for index, (up, down) in enumerate(columns):
        x, width = index * STEP + GAP, STEP - 2 * GAP
        blocks = [
            Block(above, x, _short(half - half * up / top), width, _short(half * up / top)),
            Block(below, x, half, width, _short(half * down / top)),
        ]
        found.append(Column(index * STEP, [block for block in blocks if block.height]))
    return Plot(len(columns) * STEP, top, found)


def shares(parts: Series) -> list[Block]:
    """One bar, `WIDTH` long, divided."""
    total = sum(number for _, number in parts)
    blocks: list[Block] = []
    x = 0.0
    for kind, number in parts:
        width = _short(WIDTH * number / total) if total else 0.0
        if width:
            blocks.append(Block(kind, _short(x), 0, width, HEIGHT))
        x += width
    return blocks


def span(median: timedelta, late: timedelta) -> tuple[float, float]:
    """Where on a logarithmic scale from a second to a week two durations lie, 0 to `WIDTH`."""
    return _on_scale(median), _on_scale(late)


def level(number: int, most: int) -> int:
    """How hot: 0 for nothing, `LEVELS` for the most."""
    return -(-LEVELS * number // most) if number else 0


def round_number(number: int) -> int:
    """The next number a scale would end with, an even one: 2, 4, 6, 8, 10, 12 … 20, 40, 60 …"""
    size = 10 ** (len(str(number)) - 1)
    step = 2 * size if number > 2 * size else max(2, size // 5)
    return max(2, -(-number // step) * step)


def _stack(index: int, series: Series, top: int) -> list[Block]:
    blocks, reached = [], HEIGHT
    for kind, number in series:
        height = _short(HEIGHT * number / top)
        if height:
            reached = _short(reached - height)
            blocks.append(Block(kind, index * STEP + GAP, reached, STEP - 2 * GAP, height))
    return blocks


def _on_scale(duration: timedelta) -> float:
    within = min(max(duration, SHORTEST), LONGEST)
    return _short(WIDTH * log(within / SHORTEST) / log(LONGEST / SHORTEST))


def _short(number: float) -> float:
    return round(number, 2)
