"""Learning the weights of `agent.sentiment` from examples; `manage.py train_sentiment` writes them down.

Multinomial logistic regression with AdaGrad (Duchi, Hazan, Singer 2011) and a pull towards zero, in plain
Python: a few seconds for a few hundred examples, and the same weights every time.
"""

import json
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from agent import sentiment
from agent.sentiment import LABELS, Sentiment, Weights

ROUNDS = 30
STEP = 0.15
TOWARDS_ZERO = 1e-3
SEED = 1
EXAMPLES = Path(__file__).with_name("sentiment_examples")


class Example(NamedTuple):
    """A text, and how people say it sounds."""

    text: str
    sentiment: Sentiment


def seed() -> list[Example]:
    """The labelled messages that were given to us."""
    rows = json.loads((EXAMPLES / "seed.json").read_text(encoding="utf-8"))
    return [Example(row["text"], Sentiment(row["label"])) for row in rows]


def written() -> list[Example]:
    """What we wrote ourselves, for what the seed has none of: English, negation, more Latin script."""
    by_label = json.loads((EXAMPLES / "written.json").read_text(encoding="utf-8"))
    return [Example(text, Sentiment(label)) for label, texts in by_label.items() for text in texts]


def learn(examples: Sequence[Example]) -> Weights:
    """Weights for every feature of the examples."""
    order = [(sorted(sentiment.features(text)), LABELS.index(label)) for text, label in examples]
    weights: dict[str, list[float]] = defaultdict(lambda: [0.0] * len(LABELS))
    pace: dict[str, list[float]] = defaultdict(lambda: [1e-8] * len(LABELS))
    shuffle = random.Random(SEED)  # noqa: S311  an order, not a secret
    for _ in range(ROUNDS):
        shuffle.shuffle(order)
        for features, label in order:
            _correct(features, label, weights, pace)
    return dict(weights)


def as_text(weights: Weights) -> str:
    """The weights as they lie in the file: two decimals, one feature to a line."""
    rounded = {feature: [round(weight, 2) for weight in weights[feature]] for feature in sorted(weights)}
    lines = [
        f"{json.dumps(feature, ensure_ascii=False)}:{json.dumps(row, separators=(',', ':'))}"
        for feature, row in rounded.items()
        if any(abs(weight) >= 0.05 for weight in row)
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _correct(
    features: list[str], label: int, weights: dict[str, list[float]], pace: dict[str, list[float]]
) -> None:
    """One step: away from what was wrongly believed of this example."""
    scale = 1 / (len(features) or 1) ** 0.5
    shares = sentiment.chances(features, weights)
    for position in range(len(LABELS)):
        error = scale * (shares[position] - (position == label))
        for feature in features:
            slope = error + TOWARDS_ZERO * weights[feature][position]
            pace[feature][position] += slope * slope
            weights[feature][position] -= STEP * slope / pace[feature][position] ** 0.5
