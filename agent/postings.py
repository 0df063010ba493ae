"""Inverted lists: for each feature, the entries it occurs in and how much it weighs there."""

from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Postings:
    """One feature's list, in two arrays of four bytes a number."""

    rarity: float = 0.0
    positions: "array[int]" = field(default_factory=lambda: array("I"))
    weights: "array[float]" = field(default_factory=lambda: array("f"))


class Lists:
    """All features' lists. Filled, then weighed, then only read."""

    def __init__(self) -> None:
        self._by_feature: dict[str, Postings] = {}
        self._unknown = 0.0

    def __contains__(self, feature: object) -> bool:
        return feature in self._by_feature

    def extend(self, position: int, weights: Mapping[str, float]) -> None:
        """Note what occurs in the entry at `position`, and how much it weighs there."""
        known = self._by_feature
        for feature, weight in weights.items():
            postings = known.get(feature)
            if postings is None:
                postings = known[feature] = Postings()
            postings.positions.append(position)
            postings.weights.append(weight)

    def rare(self, rarity: Callable[[int], float]) -> None:
        """Set every feature's rarity from the number of entries it occurs in."""
        self._unknown = rarity(0)
        for postings in self._by_feature.values():
            postings.rarity = rarity(len(postings.positions))

    def sums(self, entries: int, power: int) -> list[float]:
        """For each entry, the sum of its weights raised to `power`."""
        sums = [0.0] * entries
        for postings in self._by_feature.values():
            for position, weight in zip(postings.positions, postings.weights, strict=True):
                sums[position] += weight**power
        return sums

    def reweigh(self, weigh: Callable[[int, float, float], float]) -> None:
        """Replace every weight by `weigh(position, weight, rarity)`."""
        for postings in self._by_feature.values():
            pairs = zip(postings.positions, postings.weights, strict=True)
            postings.weights = array(
                "f", (weigh(position, weight, postings.rarity) for position, weight in pairs)
            )

    def rarity(self, feature: str) -> float:
        """The rarity of a feature; one that occurs nowhere is the rarest."""
        postings = self._by_feature.get(feature)
        return self._unknown if postings is None else postings.rarity

    def add(self, scores: list[float], feature: str, weight: float) -> None:
        """Add `weight` times the feature's weight to the score of every entry it occurs in."""
        postings = self._by_feature.get(feature)
        if postings is not None:
            for position, stored in zip(postings.positions, postings.weights, strict=True):
                scores[position] += weight * stored
