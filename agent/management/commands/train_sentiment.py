"""`manage.py train_sentiment`: learn the weights of `agent.sentiment` from the examples beside it."""

from typing import Any

from django.core.management.base import BaseCommand

from agent import sentiment, sentiment_training


class Command(BaseCommand):
    help = "Learn how messages sound from agent/sentiment_examples and write agent/sentiment_weights.json."

    def handle(self, *args: Any, **options: Any) -> None:
        examples = [*sentiment_training.seed(), *sentiment_training.written()]
        text = sentiment_training.as_text(sentiment_training.learn(examples))
        sentiment.WEIGHTS.write_text(text, encoding="utf-8")
        self.stdout.write(f"{len(examples)} examples, {text.count(chr(10)) - 2} features: {sentiment.MODEL}")
