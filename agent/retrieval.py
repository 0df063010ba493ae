"""Which knowledge-base entries a question is about.

Two looks at the same entries, added up: character n-grams within words (TF-IDF, cosine), over the raw
spelling and over skeletons, forgive endings and typing; BM25 over stems rewards the rare word that names the
topic. All of it is plain Python over inverted lists: a question touches only the entries it shares something
with.

An `Index` holds the text of one organization's knowledge base in memory, and nothing about any End User.
"""

import heapq
import math
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from agent import features
from agent.postings import Lists

ANSWER_WEIGHT = 0.5
"""What a gram or stem of the title or the answer counts beside one of the question or an alternative."""

RELEVANCE_WEIGHT = 0.15
"""What BM25 counts beside the cosine, which lies between 0 and 1."""

SATURATION, LENGTH_PENALTY = 1.2, 0.75
"""BM25's k1 and b at their customary values (Robertson and Zaragoza, 2009)."""

UNKNOWN_PENALTY = 0.4
"""Share of the score lost when none of the question's topic words occurs anywhere in the knowledge base."""

VERBATIM = 2.0
"""Added when the question is a stored one word for word."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The text of one knowledge-base entry. `language` is an ISO 639-1 code."""

    id: uuid.UUID
    title: str
    question: str
    alternatives: tuple[str, ...]
    answer: str
    language: str = "mn"

    @property
    def asked(self) -> str:
        return " ".join([self.question, *self.alternatives])

    @property
    def answered(self) -> str:
        return f"{self.answer} {self.title}"


@dataclass(frozen=True, slots=True)
class Passage:
    """An entry found for a question; the score starts at 0 and grows with resemblance."""

    entry_id: uuid.UUID
    score: float


class Index:
    """The entries of one knowledge base, ready to be searched. Never changes once built."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = tuple(entries)
        self._positions = {entry.id: position for position, entry in enumerate(self._entries)}
        self._verbatim = _verbatim(self._entries)
        self._grams = _resemblance(self._entries)
        self._stems = _relevance(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def entry(self, entry_id: uuid.UUID) -> Entry:
        """The text of an entry. Raises KeyError for one that is not in this index."""
        return self._entries[self._positions[entry_id]]

    def search(self, query: str, limit: int = 3) -> list[Passage]:
        """The entries that `query` resembles, the best first, at most `limit`."""
        words = features.words(query)
        scores = [0.0] * len(self._entries)
        trust = self._trust(words)
        self._add_resemblance(scores, words, trust)
        self._add_relevance(scores, words, trust)
        verbatim = self._verbatim.get(features.key(words))
        if verbatim is not None:
            scores[verbatim] += VERBATIM
        best = heapq.nsmallest(
            limit, ((-score, position) for position, score in enumerate(scores) if score > 0)
        )
        return [Passage(self._entries[position].id, -score) for score, position in best]

    def _trust(self, words: Sequence[features.Word]) -> float:
        """1 when the knowledge base knows every topic word of the question, less the more it does not."""
        stems = dict.fromkeys(features.stems(words))
        unknown = sum(stem not in self._stems for stem in stems)
        return 1.0 - UNKNOWN_PENALTY * unknown / max(1, len(stems))

    def _add_relevance(self, scores: list[float], words: Sequence[features.Word], trust: float) -> None:
        for stem in dict.fromkeys(features.stems(words)):
            self._stems.add(scores, stem, trust * RELEVANCE_WEIGHT * self._stems.rarity(stem))

    def _add_resemblance(self, scores: list[float], words: Sequence[features.Word], trust: float) -> None:
        counts = features.grams(words)
        weights = {gram: _dampened(n) * self._grams.rarity(gram) for gram, n in counts.items()}
        length = _length(weights.values())
        for gram, weight in weights.items():
            self._grams.add(scores, gram, trust * weight / length)


def _resemblance(entries: Sequence[Entry]) -> Lists:
    """TF-IDF of every gram, each entry's weights scaled to length 1."""
    lists = _counted(entries, features.grams, _dampened)
    lists.rare(lambda occurrences: math.log((1 + len(entries)) / (1 + occurrences)) + 1)
    lists.reweigh(lambda _, weight, rarity: weight * rarity)
    lengths = [math.sqrt(squares) for squares in lists.sums(len(entries), power=2)]
    lists.reweigh(lambda position, weight, _: weight / lengths[position])
    return lists


def _relevance(entries: Sequence[Entry]) -> Lists:
    """BM25 of every stem; its rarity divided by the largest, so that thresholds outlive a growing base."""
    lists = _counted(entries, lambda words: Counter(features.stems(words)), float)
    scale = math.log(1 + len(entries)) or 1.0
    lists.rare(lambda n: math.log(1 + (len(entries) - n + 0.5) / (n + 0.5)) / scale)
    lengths = lists.sums(len(entries), power=1)
    average = sum(lengths) / max(1, len(lengths)) or 1.0
    penalties = [SATURATION * (1 + LENGTH_PENALTY * (length / average - 1)) for length in lengths]
    lists.reweigh(lambda position, n, _: n * (SATURATION + 1) / (n + penalties[position]))
    return lists


def _counted(
    entries: Sequence[Entry],
    count: Callable[[Sequence[features.Word]], Counter[str]],
    dampen: Callable[[int], float],
) -> Lists:
    """How much each feature weighs in each entry: asked in full, answered at `ANSWER_WEIGHT`."""
    lists, known = Lists(), features.Vocabulary()
    for position, entry in enumerate(entries):
        weights = {feature: dampen(n) for feature, n in count(known.words(entry.asked)).items()}
        for feature, n in count(known.words(entry.answered)).items():
            weights[feature] = weights.get(feature, 0.0) + ANSWER_WEIGHT * dampen(n)
        lists.extend(position, weights)
    return lists


def _verbatim(entries: Sequence[Entry]) -> dict[str, int]:
    """Stored questions by their skeletons. Where two entries store the same one, the first has it."""
    positions: dict[str, int] = {}
    for position, entry in enumerate(entries):
        for question in (entry.question, *entry.alternatives):
            positions.setdefault(features.key(features.words(question)), position)
    positions.pop("", None)
    return positions


def _dampened(count: int) -> float:
    return 1.0 + math.log(count)


def _length(weights: Iterable[float]) -> float:
    return math.sqrt(sum(weight * weight for weight in weights)) or 1.0
