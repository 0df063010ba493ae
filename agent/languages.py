"""In which language to frame a reply: Mongolian, unless the End User clearly writes English."""

from collections.abc import Iterable
from enum import StrEnum

from agent import normalizing


class Language(StrEnum):
    """ISO 639-1 codes of the languages the agent frames its replies in."""

    MONGOLIAN = "mn"
    ENGLISH = "en"


_WRITTEN = """
    a about all am an and any are as at be but by can cannot could do does don for from get give had has have
    help how i if in is it its m me much my need no not of on or our please s t thank thanks that the their
    them there these they this to want was we were what when where which who why will with would you your
"""
ENGLISH_WORDS = frozenset(_WRITTEN.split())
"""English words that are rare in Latin-script Mongolian. "ok", "hi" and "end" are left out."""

CLEARLY = 2
"""English words a message needs, making up at least a third of it."""


def language_of(texts: Iterable[str], usual: Language = Language.MONGOLIAN) -> Language:
    """The language of the newest text that shows one, else `usual`. `texts` come newest first."""
    for text in texts:
        if normalizing.is_cyrillic(text):
            return Language.MONGOLIAN
        words = normalizing.words(text)
        english = sum(word in ENGLISH_WORDS for word in words)
        if english >= CLEARLY and 3 * english >= len(words):
            return Language.ENGLISH
        if len(words) > CLEARLY:
            return Language.MONGOLIAN
    return usual
