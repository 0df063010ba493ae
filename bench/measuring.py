"""Measuring variants in turn, so that whatever else the machine does hits all of them alike."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

ROUNDS = 7


class Ratio(NamedTuple):
    """Median, lowest and highest of the rounds' ratios."""

    median: float
    lowest: float
    highest: float

    @property
    def spread(self) -> tuple[float, float]:
        return self.lowest, self.highest


def interleaved(variants: Mapping[str, Callable[[], float]], rounds: int = ROUNDS) -> dict[str, list[float]]:
    """What each variant measures, once a round, after one unmeasured; another begins each time."""
    names = list(variants)
    measured: dict[str, list[float]] = {name: [] for name in names}
    for variant in variants.values():
        variant()
    gc.collect()
    gc.freeze()
    for round_ in range(rounds):
        turn = round_ % len(names)
        for name in names[turn:] + names[:turn]:
            measured[name].append(variants[name]())
    gc.unfreeze()
    return measured


def ratio(upper: list[float], lower: list[float]) -> Ratio:
    """The ratio within each round: what disturbed a whole round is divided out."""
    ratios = [one / other for one, other in zip(upper, lower, strict=True)]
    return Ratio(statistics.median(ratios), min(ratios), max(ratios))


def seconds(action: Callable[[], Any]) -> float:
    """How long it takes, with the garbage collector out of the way."""
    gc.disable()
    try:
        started = time.perf_counter()
        action()
        return time.perf_counter() - started
    finally:
        gc.enable()


def warm(action: Callable[[], Any], before: Callable[[], Any] = lambda: None) -> float:
    """How long it takes right after itself; `before` puts things back. What ran in between has long
    emptied the processor's caches, which would be measured otherwise."""
    for _ in range(2):
        before()
        spent = seconds(action)
    return spent
