"""The list of conversations, as every page of the inbox shows it: filters, views, rows."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from accounts.doors import Asking
from accounts.roles import Permission
from channels_cfg.models import Channel
from conversations import colleagues, inbox, labelling
from conversations.forms import MOST_ROWS, FilterForm
from conversations.inbox import BOUND, PAGE, Filter, Sentiment, View
from conversations.reading import Position
from iva.problems import Problem

MORE = "more"
"""Ids of the elements that htmx asks for: all of the list that changes, or further rows."""


@dataclass(frozen=True)
class Tab:
    """One view of the inbox. `count` is text, empty where nothing is counted."""

    view: View
    label: str
    address: str
    count: str
    is_here: bool


def wanted_by(request: Asking) -> Filter:
    """The filters in the address. Raises Problem (400, invalid_id)."""
    given = _given(request)
    return Filter(
        request.acting.membership_id,
        View(given["view"] or View.WAITING),
        given["channel"],
        given["assignee"],
        given["label"],
        given["sentiment"],
    )


def query_of(wanted: Filter) -> str:
    """The filters as they stand in addresses; nothing where they are the usual ones."""
    said = {
        "view": wanted.view.value if wanted.view != View.WAITING else "",
        "channel": wanted.channel_id,
        "assignee": wanted.assignee_id,
        "label": wanted.label_id,
        "sentiment": wanted.sentiment,
    }
    return urlencode({name: str(value) for name, value in said.items() if value})


def address_of(wanted: Filter, conversation_id: uuid.UUID | None = None) -> str:
    """The page of the inbox, or of one of its conversations, with these filters."""
    path = reverse("conversation", args=[conversation_id]) if conversation_id else reverse("inbox")
    query = query_of(wanted)
    return f"{path}?{query}" if query else path


def context(request: Asking, wanted: Filter, conversation_id: uuid.UUID | None = None) -> dict[str, Any]:
    """The whole list."""
    return rows(request, wanted, conversation_id) | {
        "tabs": _tabs(wanted),
        "channels": list(Channel.objects.order_by("name", "id")[:100]),
        "colleagues": colleagues.who_can_reply(),
        "labels": labelling.labels(),
        "sentiments": Sentiment,
        "is_filtered": query_of(Filter(wanted.me, wanted.view)) != query_of(wanted),
        "unfiltered": address_of(Filter(wanted.me, wanted.view)),
    }


def rows(request: Asking, wanted: Filter, conversation_id: uuid.UUID | None = None) -> dict[str, Any]:
    """A page of rows, from `before` on, and where the next one begins."""
    given, before = _given(request), _before(request)
    limit = PAGE if before else max(given["rows"] or PAGE, PAGE)
    found = inbox.find(wanted, before=before, limit=limit)
    acting = request.acting
    shown = inbox.show(found, actor=acting.actor, with_names=acting.may(Permission.END_USERS_READ))
    return {
        "rows": shown,
        "wanted": wanted,
        "query": query_of(wanted),
        "shown_rows": min(len(found) + ((given["rows"] or 0) if before else 0), MOST_ROWS),
        "next": _cursor(found[-1].last_message_at, found[-1].pk) if len(found) == limit else None,
        "open_id": conversation_id or given["open"],
    }


def _given(request: Asking) -> dict[str, Any]:
    form = FilterForm(request.GET)
    if not form.is_valid():
        raise Problem("invalid_id", "This filter is none of ours.")
    return form.cleaned_data


def _tabs(wanted: Filter) -> list[Tab]:
    counts = inbox.counts(wanted)
    return [
        Tab(
            view,
            str(view.label),
            address_of(inbox.elsewhere(wanted, view)),
            _bounded(counts[view]) if view in counts else "",
            view == wanted.view,
        )
        for view in View
    ]


def _bounded(count: int) -> str:
    return f"{BOUND - 1}+" if count >= BOUND else str(count or "")


def _cursor(moment: datetime, id_: uuid.UUID) -> str:
    return f"{moment.isoformat()}_{id_}"


def _before(request: Asking) -> Position | None:
    text = request.GET.get("before", "")
    if not text:
        return None
    moment, _, id_ = text.partition("_")
    try:
        position = datetime.fromisoformat(moment), uuid.UUID(id_)
        position[0].astimezone()
    except (ValueError, OverflowError):
        raise Problem("invalid_cursor", "This page is none of ours.") from None
    if position[0].tzinfo is None:
        raise Problem("invalid_cursor", "This page is none of ours.")
    return position
