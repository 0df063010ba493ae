"""From the text that was agreed to what people read: HTML from Markdown, its effective date filled in (P95).

Raw HTML in a text is shown as text, links lead to http, https and mailto only.
"""

from datetime import datetime
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

from accounts.agreements.texts import EFFECTIVE_DATE

ULAANBAATAR = ZoneInfo("Asia/Ulaanbaatar")
OPEN_POINTS = ("For a lawyer", "Хуульчид")
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]

_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")


class Section(NamedTuple):
    """A heading of the second level: `anchor` is its id on the page."""

    anchor: str
    title: str


class Rendered(NamedTuple):
    title: str
    sections: list[Section]
    html: SafeString


def day(moment: datetime, locale: str) -> str:
    """The day in Ulaanbaatar, as one writes it: 22 November 2026, 2026 оны 11 сарын 22."""
    there = moment.astimezone(ULAANBAATAR)
    if locale == "mn":
        return f"{there.year} оны {there.month} сарын {there.day}"
    return f"{there.day} {MONTHS[there.month - 1]} {there.year}"


def dated(text: str, effective_at: datetime, locale: str) -> str:
    """The text with its effective date."""
    return text.replace(EFFECTIVE_DATE, day(effective_at, locale))


def render(text: str, effective_at: datetime, locale: str) -> Rendered:
    """A whole document. Its first heading becomes the title and leaves the text."""
    tokens = _markdown.parse(dated(text, effective_at, locale))
    title = _take_title(tokens)
    sections = list(_anchored(tokens))
    _mark_open_points(tokens)
    html = _markdown.renderer.render(tokens, _markdown.options, {})
    return Rendered(title, sections, _safe(html))


def paragraph(text: str, effective_at: datetime, locale: str) -> SafeString:
    """One paragraph of a comparison."""
    return _safe(_markdown.render(dated(text, effective_at, locale)))


def _safe(html: str) -> SafeString:
    return mark_safe(html)  # noqa: S308  raw HTML is off, so that this is markdown-it's own


def _take_title(tokens: list[Token]) -> str:
    if len(tokens) < 3 or tokens[0].tag != "h1":
        return ""
    _, inline, _ = tokens[:3]
    del tokens[:3]
    return inline.content


def _anchored(tokens: list[Token]) -> list[Section]:
    """Give every heading of the second level an id."""
    found: list[Section] = []
    for token, inline in pairwise(tokens):
        if token.type == "heading_open" and token.tag == "h2":
            found.append(Section(f"section-{len(found) + 1}", inline.content))
            token.attrSet("id", found[-1].anchor)
    return found


def _mark_open_points(tokens: list[Token]) -> None:
    """What a lawyer has to confirm is seen at a glance."""
    for token, inline in pairwise(tokens):
        if token.type == "paragraph_open" and any(
            inline.content.startswith(f"**{mark}:**") for mark in OPEN_POINTS
        ):
            token.attrSet("class", "open-point")
