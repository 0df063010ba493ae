"""Who is listening, and handing each what concerns them: in memory, in one thread.

What a stream has not yet sent is a bounded set of ids, never a queue: somebody slow hears once of what
changed many times, and of too much as "everything".
"""

import asyncio
import time
import uuid
from collections import Counter, defaultdict, deque
from collections.abc import Collection, Iterator
from typing import NamedTuple

from django.conf import settings

from iva.streaming.passes import Listener

MOST_NAMED = 200
REMEMBERED = 5_000
MARGIN = 2.0
"""Seconds by which a page may have been made before the moment it says it was."""


class TooManyOfOnes(Exception):
    """Somebody has as many streams open as one person may."""


class TooMany(Exception):
    """The process holds as many streams as it may."""


class News(NamedTuple):
    """What has not been sent yet. `conversations` None: more than can be named."""

    is_greeting: bool
    is_live: bool | None
    conversations: list[str] | None
    farewell: str | None


class Stream:
    """One open page. Whoever sends takes `news()` whenever `woken` is set."""

    def __init__(self, listener: Listener, *, is_live: bool) -> None:
        self.listener = listener
        self.woken = asyncio.Event()
        self._greets, self._is_live = True, is_live
        self._says_state = True
        self._named: dict[str, None] = {}
        self._everything = False
        self._farewell: str | None = None
        self.woken.set()

    def hear(self, conversations: Collection[str] | None) -> None:
        if conversations is None or len(self._named) + len(conversations) > MOST_NAMED:
            self._everything = True
            self._named.clear()
        elif not self._everything:
            self._named.update(dict.fromkeys(conversations))
        self.woken.set()

    def say(self, *, is_live: bool) -> None:
        """Whether changes are heard of at all just now."""
        self._is_live, self._says_state = is_live, True
        self.woken.set()

    def end(self, why: str) -> None:
        self._farewell = self._farewell or why
        self.woken.set()

    @property
    def has_ended(self) -> bool:
        return self._farewell is not None

    def news(self) -> News:
        """What is to be sent now; from here on only what comes later."""
        named = None if self._everything else list(self._named)
        news = News(self._greets, self._is_live if self._says_state else None, named, self._farewell)
        self._greets = self._says_state = self._everything = False
        self._named.clear()
        self.woken.clear()
        return news


class Hub:
    """Every stream of the process."""

    def __init__(self) -> None:
        self.is_live = False
        self.is_closing = False
        self.doubted = asyncio.Event()
        self._of_organization: defaultdict[uuid.UUID, set[Stream]] = defaultdict(set)
        self._of_person: Counter[uuid.UUID] = Counter()
        self._recent: deque[tuple[float, uuid.UUID, tuple[str, ...] | None]] = deque(maxlen=REMEMBERED)
        self._remembers_since = time.time()

    def __iter__(self) -> Iterator[Stream]:
        return (stream for streams in list(self._of_organization.values()) for stream in list(streams))

    def __len__(self) -> int:
        return self._of_person.total()

    def open(self, listener: Listener, since: float | None) -> Stream:
        """A stream that first hears what has changed since then. Raises TooManyOfOnes and TooMany."""
        if self._of_person[listener.user_id] >= settings.IVA_LIVE_STREAMS_PER_PERSON:
            raise TooManyOfOnes
        if self.is_closing or len(self) >= settings.IVA_LIVE_STREAMS:
            raise TooMany
        stream = Stream(listener, is_live=self.is_live)
        self._of_organization[listener.organization_id].add(stream)
        self._of_person[listener.user_id] += 1
        if since is not None:
            self._catch_up(stream, since - MARGIN)
        return stream

    def close(self, stream: Stream) -> None:
        organization_id, user_id = stream.listener.organization_id, stream.listener.user_id
        self._of_organization[organization_id].discard(stream)
        if not self._of_organization[organization_id]:
            del self._of_organization[organization_id]
        self._of_person[user_id] -= 1
        if not self._of_person[user_id]:
            del self._of_person[user_id]

    def hear(self, organization_id: uuid.UUID, conversations: Collection[str] | None) -> None:
        """Something changed there: remember it for whoever is just coming, and tell who listens."""
        self._recent.append(
            (time.time(), organization_id, None if conversations is None else tuple(conversations))
        )
        for stream in self._of_organization.get(organization_id, ()):
            stream.hear(conversations)

    def hearing(self, *, is_live: bool) -> None:
        """From now on changes are heard of, or no longer. What was missed meanwhile is everything."""
        if is_live == self.is_live:
            return
        self.is_live = is_live
        if is_live:
            self._recent.clear()
            self._remembers_since = time.time()
        for stream in self:
            stream.say(is_live=is_live)
            if is_live:
                stream.hear(None)

    def doubt(self, ids: Collection[uuid.UUID]) -> None:
        """The access of these persons or organizations has changed: have it looked at now."""
        if any(id_ in self._of_person or id_ in self._of_organization for id_ in ids):
            self.doubted.set()

    def end_all(self, why: str) -> None:
        for stream in self:
            stream.end(why)

    def _catch_up(self, stream: Stream, since: float) -> None:
        begins = self._recent[0][0] if len(self._recent) == REMEMBERED else self._remembers_since
        if since < begins:
            stream.hear(None)
        for at, organization_id, conversations in self._recent:
            if at >= since and organization_id == stream.listener.organization_id:
                stream.hear(conversations)
