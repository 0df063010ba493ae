"""What retrieval compares: the words of a text, their character n-grams and their stems."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from agent import normalizing
from agent.function_words import FUNCTION_WORDS

SHORTEST_GRAM, LONGEST_GRAM = 3, 4
"""Characters of an n-gram, the blanks around a word included. Pairs made lists longer, not answers better."""

LONGEST_QUERY = 64
"""Words of a text that are looked at when it is a question."""


class Word(NamedTuple):
    """A word in all the forms that are compared."""

    skeleton: str
    stem: str | None
    grams: tuple[str, ...]


class Vocabulary:
    """Remembers the forms of words while one index is built, and is thrown away with it."""

    def __init__(self) -> None:
        self._known: dict[str, Word] = {}

    def words(self, text: str) -> list[Word]:
        return [self._known.get(word) or self._learn(word) for word in normalizing.words(text)]

    def _learn(self, word: str) -> Word:
        return self._known.setdefault(word, _forms(word))


def words(text: str) -> list[Word]:
    """The first `LONGEST_QUERY` words of a question. Nothing of it is remembered."""
    return [_forms(word) for word in normalizing.words(text)[:LONGEST_QUERY]]


def grams(words_: Sequence[Word]) -> Counter[str]:
    """How often each n-gram occurs, of raw words and of skeletons (these with a leading tilde)."""
    return Counter(gram for word in words_ for gram in word.grams)


def stems(words_: Sequence[Word]) -> list[str]:
    """The stems of the words that carry a topic, in order."""
    return [word.stem for word in words_ if word.stem is not None]


def key(words_: Sequence[Word]) -> str:
    """The same for two texts whose words have the same skeletons."""
    return " ".join(word.skeleton for word in words_)


def _forms(word: str) -> Word:
    skeleton = normalizing.skeleton(word)
    stem = None if skeleton in FUNCTION_WORDS else normalizing.stem(skeleton)
    grams_ = (*_pieces(f" {word} "), *("~" + piece for piece in _pieces(f" {skeleton} ")))
    return Word(skeleton, stem, grams_)


def _pieces(padded: str) -> list[str]:
    return [
        padded[start : start + size]
        for size in range(SHORTEST_GRAM, LONGEST_GRAM + 1)
        for start in range(len(padded) - size + 1)
    ]
