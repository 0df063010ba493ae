"""Two worlds that differ in one thing: in one of them Globex lives, in the other there is nothing of it.

The same script is played in both. Where it names something of Globex's, the empty world has an id that
nobody ever had, made in the same moment, so that it stands at the same place in every order.
"""

import base64
import json
import re
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from conversations import tasks
from iva import tenancy
from iva.outbox import draining
from tests.cast import Answer, Party

PHONES = ["99112233", "99445566", "88010203"]
EXTERNAL_IDS = ["m-0", "m-1", "m-2"]
THEIR_SECRET = "Глобексийн нууц"
ENTRY = {"title": "Карт хаах", "question": "Картаа гээсэн бол яах вэ?", "answer": "1800-1234 руу залгаарай."}

REFERENCE = re.compile(r"{(cursor )?(ours|theirs) (\w+) (\d+)}")
UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
KIND_OF_ID = {
    "conversations/": "conversation",
    "messages/": "message",
    "knowledge/": "entry",
    "erasures/": "erasure",
    "erasure/": "erasure",
    "search/": "end_user",
    "channels/": "channel",
}
VARYING_HEADERS = {"X-Request-ID", "Content-Length"}


class Asked(NamedTuple):
    """A line in which Acme calls the API. `{theirs message 3}` stands for an id, also within the body,
    `{cursor ours entry 0}` for a cursor that stands there; numbers count around."""

    method: str
    path: str
    body: Any = None


class GlobexHears(NamedTuple):
    """A line in which somebody writes to Globex, which also publishes something and erases somebody."""

    phone: str


class Worked(NamedTuple):
    """A line in which a worker does what is due, for everybody."""


Line = Asked | GlobexHears | Worked


class Clock:
    """Stands in for `timezone.now`: an hour ago, a millisecond later with each look."""

    def __init__(self) -> None:
        self._now = datetime.now(UTC) - timedelta(hours=1)

    def __call__(self) -> datetime:
        self._now += timedelta(milliseconds=1)
        return self._now


class World:
    """A world with Acme in it, and with Globex or without."""

    def __init__(self, acme: Party, globex: Party | None = None) -> None:
        self.acme, self.globex = acme, globex
        self.ids: dict[str, dict[str, list[str]]] = {"ours": defaultdict(list), "theirs": defaultdict(list)}
        self._numbers = iter(range(1_000))

    def play(self, script: list[Line]) -> list[Any]:
        """What Acme was answered, line by line, in words that are the same in both worlds."""
        self._know("organization", self.globex and str(self.globex.id))
        self._know("channel", self.globex and str(self.globex.channel.pk))
        for external_id, phone in zip(EXTERNAL_IDS, PHONES, strict=True):
            self._globex_hears(external_id, phone)
        return [self._play(line) for line in script]

    def _play(self, line: Line) -> Any:
        if isinstance(line, Asked):
            return self._ask(line)
        if isinstance(line, GlobexHears):
            return self._globex_lives(line.phone)
        draining.drain(tasks.FULFIL)
        return line

    def _ask(self, line: Asked) -> list[Any]:
        method, path, body = line.method, self.resolved(line.path), self.resolved(line.body)
        answer = self.acme.call(method, path, body)
        assert answer.status < 500 and THEIR_SECRET not in str(answer.body), answer
        self._learn(path.partition("?")[0], answer)
        headers = {name: value for name, value in answer.headers.items() if name not in VARYING_HEADERS}
        return [line, answer.status, self._in_words(answer.body), headers]

    def _globex_lives(self, phone: str) -> None:
        number = next(self._numbers)
        self._globex_hears(f"g-{number}", phone)
        published = self.globex and self.globex.call("POST", "knowledge/", ENTRY | {"answer": THEIR_SECRET})
        self._know("entry", published and published.body["id"])
        erased = self.globex and self._globex_erases(self.globex, f"g{number}@example.com")
        self._know("erasure", erased)

    def _globex_hears(self, external_id: str, phone: str) -> None:
        heard = self.globex and self.globex.says(THEIR_SECRET, external_id=external_id, phone=phone)
        for kind in ("conversation", "end_user", "message"):
            self._know(kind, heard and heard.body[f"{kind}_id"])

    def _globex_erases(self, globex: Party, email: str) -> str:
        someone = globex.says(THEIR_SECRET, email=email).body["end_user_id"]
        erasure = globex.call("POST", f"end-users/{someone}/erasure/", {"ground": "unlawful"})
        return str(erasure.body["id"])

    def _know(self, kind: str, id_: str | None) -> None:
        self.ids["theirs"][kind].append(id_ or str(tenancy.new_id()))

    def resolved(self, value: Any) -> Any:
        """A value of the script with the ids and cursors of this world."""
        if isinstance(value, Mapping):
            return {name: self.resolved(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.resolved(item) for item in value]
        return REFERENCE.sub(self._id_or_cursor, value) if isinstance(value, str) else value

    def _id_or_cursor(self, found: re.Match[str]) -> str:
        cursor, whose, kind, number = found.groups()
        pool = self.ids[whose][kind] or [str(uuid.UUID(int=int(number)))]
        id_ = pool[int(number) % len(pool)]
        return _packed([id_]) if cursor else id_

    def _learn(self, path: str, answer: Answer) -> None:
        kind_of_id = next((kind for end, kind in KIND_OF_ID.items() if path.endswith(end)), "")
        for name, id_ in _ids(answer.body):
            kind = kind_of_id if name == "id" else name.removesuffix("_id")
            if id_ not in self.ids["ours"][kind]:
                self.ids["ours"][kind].append(id_)

    def _in_words(self, value: Any) -> Any:
        """An answer without what has to differ: ids become names, times and digests their kinds."""
        if isinstance(value, dict):
            return {name: self._member_in_words(name, item) for name, item in value.items()}
        if isinstance(value, list):
            return [self._in_words(item) for item in value]
        if not isinstance(value, str):
            return value
        text = MOMENT.sub("<time>", UUID.sub(lambda found: self._name(found[0]), value))
        organization = self.acme.organization
        return text.replace(organization.name, "<name>").replace(organization.slug, "<slug>")

    def _member_in_words(self, name: str, value: Any) -> Any:
        if name == "digest":
            return "<digest>"
        if name == "ids":  # key ids are random numbers; a batch stands in the order of its blind indexes
            return sorted(re.findall(r"[^\[\]{},]+", re.sub(r'"key":\d+', "key", self._in_words(value))))
        if name == "next" and value is not None:
            return self._in_words(json.loads(base64.urlsafe_b64decode(value + "==")))
        return self._in_words(value)

    def _name(self, id_: str) -> str:
        known = [
            f"<{whose} {kind} {pool.index(id_)}>"
            for whose, pools in self.ids.items()
            for kind, pool in pools.items()
            if id_ in pool
        ]
        return known[0] if known else "<id>"


def _packed(position: list[str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).rstrip(b"=").decode()


def _ids(value: Any) -> Iterator[tuple[str, str]]:
    """Every (name, id) in an answer."""
    if isinstance(value, list):
        for item in value:
            yield from _ids(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if isinstance(item, str) and UUID.fullmatch(item):
                yield name, item
            else:
                yield from _ids(item)
