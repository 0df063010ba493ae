"""The inbox as members see it: which conversations, in which order, and what to show of each.

Filters combine; each has an index that it can walk newest first (`Conversation.Meta.indexes`). Nothing is
counted beyond `BOUND`.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from conversations import colleagues, labelling, reading
from conversations.models import Author, Conversation, Label, Labelling, Message
from conversations.reading import Position
from iva import tenancy
from iva.audit import log as audit
from iva.audit import recalling
from iva.audit.actors import Actor
from iva.audit.events import Event
from iva.crypto import bulk

PAGE = 25
MOST = 100
ONE_LOOK = timedelta(hours=1)
BOUND = 10
"""Ten are shown as "9+": nobody needs to know more, and PostgreSQL need not look further."""


class View(models.TextChoices):
    """What part of the inbox is looked at."""

    WAITING = "waiting", _("With people")
    MINE = "mine", pgettext_lazy("conversations", "Mine")
    UNASSIGNED = "unassigned", _("Unassigned")
    AGENT = "agent", _("With the agent")
    RESOLVED = "resolved", _("Resolved")
    ALL = "all", pgettext_lazy("conversations", "All")


class Sentiment(models.TextChoices):
    POSITIVE = "positive", _("Positive")
    NEUTRAL = "neutral", _("Neutral")
    NEGATIVE = "negative", _("Negative")


COUNTED = (View.WAITING, View.MINE, View.UNASSIGNED)


@dataclass(frozen=True)
class Filter:
    """What somebody wants to see. `me` is their membership; None stands for whatever there is."""

    me: uuid.UUID
    view: View = View.WAITING
    channel_id: uuid.UUID | None = None
    assignee_id: uuid.UUID | None = None
    label_id: uuid.UUID | None = None
    sentiment: str = ""


@dataclass
class Row:
    """A conversation as the inbox shows it. `last` is its newest message, opened."""

    conversation: Conversation
    name: str | None
    last: Message | None
    assignee: str | None
    labels: Sequence[Label]

    @property
    def waits(self) -> bool:
        """Whether the End User spoke last, to people."""
        is_theirs = self.last is not None and self.last.author == Author.END_USER
        held = self.conversation.closed_at is None and self.conversation.handed_over_at is not None
        return is_theirs and held


def find(wanted: Filter, *, before: Position | None = None, limit: int = PAGE) -> list[Conversation]:
    """The conversations, the most recently active first, from a position on (keyset, never an offset)."""
    found = _matching(wanted)
    if before is not None:
        moment, last_id = before
        found = found.filter(
            Q(last_message_at__lte=moment) & (Q(last_message_at__lt=moment) | Q(id__lt=last_id))
        )
    newest_first = found.select_related("end_user").order_by("-last_message_at", "-id")
    return list(newest_first[: min(limit, MOST)])


def show(conversations: Sequence[Conversation], *, actor: Actor, with_names: bool) -> list[Row]:
    """What the inbox shows of these conversations; the trail says of each End User that they were shown."""
    if not conversations:
        return []
    last = _last_messages([conversation.pk for conversation in conversations])
    names = colleagues.names(conversation.assignee_id for conversation in conversations)
    labels = labelling.of([conversation.pk for conversation in conversations])
    people = {conversation.end_user_id: conversation.end_user for conversation in conversations}
    if with_names:
        bulk.reveal(list(people.values()), "name")
    _remember_shown(_said_last(conversations, last), actor)
    return [
        Row(
            conversation,
            conversation.end_user.name if with_names else None,
            last.get(conversation.pk),
            names.get(conversation.assignee_id) if conversation.assignee_id else None,
            labels.get(conversation.pk, ()),
        )
        for conversation in conversations
    ]


def _said_last(
    conversations: Sequence[Conversation], last: Mapping[uuid.UUID, Message]
) -> dict[uuid.UUID, datetime]:
    """Of whom how new a message is shown."""
    found: dict[uuid.UUID, datetime] = {}
    for conversation in conversations:
        message = last.get(conversation.pk)
        moment = message.kept_at if message else conversation.opened_at
        found[conversation.end_user_id] = max(moment, found.get(conversation.end_user_id, moment))
    return found


def _remember_shown(said_last: Mapping[uuid.UUID, datetime], actor: Actor) -> None:
    """An event for each End User, so that the trail is found by them; whoever sees the same again within the
    hour has not seen more, whoever sees a newer message has."""
    seen = recalling.newest_of(Event.INBOX_READ, actor, said_last.keys(), within=ONE_LOOK)
    for end_user_id, moment in sorted(said_last.items()):
        if end_user_id not in seen or seen[end_user_id] <= moment:
            audit.record(Event.INBOX_READ, actor=actor, end_user=end_user_id)


def counts(wanted: Filter) -> dict[View, int]:
    """How many there are in the views one keeps an eye on, up to `BOUND`, whatever else is filtered."""
    found = {}
    for view in COUNTED:
        matching = _matching(Filter(wanted.me, view))
        found[view] = len(matching.order_by("-last_message_at", "-id").values_list("id")[:BOUND])
    return found


def elsewhere(wanted: Filter, view: View) -> Filter:
    """The same filters in another view."""
    return replace(wanted, view=view)


def _matching(wanted: Filter) -> QuerySet[Conversation]:
    found = _VIEWS[wanted.view](reading.living(), wanted.me)
    if wanted.channel_id is not None:
        found = found.filter(channel_id=wanted.channel_id)
    if wanted.assignee_id is not None:
        found = found.filter(assignee_id=wanted.assignee_id)
    if wanted.sentiment:
        found = found.filter(sentiment=wanted.sentiment)
    if wanted.label_id is not None:
        labelled = Labelling.objects.filter(label_id=wanted.label_id)
        found = found.filter(pk__in=labelled.values("conversation_id"))
    return found


_Narrow = Callable[[QuerySet[Conversation], uuid.UUID], QuerySet[Conversation]]
_VIEWS: dict[View, _Narrow] = {
    View.WAITING: lambda found, me: found.filter(closed_at=None, handed_over_at__isnull=False),
    View.MINE: lambda found, me: found.filter(closed_at=None, assignee_id=me),
    View.UNASSIGNED: lambda found, me: found.filter(
        closed_at=None, handed_over_at__isnull=False, assignee_id=None
    ),
    View.AGENT: lambda found, me: found.filter(closed_at=None, handed_over_at=None),
    View.RESOLVED: lambda found, me: found.filter(closed_at__isnull=False),
    View.ALL: lambda found, me: found,
}

LAST_MESSAGES = """
SELECT last.* FROM unnest(%(conversations)s::uuid[]) AS conversation (id) CROSS JOIN LATERAL (
    SELECT id, organization_id, conversation_id, end_user_id, author, body_encrypted, kept_at
    FROM conversations_message
    WHERE organization_id = %(organization)s AND conversation_id = conversation.id
    ORDER BY id DESC LIMIT 1
) last
"""


def _last_messages(conversation_ids: list[uuid.UUID]) -> dict[uuid.UUID, Message]:
    """The newest message of each, opened: one step down the primary key for each of them."""
    organization_id = tenancy.active().organization_id
    asked = {"conversations": conversation_ids, "organization": organization_id}
    found = list(Message.objects.raw(LAST_MESSAGES, asked))
    bulk.reveal(found, "body")
    return {message.conversation_id: message for message in found}
