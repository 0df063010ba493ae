"""Live streams: from an End User's message to the last of two hundred open pages.

A member's pages listen at a live process as production runs it. The message is received here, without the way
over HTTP; its announcement travels through Valkey. Beside it: one open page, and a bare subscriber of Valkey
that hears of the same announcement.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from statistics import median, quantiles

import redis
from django.conf import settings
from django.utils import timezone

from accounts import agreements, doors, people, sign_ins
from accounts.people import Acting, Profile
from accounts.roles import Role
from bench import cast, web
from bench.figures import Figure, Report, at_most
from bench.measuring import interleaved, ratio
from conversations import receiving
from iva import local, tenancy
from iva.audit.actors import SYSTEM
from iva.live import announcing

NAME = "live streams"
STREAMS, SESSIONS, ROUNDS, PATIENCE = 200, 10, 60, 60.0
WITHIN = 1.0
"""Seconds in which a new message appears (the dashboard's promise)."""


class Pages:
    """Open streams, read by one thread: whoever waits for a word waits for it on all of them."""

    def __init__(self, port: int, sessions: list[str], count: int) -> None:
        self._sockets = [_opened(port, sessions[number % len(sessions)]) for number in range(count)]
        self._selector = selectors.DefaultSelector()
        for each in self._sockets:
            self._selector.register(each, selectors.EVENT_READ)
        self.wait_for(b'"live":true')

    def wait_for(self, word: bytes) -> None:
        """Return when every stream has said the word. Raises TimeoutError."""
        deadline, heard = time.monotonic() + PATIENCE, dict.fromkeys(self._sockets, b"")
        left = set(self._sockets)
        while left:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(left)} streams did not say {word!r}")
            for key, _ in self._selector.select(1.0):
                said = key.fileobj
                assert isinstance(said, socket.socket)
                heard[said] += said.recv(65_536)
                if word in heard[said].replace(b" ", b""):
                    left.discard(said)

    def drain(self) -> None:
        """Take what is there already."""
        while ready := self._selector.select(0):
            for key, _ in ready:
                assert isinstance(key.fileobj, socket.socket)
                key.fileobj.recv(65_536)

    def close(self) -> None:
        self._selector.close()
        for each in self._sockets:
            each.close()


def run(servers: local.Servers, report: Report, *, full: bool) -> None:
    party = cast.found("Live", 50)
    member = _hired(party)
    sessions = [_session(member) for _ in range(SESSIONS)]
    limits = {"IVA_LIVE_STREAMS_PER_PERSON": str(STREAMS + 1), "IVA_LIVE_STREAMS": str(STREAMS + 1)}
    messages = party.messages()
    with ExitStack() as stack:
        live = stack.enter_context(web.serving(servers, "iva.asgi", **limits))
        many, one = Pages(live.port, sessions, STREAMS), Pages(live.port, sessions, 1)
        bare = stack.enter_context(_subscriber(servers, party))

        def until(hears: Pages | redis.client.PubSub) -> float:
            _quiet(many, one, bare)
            message = next(messages)
            sender = message["sender"]
            assert isinstance(sender, dict)
            began = time.perf_counter()
            (outcome,) = cast.receive(party, [(sender["phone"], cast.TEXT)])
            assert isinstance(outcome, receiving.Receipt)
            word = str(outcome.conversation_id).encode()
            if isinstance(hears, Pages):
                hears.wait_for(word)
            else:
                _hear(hears, word)
            return time.perf_counter() - began

        measured = interleaved(
            {
                "a bare subscriber": lambda: until(bare),
                "one open page": lambda: until(one),
                "the last of 200 open pages": lambda: until(many),
            },
            ROUNDS,
        )
        for pages in (many, one):
            pages.close()
    _report(report, measured)


def _report(report: Report, measured: dict[str, list[float]]) -> None:
    last, one, bare = (measured[name] for name in reversed(measured))
    report(Figure(NAME, "a message until the last of 200 open pages", median(last), "s", at_most(WITHIN)))
    report(Figure(NAME, "the slowest twentieth of them", quantiles(last, n=20)[-1], "s", at_most(WITHIN)))
    for what, ours in [("200 pages", last), ("one page", one)]:
        found = ratio(ours, bare)
        report(Figure(NAME, f"{what} ÷ a bare subscriber of Valkey", found.median, "x", spread=found.spread))


def _hired(party: cast.Party) -> Acting:
    """A support agent of the organization, who has accepted what counts."""
    user_id = people.meet("listening@example.com", "correct horse battery staple")
    people.verify(user_id)
    current = agreements.current()
    with tenancy.tenant(party.id, "account.manage"):
        profile = Profile("Bat", "listening@example.com", "", "")
        people.join(user_id, Role.SUPPORT_AGENT, profile, actor=SYSTEM)
        agreements.accept(
            user_id, terms=current.terms.digest, privacy_policy=current.privacy_policy.digest, locale="mn"
        )
    return people.enter(user_id, party.id, timezone.now())


def _session(member: Acting) -> str:
    sign_in = sign_ins.begin(member.user_id, browser="Firefox", from_address="127.0.0.1", proved_at=None)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[doors.SIGN_IN], session[doors.ORGANIZATION] = str(sign_in.pk), str(member.organization_id)
    session.save()
    return str(session.session_key)


def _opened(port: int, session: str) -> socket.socket:
    opened = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    lines = [f"GET /live/ HTTP/1.1\r\nHost: 127.0.0.1:{port}", f"Cookie: session={session}"]
    opened.sendall("\r\n".join([*lines, "Accept: text/event-stream", "", ""]).encode())
    return opened


@contextmanager
def _subscriber(servers: local.Servers, party: cast.Party) -> Iterator[redis.client.PubSub]:
    with redis.Redis.from_url(servers.redis_url) as client, client.pubsub() as subscription:
        subscription.subscribe(f"{announcing.CHANGES}{party.id}")
        subscription.get_message(timeout=PATIENCE)
        yield subscription


def _hear(subscription: redis.client.PubSub, word: bytes) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        said = subscription.get_message(timeout=1.0)
        if said and said["type"] == "message" and word in said["data"]:
            return
    raise TimeoutError("the bare subscriber heard nothing")


def _quiet(many: Pages, one: Pages, bare: redis.client.PubSub) -> None:
    """Wait until what was said before has been heard everywhere."""
    time.sleep(0.1)
    for pages in (many, one):
        pages.drain()
    while bare.get_message(timeout=0.001):
        pass
