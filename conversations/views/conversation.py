"""`/inbox/<id>/`: a conversation with its composer and card, older entries, and what is new."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone

from accounts import doors
from accounts.doors import Asking
from accounts.roles import Permission
from conversations import acquaintance, colleagues, drafts, labelling, reading, thread
from conversations.delivering import Delivery
from conversations.forms import ComposerForm
from conversations.models import Conversation, Resolution
from conversations.thread import Entry
from conversations.views import listing
from iva.problems import Problem
from privacy.revealing import Reason

PANES = "panes"


@dataclass
class Composer:
    """What the composer shows: a draft, or what was just typed and refused."""

    kind: str = "reply"
    body: str = ""
    seen: uuid.UUID | None = None
    errors: list[str] = field(default_factory=list)


@doors.member(GET=Permission.CONVERSATIONS_READ)
def show(request: Asking, conversation_id: uuid.UUID) -> HttpResponse:
    """The page, or for htmx its two panes without the list."""
    return page(request, find(conversation_id))


@doors.member(GET=Permission.CONVERSATIONS_READ)
def entries(request: Asking, conversation_id: uuid.UUID) -> HttpResponse:
    """Entries before one (`until`); without it, the page."""
    conversation = find(conversation_id)
    until = _id(request, "until")
    if until is not None:
        return _older(request, conversation, until)
    return page(request, conversation)


@doors.member(polled=True, GET=Permission.CONVERSATIONS_READ)
def entries_since(request: Asking, conversation_id: uuid.UUID) -> HttpResponse:
    """Whatever has come since (`after`), with the head as it is now, for a page that shows the rest."""
    return news(request, find(conversation_id))


def find(conversation_id: uuid.UUID) -> Conversation:
    """The conversation, to be read. Raises Problem (404)."""
    try:
        return reading.get(conversation_id)
    except reading.NoSuchConversation:
        raise Problem("conversation_not_found", "The organization has no such conversation.", 404) from None


def hold(conversation_id: uuid.UUID, *, alone: bool = False) -> Conversation:
    """The conversation, locked (`reading.get_for_update`). Raises Problem (404)."""
    try:
        return reading.get_for_update(conversation_id, alone=alone)
    except reading.NoSuchConversation:
        raise Problem("conversation_not_found", "The organization has no such conversation.", 404) from None


def page(
    request: Asking,
    conversation: Conversation,
    *,
    composer: Composer | None = None,
    status: int = 200,
    **further: Any,
) -> HttpResponse:
    """The conversation with everything around it."""
    wanted, until = listing.wanted_by(request), _id(request, "until")
    shown = thread.page(conversation, actor=request.acting.actor, before=until)
    context = head(request, conversation) | {
        "entries": shown,
        "has_older": len(shown) == thread.PAGE,
        "is_past": until is not None,
        "composer": composer or _composer(request, conversation, _newest(conversation, shown)),
        "card": card_of(request, conversation),
        "reasons": Reason,
        **_end_of(conversation, shown),
        **further,
    }
    with timezone.override(request.organization.time_zone):
        if request.headers.get("HX-Target") == PANES:
            return render(request, "conversations/panes.html", context | {"is_part": True}, status=status)
        context |= listing.context(request, wanted, conversation.pk)
        return render(request, "conversations/conversation.html", context, status=status)


def news(request: Asking, conversation: Conversation, *, composer: Composer | None = None) -> HttpResponse:
    """What the page does not have yet, the head as it is now, and a new composer if one is given."""
    after = _id(request, "after") or conversation.pk
    shown, queued = _ids(request, "also"), _ids(request, "queued")
    changed = thread.taken_of(conversation, queued)
    added = thread.since(conversation, after, shown, actor=request.acting.actor)
    context = head(request, conversation) | {
        "entries": added,
        "changed": changed,
        "composer": composer,
        "is_news": True,
        "has_newer": len(added) == thread.PAGE,
        "is_answer": request.method == "POST",
        **_end_of(conversation, added, after, shown),
    }
    context["queued"] = [*(id_ for id_ in queued if id_ not in changed), *context["queued"]]
    with timezone.override(request.organization.time_zone):
        return render(request, "conversations/news.html", context)


def fresh_composer(request: Asking, conversation: Conversation) -> Composer:
    """The member's draft as it is kept, on a page that shows everything there is."""
    newest = thread.newest_id(conversation) or conversation.pk
    return _composer(request, conversation, newest)


def head(request: Asking, conversation: Conversation) -> dict[str, Any]:
    """What stands above the messages: who, in which state, in whose hands, and what can be done."""
    acting = request.acting
    names = colleagues.names([conversation.assignee_id])
    labels = labelling.labels()
    return {
        "here": "inbox",
        "conversation": conversation,
        "title": _name(request, conversation),
        "query": listing.query_of(listing.wanted_by(request)),
        "assignee": names.get(conversation.assignee_id) if conversation.assignee_id else None,
        "is_mine": conversation.assignee_id == acting.membership_id,
        "colleagues": colleagues.who_can_reply(),
        "labels": labels,
        "own_labels": labelling.of([conversation.pk], labels).get(conversation.pk, []),
        "resolutions": Resolution,
        "may_reply": acting.may(Permission.CONVERSATIONS_REPLY),
        "may_assign": acting.may(Permission.CONVERSATIONS_ASSIGN),
        "may_reveal": acting.may(Permission.END_USERS_REVEAL),
        "may_audit": acting.may(Permission.AUDIT_READ),
    }


def composer_of(form: ComposerForm, *errors: str) -> Composer:
    """What was typed, with what was wrong about it."""
    found = [str(error) for errors_of in form.errors.values() for error in errors_of]
    return Composer(
        str(form.data.get("kind", "reply")),
        str(form.data.get("body", "")),
        form.cleaned_data.get("seen"),
        [*found, *errors],
    )


def _older(request: Asking, conversation: Conversation, until: uuid.UUID) -> HttpResponse:
    shown = thread.page(conversation, actor=request.acting.actor, before=until)
    context = {
        "conversation": conversation,
        "entries": shown,
        "has_older": len(shown) == thread.PAGE,
        "query": listing.query_of(listing.wanted_by(request)),
        "title": _name(request, conversation),
    }
    with timezone.override(request.organization.time_zone):
        return render(request, "conversations/older.html", context)


def _name(request: Asking, conversation: Conversation) -> str | None:
    """Names are for those who may read End Users."""
    if not request.acting.may(Permission.END_USERS_READ):
        return None
    name: str | None = conversation.end_user.name
    return name


def _composer(request: Asking, conversation: Conversation, seen: uuid.UUID) -> Composer:
    draft = drafts.of(conversation, request.acting.membership_id)
    if draft is None:
        return Composer(seen=seen)
    return Composer("note" if draft.is_note else "reply", draft.body, seen)


def card_of(request: Asking, conversation: Conversation) -> acquaintance.Card | None:
    """The End User's card, for whoever may read End Users."""
    if not request.acting.may(Permission.END_USERS_READ):
        return None
    return acquaintance.card(conversation, actor=request.acting.actor)


def _newest(conversation: Conversation, shown: Sequence[Entry]) -> uuid.UUID:
    return shown[-1].id if shown else conversation.pk


def _end_of(
    conversation: Conversation,
    shown: Sequence[Entry],
    after: uuid.UUID | None = None,
    also: Sequence[uuid.UUID] = (),
) -> dict[str, Any]:
    """Where the next news begin: the newest entry, and those near it that must not come twice."""
    ids = [*also, *([after] if after else []), *(entry.id for entry in shown)]
    newest = max(ids, default=conversation.pk)
    return {
        "after": newest,
        "also": [id_ for id_ in thread.recent(ids) if id_ != newest],
        "queued": [entry.id for entry in shown if entry.delivery is Delivery.QUEUED],
    }


def _id(request: Asking, name: str) -> uuid.UUID | None:
    text = (request.POST or request.GET).get(name, "")
    if not text:
        return None
    if not _is_id(text):
        raise Problem("invalid_id", "This page is none of ours.")
    return uuid.UUID(text)


def _ids(request: Asking, name: str) -> list[uuid.UUID]:
    texts = (request.POST or request.GET).getlist(name)[-thread.MOST_RECENT :]
    return [uuid.UUID(text) for text in texts if _is_id(text)]


def _is_id(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


urlpatterns = [
    path("inbox/<uuid:conversation_id>/", show, name="conversation"),
    path("inbox/<uuid:conversation_id>/entries/", entries, name="conversation-entries"),
    path("inbox/<uuid:conversation_id>/news/", entries_since, name="conversation-news"),
]
