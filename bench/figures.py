"""What a benchmark finds: a number, the goal beside it, and whether it was reached."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

MET, FLOOR, MISSED, NO_GOAL = "pass", "floor", "MISSED", ""


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound. `floor` is what is still tolerated, where something is."""

    bound: float
    is_minimum: bool
    floor: float | None = None

    def mark(self, value: float) -> str:
        if self._holds(value, self.bound):
            return MET
        return FLOOR if self.floor is not None and self._holds(value, self.floor) else MISSED

    def _holds(self, value: float, bound: float) -> bool:
        """Compared as it is printed: what reads as 1.15 is not above 1.15."""
        return round(value, 2) >= bound if self.is_minimum else round(value, 2) <= bound

    def __str__(self) -> str:
        text = f"{'≥' if self.is_minimum else '≤'} {self.bound:g}"
        return text if self.floor is None else f"{text} (floor {self.floor:g})"


def at_least(bound: float, floor: float | None = None) -> Goal:
    return Goal(bound, True, floor)


def at_most(bound: float) -> Goal:
    return Goal(bound, False)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `unit` is "x" for ratios; `spread` the lowest and highest of the rounds."""

    benchmark: str
    what: str
    value: float
    unit: str
    goal: Goal | None = None
    spread: tuple[float, float] | None = None
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def mark(self) -> str:
        return self.goal.mark(self.value) if self.goal else NO_GOAL

    def as_json(self) -> str:
        found = {
            "benchmark": self.benchmark,
            "figure": self.what,
            "value": float(f"{self.value:.4g}"),
            "unit": self.unit,
            "goal": str(self.goal) if self.goal else None,
            "mark": self.mark or None,
            "spread": [float(f"{end:.4g}") for end in self.spread] if self.spread else None,
            **self.detail,
        }
        return json.dumps(
            {name: value for name, value in found.items() if value is not None}, ensure_ascii=False
        )


Report = Callable[[Figure], None]


def table(figures: Iterable[Figure]) -> str:
    """All figures, goal and mark beside each, under a heading for each benchmark."""
    lines, benchmark = [], ""
    width = max((len(figure.what) for figure in figures), default=0)
    for figure in figures:
        if figure.benchmark != benchmark:
            benchmark = figure.benchmark
            lines += ["", f"{benchmark:{width}}  {'measured':>12}  {'rounds':>17}  {'goal':17}"]
        spread = " – ".join(_short(end) for end in figure.spread) if figure.spread else ""
        value = f"{_short(figure.value)} {figure.unit}"
        goal = str(figure.goal or "")
        lines.append(f"  {figure.what:{width}}{value:>12}  {spread:>17}  {goal:17} {figure.mark}".rstrip())
    return "\n".join(lines)


def _short(value: float) -> str:
    if abs(value) >= 100 or value == 0:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
