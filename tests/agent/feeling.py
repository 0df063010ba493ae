"""How well `agent.sentiment` hears. `python -m tests.agent.feeling` prints the figures of docs/agent.md."""

import random
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path

from agent import normalizing, sentiment, sentiment_training
from agent.sentiment import LABELS, Sentiment
from agent.sentiment_training import Example

HELD_OUT = Path(__file__).with_name("sentiments") / "held_out.toml"
FOLDS = 6


def held_out() -> list[Example]:
    """Sentences written before the first measurement, never trained on."""
    by_label = tomllib.loads(HELD_OUT.read_text(encoding="utf-8"))
    return [Example(text, Sentiment(label)) for label, texts in by_label.items() for text in texts]


def right(examples: Sequence[Example]) -> float:
    """The share the product hears rightly."""
    return sum(sentiment.sentiment_of(text) == label for text, label in examples) / len(examples)


def crosswise(also: Sequence[Example] = ()) -> float:
    """Six-fold cross-validation on the seed, with `also` in every training."""
    examples = sentiment_training.seed()
    random.Random(7).shuffle(examples)
    heard = 0
    for fold in range(FOLDS):
        rest = [example for number, example in enumerate(examples) if number % FOLDS != fold]
        weights = sentiment_training.learn([*rest, *also])
        heard += sum(heard_as(text, weights) == label for text, label in examples[fold::FOLDS])
    return heard / len(examples)


def heard_as(text: str, weights: sentiment.Weights) -> Sentiment:
    shares = sentiment.chances(sentiment.features(text), weights)
    return LABELS[shares.index(max(shares))]


def main() -> None:
    unseen = held_out()
    print(f"seed alone, crosswise       {crosswise():.3f}")
    print(f"seed and ours, crosswise    {crosswise(sentiment_training.written()):.3f}")
    print(f"held out                    {right(unseen):.3f} of {len(unseen)}")
    for name, part in by_script(unseen).items():
        print(f"  {name:24}  {right(part):.3f} of {len(part)}")
    for label in LABELS:
        part = [example for example in unseen if example.sentiment == label]
        print(f"  {label:24}  {right(part):.3f} of {len(part)}")
    for text, label in unseen:
        if (said := sentiment.sentiment_of(text)) != label:
            print(f"  {label:9} heard as {said:9} {text}")
    began = time.process_time()
    for text, _ in unseen:
        sentiment.appraise(text)
    print(f"one text                    {(time.process_time() - began) / len(unseen) * 1e6:.0f} µs")


def by_script(examples: Sequence[Example]) -> dict[str, list[Example]]:
    """Cyrillic, and Latin: Mongolian in Latin letters and English."""
    return {
        "Cyrillic": [example for example in examples if normalizing.is_cyrillic(example.text)],
        "Latin or emoji": [example for example in examples if not normalizing.is_cyrillic(example.text)],
    }


if __name__ == "__main__":
    main()
