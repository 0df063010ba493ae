"""How a message sounds, in both scripts and in English."""

import pytest

from agent import sentiment, sentiment_training
from agent.sentiment import Sentiment
from tests.agent import feeling

POSITIVE, NEUTRAL, NEGATIVE = Sentiment


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("Маш их баярлалаа", POSITIVE),
        ("mash ih bayarlalaa", POSITIVE),
        ("Thank you very much", POSITIVE),
        ("👍👍", POSITIVE),
        ("Салбар хаана байдаг вэ", NEUTRAL),
        ("salbar haana baidag ve", NEUTRAL),
        ("Where is your branch", NEUTRAL),
        ("Шимтгэлгүй данс байгаа юу", NEUTRAL),
        ("Хариу огт өгөхгүй юм, муу үйлчилгээ", NEGATIVE),
        ("uneheer muu uilchilgee", NEGATIVE),
        ("This is terrible service", NEGATIVE),
        ("😡", NEGATIVE),
    ],
)
def test_is_heard_in_every_script(text: str, heard: Sentiment) -> None:
    assert sentiment.sentiment_of(text) == heard


@pytest.mark.parametrize(
    ("said", "denied"), [("Сайн байна", "Сайн биш байна"), ("I am happy", "I am not happy")]
)
def test_a_negation_turns_it(said: str, denied: str) -> None:
    assert (sentiment.sentiment_of(said), sentiment.sentiment_of(denied)) == (POSITIVE, NEGATIVE)


@pytest.mark.parametrize("text", ["", "   ", "12345", "日本語", "\u200b", "«»—"])
def test_what_says_nothing_is_neutral(text: str) -> None:
    assert sentiment.sentiment_of(text) == NEUTRAL


def test_a_long_message_costs_no_more_than_its_beginning() -> None:
    text = "муу үйлчилгээ " * 32
    assert sentiment.features(text + "баярлалаа " * 10_000) == sentiment.features(text)


def test_the_score_is_a_share_of_three_in_percent() -> None:
    for text, _ in feeling.held_out():
        assert 33 <= sentiment.appraise(text).score <= 100


def test_an_explanation_names_the_words_that_spoke_for_it() -> None:
    words = [word for word, _ in sentiment.explain("Танай салбар дээр маш муу үйлчилгээтэй")]
    assert words[0] == "муу"


def test_the_weights_are_what_the_examples_teach() -> None:
    """Whoever changes examples or features trains anew (`manage.py train_sentiment`), counts `MODEL` up."""
    examples = [*sentiment_training.seed(), *sentiment_training.written()]
    learned = sentiment_training.as_text(sentiment_training.learn(examples))
    assert learned == sentiment.WEIGHTS.read_text(encoding="utf-8")


def test_the_figures_of_the_documentation_hold() -> None:
    assert len(sentiment_training.seed()) == 144
    assert len(feeling.held_out()) == 107
    assert feeling.right(feeling.held_out()) >= 0.94
    assert feeling.crosswise(sentiment_training.written()) >= 0.9


def test_nothing_that_was_trained_on_is_held_out() -> None:
    trained = {example.text for example in (*sentiment_training.seed(), *sentiment_training.written())}
    assert trained.isdisjoint(example.text for example in feeling.held_out())
