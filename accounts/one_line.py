"""Names stand in one line: in a list, in a heading, and in the subject of a letter.

There a break would begin another header (RFC 5322 2.2), or stop the letter and those after it.
"""

import unicodedata

BREAKING = frozenset({"Cc", "Zl", "Zp"})
"""Unicode categories of what ends a line or steers a device: controls, line and paragraph separators."""


class NotOneLine(ValueError):
    """A name holds a line break or another control character."""


def refuse_breaks(name: str) -> None:
    """Raises NotOneLine."""
    if any(map(_is_breaking, name)):
        raise NotOneLine


def flat(name: str) -> str:
    """The name in one line: breaks become spaces, and several spaces one."""
    return " ".join("".join(" " if _is_breaking(letter) else letter for letter in name).split())


def _is_breaking(letter: str) -> bool:
    return unicodedata.category(letter) in BREAKING
