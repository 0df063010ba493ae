"""Mongolian as people type it, brought to forms that can be compared.

*normalize*  one spelling for a text: NFKC, case-folded, nothing invisible, single spaces.
*words*      the normalized text cut at whatever is neither letter nor digit.
*skeleton*   a word reduced to what survives a phone keyboard: Latin script read as Cyrillic, the vowels
             people confuse merged, soft and hard signs gone, doubled letters single. "vнэ", "une" and "үнэ"
             share one skeleton, and so do "гээчихлээ" and "geechihlee".
*stem*       the first letters of a skeleton: Mongolian only appends, so endings fall away.

`normalize` and `skeleton` are idempotent. Nothing here is cached: the texts are End Users' messages too.
"""

import re
import unicodedata

LONGEST_TEXT = 4_000
"""Characters of a text that are looked at; the rest is dropped, so that no message buys unbounded work."""

LONGEST_WORD = 40
"""Characters of a word that are looked at: Mongolian word forms stay below 35."""

STEM_LENGTH = 4
"""Letters of a stem. Chosen on the development questions: 4 beat 3, 5, 6, whole words and cutting endings."""

_INVISIBLE = frozenset({"Cf", "Cs", "Co", "Cn", "Mn", "Me"})
_UNUSUAL = re.compile(r"[^ -~\u0400-\u0482\u048a-\u04ff]")
_WORD = re.compile(r"[^\W_]+")
_LATIN = re.compile(r"[a-z]")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_DOUBLED = re.compile(r"(\D)\1+")

# Letters of neighbouring alphabets and of pre-Unicode Mongolian fonts that stand for Mongolian ones.
_SUBSTITUTES = str.maketrans("єѳїұіӱӧ", "өөүүиүө")

# Latin letters that a Cyrillic word borrows for their looks ("vнэ", "yнэ", "xуулга").
_BORROWED = frozenset("aeopcyxvkmt")
_LOOKALIKES = str.maketrans("aeopcyxvkmt", "аеорсүхүкмт")

_LATIN_SPELLINGS = [
    (re.compile(pattern), replacement)
    for pattern, replacement in [
        (r"(?<=[a-z])4|^4(?=[aeiou])", "ч"),  # "ya4ih", "4i"
        (r"(?<=[a-z])6|^6(?=[aeiou])", "ш"),  # "6ine", "ba6"; not "6sar"
        (r"vv", "үү"),
        (r"(?<=[bcdfghjklmnprstz])vi$", "үй"),  # "bhgvi"
        (r"(?<![aeiouyv])v(?![aeiouyv])|^y(?![aeiouy])", "ү"),  # "hvn", "vzeh", "yne"; "avah" and "ve" keep в
        (r"shch", "щ"),
        (r"kh", "х"),
        (r"ts|c(?=[ei])", "ц"),
        (r"ch", "ч"),
        (r"sh", "ш"),
        (r"[dz]j|zh", "ж"),
        (r"dz", "з"),
        (r"ya", "я"),
        (r"yo", "ё"),
        (r"yu", "ю"),
        (r"ye", "е"),
    ]
]
_LATIN_LETTERS = str.maketrans("abcdefghijklmnopqrstuvwxyz", "абкдэфгхижклмнопкрстуввхыз")
_MERGED = str.maketrans("үөоёюэыйящ", "уууууеииаш", "ьъ")


def normalize(text: str) -> str:
    """`text` in one spelling, at most `LONGEST_TEXT` characters, without anything invisible."""
    visible = _UNUSUAL.sub(_visible, _fold(text[:LONGEST_TEXT]))
    return " ".join(_fold(visible).translate(_SUBSTITUTES)[:LONGEST_TEXT].split())


def words(text: str) -> list[str]:
    """The words and numbers of `text`, normalized, in order, each at most `LONGEST_WORD` characters."""
    return [word[:LONGEST_WORD] for word in _WORD.findall(normalize(text))]


def skeletons(text: str) -> list[str]:
    """The skeleton of every word of `text`, in order."""
    return [skeleton(word) for word in words(text)]


def skeleton(word: str) -> str:
    """The sounds of one normalized word, the same for both scripts and the usual misspellings."""
    return _DOUBLED.sub(r"\1", cyrillic(word).translate(_MERGED)) or word


def cyrillic(word: str) -> str:
    """One normalized word in Cyrillic letters; digits and other alphabets stay as they are."""
    if not _LATIN.search(word):
        return word
    if _CYRILLIC.search(word) and _BORROWED.issuperset(_LATIN.findall(word)):
        return word.translate(_LOOKALIKES)
    for spelling, letter in _LATIN_SPELLINGS:
        word = spelling.sub(letter, word)
    return word.translate(_LATIN_LETTERS)


def stem(skeleton_: str) -> str:
    """What is left of a skeleton when whatever Mongolian could have appended is cut off."""
    return skeleton_[:STEM_LENGTH]


def is_cyrillic(text: str) -> bool:
    """Whether `text` has Cyrillic letters: Latin script may be English, Cyrillic is Mongolian."""
    return bool(_CYRILLIC.search(normalize(text)))


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _visible(unusual: re.Match[str]) -> str:
    character = unusual[0]
    category = unicodedata.category(character)
    if category == "Cc":
        return " "
    return "" if category in _INVISIBLE else character
