"""What a list or a page says of a row: a title, and how to read it. Sealed columns have no way into here."""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from accounts import trail_words
from iva.audit.models import AuditEvent
from iva.operators.labels import ABOUT, ACTORS

NOTHING = "—"
Text = str | Promise


@dataclass(frozen=True)
class Column:
    """`sort` names the field a list may be ordered by; only where tables stay small."""

    title: Text
    read: Callable[[Any], object]
    name: str
    sort: str = ""

    def __call__(self, row: models.Model) -> object:
        value = self.read(row)
        return NOTHING if value is None or value == "" else value

    @property
    def __name__(self) -> str:
        return self.name

    @property
    def short_description(self) -> Text:
        return self.title

    @property
    def admin_order_field(self) -> str:
        return self.sort


def plain(field: str, title: Text, *, sorts: bool = False) -> Column:
    return Column(title, lambda row: getattr(row, field), field, field if sorts else "")


def count(field: str, title: Text, *, sorts: bool = False) -> Column:
    return Column(title, lambda row: number_format(getattr(row, field) or 0), field, field if sorts else "")


def coded(field: str, title: Text, labels: Mapping[str, Text], *, sorts: bool = False) -> Column:
    """A code of ours as people say it."""
    return Column(title, lambda row: said(getattr(row, field), labels), field, field if sorts else "")


def said(code: str, labels: Mapping[str, Text]) -> Text:
    """The label of a code; a code of a newer version than these pages is shown as it is."""
    return labels.get(code, code)


def moment(field: str, title: Text, *, sorts: bool = False) -> Column:
    """A time in the zone of the page, which its foot names."""
    return Column(title, lambda row: time(getattr(row, field)), field, field if sorts else "")


def time(value: datetime | None) -> str | SafeString:
    if value is None:
        return ""
    there = timezone.localtime(value)
    return format_html('<time datetime="{}">{}</time>', there.isoformat(), f"{there:%Y-%m-%d %H:%M}")


def identity(field: str, title: Text) -> Column:
    """An id, shortened for the eye and whole for whoever copies it or hears it read."""
    return Column(title, lambda row: short(getattr(row, field), f"{field}-{row.pk}"), field)


def short(value: uuid.UUID | str | None, place: str) -> str | SafeString:
    """`place` is unique on the page: the copy button names it."""
    if not value:
        return ""
    whole = str(value)
    return format_html(
        '<span class="id"><code aria-hidden="true" title="{whole}">{start}…{end}</code>'
        '<span class="sr" id="{place}">{whole}</span>'
        '<button type="button" class="copy" data-copies="{place}" data-copied="{copied}">'
        '<span class="sr">{copy}</span></button></span>',
        whole=whole,
        start=whole[:8],
        end=whole[-4:],
        place=place,
        copy=gettext("Copy the id"),
        copied=gettext("The id is copied."),
    )


def actor(field: str, title: Text) -> Column:
    """`operator:id` as a kind and an id."""
    return Column(title, lambda row: acting(getattr(row, field), f"{field}-{row.pk}"), field)


def acting(written: str, place: str) -> str | SafeString:
    kind, _separator, id_ = written.partition(":")
    return format_html("<span>{} {}</span>", said(kind, ACTORS), short(id_, place)) if kind else ""


def about(row: AuditEvent) -> SafeString:
    """What an event was about: ids and counts, each with its name."""
    named = [(key, one) for key, value in json.loads(row.ids).items() for one in _each(value)]
    return format_html_join(
        "",
        '<span class="about"><span class="muted">{}</span> {}</span>',
        (
            (said(key, ABOUT), _meant(key, value, f"{key}-{number}-{row.pk}"))
            for number, (key, value) in enumerate(named)
        ),
    )


def _each(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _meant(key: str, value: object, place: str) -> object:
    return short(str(value), place) if _is_id(value) else trail_words.value(key, str(value))


def _is_id(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(uuid.UUID(value))
    except ValueError:
        return False


def state(title: Text, read: Callable[[Any], tuple[str, Text]], name: str = "state") -> Column:
    """A mark: its look (good, warn, bad or nothing) and what it says."""
    return Column(title, lambda row: mark(*read(row)), name)


def mark(look: str, text: Text) -> SafeString:
    return format_html('<span class="tag {}">{}</span>', look, text)


def either(field: str, title: Text) -> Column:
    return Column(title, lambda row: gettext("Yes") if getattr(row, field) else gettext("No"), field)
