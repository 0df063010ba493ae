"""What changed from one version to the next, paragraph by paragraph (P91)."""

from collections.abc import Iterator
from difflib import SequenceMatcher
from enum import StrEnum
from typing import NamedTuple

from accounts.models.documents import LegalDocument


class Change(StrEnum):
    EQUAL = "equal"
    REMOVED = "removed"
    ADDED = "added"


class Paragraph(NamedTuple):
    """A paragraph of Markdown, and whether it is in both versions or in one."""

    change: Change
    text: str


def diff(before: LegalDocument | None, after: LegalDocument, locale: str) -> list[Paragraph]:
    """The paragraphs of both versions in reading order; without a version before, all are added."""
    old = paragraphs(before.text(locale)) if before else []
    return list(_merged(old, paragraphs(after.text(locale))))


def paragraphs(text: str) -> list[str]:
    """Blocks between empty lines; each item of a list is one of its own."""
    return [paragraph for block in text.split("\n\n") for paragraph in _parts(block.strip("\n"))]


def _parts(block: str) -> list[str]:
    parts: list[str] = []
    for line in block.split("\n"):
        if parts and not _begins(line):
            parts[-1] += "\n" + line
        elif line:
            parts.append(line)
    return parts


def _begins(line: str) -> bool:
    return line.lstrip().startswith(("- ", "* ", "#", "|", ">"))


def _merged(old: list[str], new: list[str]) -> Iterator[Paragraph]:
    matcher = SequenceMatcher(a=old, b=new, autojunk=False)
    for tag, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if tag == "equal":
            yield from (Paragraph(Change.EQUAL, text) for text in new[new_from:new_to])
            continue
        yield from (Paragraph(Change.REMOVED, text) for text in old[old_from:old_to])
        yield from (Paragraph(Change.ADDED, text) for text in new[new_from:new_to])
