"""How a message sounds: positive, neutral or negative (P27).

A logistic regression over what is left of words after typing habits: character n-grams of skeletons, so
that both scripts and Mongolian endings meet, pairs of neighbouring words, emoji, and whether it ends as a
question does. Its weights were learned beforehand (`agent.sentiment_training`, docs/agent.md) and lie in
`sentiment_weights.json`. What it says of a person is a guess of a machine and is stored as one: with `MODEL`
and a score. It never decides anything about anybody. Nothing of a text is kept.
"""

import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from agent import normalizing

MODEL = "ngrams-1"
"""Which weights said it; a new number with every training that changes them."""

WEIGHTS = Path(__file__).with_name("sentiment_weights.json")
LONGEST = 64
"""Words of a message that are looked at."""

GRAMS = range(2, 5)


class Sentiment(StrEnum):
    """How it sounds."""

    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"


class Appraisal(NamedTuple):
    """What the model says of a text; `score` is its own certainty in percent, 34 to 100."""

    sentiment: Sentiment
    score: int


Weights = Mapping[str, Sequence[float]]
"""For each feature its pull towards positive, neutral and negative."""

LABELS = list(Sentiment)
GLAD = frozenset("👍❤😊🙏😀😄😁🥰😍💯👌🎉👏😘🤩💪🌹💐🤗😃🙂💖💗💕🔥")
UPSET = frozenset("😡👎😠🤬😤💩😞😢🙄😭😒😩😫💔😣😖😑😾")
_ASKING = frozenset(normalizing.skeletons("вэ бэ уу үү юу юүү ve be we bolohuu болохуу бол"))
_ASKING_FIRST = frozenset(normalizing.skeletons("how what where when which can could do does is"))
_NOT_DONE, _NOT_DOING = normalizing.skeletons("нгүй хгүй")


def sentiment_of(text: str) -> Sentiment:
    """How the text sounds."""
    return appraise(text).sentiment


def appraise(text: str) -> Appraisal:
    """How the text sounds, and how sure that is; neutral where nothing in it is known."""
    shares = chances(features(text), _weights())
    best = max(shares)
    if best - min(shares) < 1e-9:
        return Appraisal(Sentiment.NEUTRAL, round(100 * best))
    return Appraisal(LABELS[shares.index(best)], round(100 * best))


def explain(text: str) -> list[tuple[str, int]]:
    """The words that spoke for the appraisal, the strongest first: how many percent it would be less sure
    without each (P27).

    Made anew from the text whenever somebody asks: kept, it would be a copy of the text.
    """
    words = normalizing.words(text)[:LONGEST]
    chosen = LABELS.index(appraise(text).sentiment)

    def sure(said: list[str]) -> float:
        return chances(features(" ".join(said)), _weights())[chosen]

    lost = {word: round(100 * (sure(words) - sure([w for w in words if w != word]))) for word in words}
    return sorted(((word, less) for word, less in lost.items() if less > 0), key=lambda item: -item[1])


def features(text: str) -> set[str]:
    """What the model sees of a text."""
    skeletons = normalizing.skeletons(text)[:LONGEST]
    found = {piece for skeleton in skeletons for piece in _of_word(skeleton)}
    found.update(f"{one[:4]} {two[:4]}" for one, two in pairwise(skeletons))
    found.update(_of_whole(text[: normalizing.LONGEST_TEXT], skeletons))
    return found


def chances(found: Collection[str], weights: Weights) -> list[float]:
    """The probability of each label, in the order of `LABELS`."""
    known = [weights[feature] for feature in found if feature in weights]
    scale = 1 / math.sqrt(len(found) or 1)
    powers = [math.exp(scale * sum(weight[label] for weight in known)) for label in range(len(LABELS))]
    return [power / sum(powers) for power in powers]


def _of_word(skeleton: str) -> Iterator[str]:
    padded = f" {skeleton} "
    for size in GRAMS:
        for start in range(len(padded) - size + 1):
            yield padded[start : start + size]
    yield f"={skeleton}"
    yield f"^{skeleton[:4]}"
    if skeleton.endswith((_NOT_DONE, _NOT_DOING)):
        yield "<not>" + skeleton[-4:]


def _of_whole(text: str, skeletons: Sequence[str]) -> Iterator[str]:
    asks = bool(skeletons) and (skeletons[-1] in _ASKING or skeletons[0] in _ASKING_FIRST)
    if asks or text.rstrip().endswith("?"):
        yield "<asks>"
    if "!" in text:
        yield "<exclaims>"
    if not GLAD.isdisjoint(text):
        yield "<glad>"
    if not UPSET.isdisjoint(text):
        yield "<upset>"


@cache
def _weights() -> Weights:
    learned: Weights = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    return learned
