"""A past for the demo: its conversations are made within a minute and then spread over the last weeks.

What happened stays as the rooms made it; only the times are moved, as the serving role may, and people answer
some of those who were handed over. The audit trail keeps the true moments: nobody moves those.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import F
from django.utils import timezone

from accounts.models import Organization
from conversations import counting, replying, resolving
from conversations.models import Author, Conversation, ConversationDay, Message, Resolution
from iva import demo_content, tenancy
from iva.audit.actors import SYSTEM

DAYS = 60
SEED = 20260102
BUSY = (1, 0, 0, 0, 0, 0, 1, 2, 4, 8, 11, 12, 9, 8, 10, 11, 9, 7, 6, 6, 7, 6, 4, 2)
"""How many out of 124 conversations begin in each hour."""

FINISHED = 0.8
"""Share of those who were handed over whom people have answered."""


@dataclass
class Moved:
    """The times of one conversation."""

    conversation: Conversation
    messages: Sequence[Message]
    times: list[datetime] = field(default_factory=list)

    def first(self, *authors: str) -> datetime | None:
        """When one of these first wrote."""
        pairs = zip(self.messages, self.times, strict=True)
        return next((moment for message, moment in pairs if message.author in authors), None)


def spread(organization: Organization) -> None:
    """Give an organization of the demo a past, once."""
    zone, dice = ZoneInfo(organization.time_zone), random.Random(f"{organization.slug} {SEED}")  # noqa: S311
    with tenancy.tenant(organization.pk):
        if ConversationDay.objects.exists():
            return
        _answer_some(dice)
        moved = [_moved(conversation, messages, zone, dice) for conversation, messages in _all()]
        _write(moved)
        _end_the_old()
        while counting.count(zone):
            pass


def _answer_some(dice: random.Random) -> None:
    """People reply to most of those who asked for them."""
    waiting = Conversation.objects.filter(
        handed_over_at__isnull=False, closed_at=None, waited_for_people=None
    )
    for conversation in waiting.select_for_update().order_by("id"):
        if dice.random() < FINISHED:
            text = dice.choice(demo_content.REPLIES_OF_PEOPLE)
            replying.reply(conversation, text, author=Author.MEMBER, actor=SYSTEM)


def _all() -> list[tuple[Conversation, list[Message]]]:
    conversations = {found.pk: found for found in Conversation.objects.order_by("id")}
    messages = Message.objects.defer("body").order_by("conversation_id", "id")
    return [
        (conversations[conversation_id], list(theirs))
        for conversation_id, theirs in groupby(messages, key=lambda message: message.conversation_id)
    ]


def _moved(
    conversation: Conversation, messages: Sequence[Message], zone: ZoneInfo, dice: random.Random
) -> Moved:
    """The whole conversation, turn by turn, at another moment."""
    moved = Moved(conversation, messages)
    moment = timezone.now() if _waits(conversation) else _beginning(zone, dice)
    for message in messages:
        moved.times.append(moment)
        moment += _until_next(message, messages, dice)
    late = max(moved.times[-1] - timezone.now(), timedelta(0))
    late += timedelta(minutes=dice.randrange(4, 300)) if _waits(conversation) else timedelta(0)
    moved.times = [moment - late for moment in moved.times]
    return moved


def _waits(conversation: Conversation) -> bool:
    """Nobody waits for weeks: who still does has written today."""
    return conversation.handed_over_at is not None and conversation.waited_for_people is None


def _beginning(zone: ZoneInfo, dice: random.Random) -> datetime:
    today = timezone.now().astimezone(zone).date()
    hour = dice.choices(range(24), weights=BUSY)[0]
    at = datetime.combine(_day(today, dice), time(hour, dice.randrange(60), dice.randrange(60)), zone)
    return at if at < timezone.now() else at - timedelta(days=1)


def _day(today: date, dice: random.Random) -> date:
    """Busier lately than four weeks ago, quieter at weekends."""
    day = today - timedelta(days=int(DAYS * (1 - dice.random() ** 0.75)))
    return day if day.weekday() < 5 or dice.random() < 0.5 else day - timedelta(days=2)


def _until_next(message: Message, messages: Sequence[Message], dice: random.Random) -> timedelta:
    """The agent takes seconds, End Users a minute, people some or many minutes."""
    following = [other for other in messages if other.pk > message.pk][:1]
    if following and following[0].author == Author.MEMBER:
        return timedelta(seconds=60 + dice.lognormvariate(6, 1))
    if following and following[0].author == Author.AGENT:
        return timedelta(seconds=1 + 3 * dice.random())
    return timedelta(seconds=15 + dice.lognormvariate(3.6, 0.8))


def _write(moved: Sequence[Moved]) -> None:
    rows = [
        (message.conversation_id, message.pk, moment)
        for one in moved
        for message, moment in zip(one.messages, one.times, strict=True)
    ]
    with connection.cursor() as cursor:
        columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], []]
        cursor.execute(MOVE, [*columns, tenancy.active().organization_id])
    for one in moved:
        _move(one)


def _move(moved: Moved) -> None:
    """What a conversation says of its messages' times."""
    conversation, by_people = moved.conversation, moved.first(Author.MEMBER)
    conversation.opened_at, conversation.last_message_at = moved.times[0], moved.times[-1]
    conversation.first_response_at = moved.first(Author.AGENT, Author.MEMBER)
    if conversation.handed_over_at is not None:
        last_of_agent = [
            moment
            for message, moment in zip(moved.messages, moved.times, strict=True)
            if message.author == Author.AGENT
        ]
        conversation.handed_over_at = last_of_agent[-1] if last_of_agent else moved.times[0]
    if by_people is not None:
        conversation.waited_for_people = by_people - (conversation.handed_over_at or moved.times[0])
    conversation.save()


def _end_the_old() -> None:
    """What people answered they also ended; what has been idle for a day ends by itself."""
    now = timezone.now()
    answered = Conversation.objects.filter(
        closed_at=None, waited_for_people__isnull=False, last_message_at__lt=now - timedelta(hours=3)
    )
    for conversation in answered.select_for_update():
        resolving.resolve(conversation, Resolution.ANSWERED, actor=SYSTEM)
    while resolving.resolve_idle():
        pass
    ended = Conversation.objects.filter(closed_at__gte=now)
    ended.filter(handed_over_at=None).update(closed_at=F("last_message_at") + resolving.IDLE)
    ended.filter(closed_at__gte=now).update(closed_at=F("last_message_at") + timedelta(minutes=3))


MOVE = """
UPDATE conversations_message message SET kept_at = item.moment
FROM unnest(%s::uuid[], %s::uuid[], %s::timestamptz[]) AS item (conversation_id, id, moment)
WHERE message.organization_id = %s AND message.conversation_id = item.conversation_id AND message.id = item.id
"""
