"""The hub by itself: bounded whatever is announced, however slowly it is read."""

import asyncio
import uuid
from collections.abc import Callable, Collection, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iva.streaming import doubting, hub, sending
from iva.streaming.hub import Hub, Stream
from iva.streaming.passes import Listener

ACME, GLOBEX = uuid.UUID(int=1), uuid.UUID(int=2)
CONVERSATIONS = [str(uuid.UUID(int=number)) for number in range(500)]
SAID = st.one_of(st.none(), st.lists(st.sampled_from(CONVERSATIONS), max_size=250))


def listener(organization: uuid.UUID = ACME) -> Listener:
    return Listener(organization, uuid.uuid4(), uuid.uuid4(), uuid.uuid4(), "203.0.113.9")


@given(st.lists(st.one_of(SAID.map(lambda said: ("hear", said)), st.just(("read", None))), max_size=30))
def test_a_reader_gets_all_that_was_said_or_everything_and_never_more_than_can_be_named(
    happened: list[tuple[str, Collection[str] | None]],
) -> None:
    stream = Stream(listener(), is_live=True)
    stream.news()
    missing: set[str] = set()
    for what, said in [*happened, ("read", None)]:
        if what == "hear":
            stream.hear(said)
            missing |= {"everything"} if said is None else set(said)
        else:
            told = stream.news().conversations
            assert told is None or missing == set(told)
            assert told is None or len(told) <= hub.MOST_NAMED
            missing.clear()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    now = [1000.0]
    monkeypatch.setattr(hub.time, "time", lambda: now[0])
    yield now


def live_hub() -> Hub:
    made = Hub()
    made.hearing(is_live=True)
    return made


def test_a_page_hears_of_what_changed_since_it_was_made_and_of_no_other_organization(
    clock: list[float],
) -> None:
    hub_ = live_hub()
    for second, organization in enumerate([ACME, ACME, GLOBEX, ACME]):
        clock[0] = 1010.0 + 10 * second
        hub_.hear(organization, [CONVERSATIONS[second]])
    assert hub_.open(listener(), 1015.0).news().conversations == [CONVERSATIONS[1], CONVERSATIONS[3]]
    assert hub_.open(listener(), 1045.0).news().conversations == []
    assert hub_.open(listener(GLOBEX), 1015.0).news().conversations == [CONVERSATIONS[2]]
    assert hub_.open(listener(), None).news().conversations == []
    assert hub_.open(listener(), 900.0).news().conversations is None, "that is before its time"


def test_what_is_remembered_for_newcomers_is_bounded(clock: list[float]) -> None:
    hub_ = live_hub()
    for _ in range(hub.REMEMBERED + 10):
        clock[0] += 1
        hub_.hear(ACME, [CONVERSATIONS[0]])
    assert hub_.open(listener(GLOBEX), 1005.0).news().conversations is None, "that is forgotten already"
    assert hub_.open(listener(GLOBEX), clock[0] - 100).news().conversations == []


def test_places_are_given_back() -> None:
    hub_ = live_hub()
    streams = [hub_.open(listener(), None) for _ in range(10)]
    assert len(hub_) == 10
    for stream in streams:
        hub_.close(stream)
    assert (len(hub_), list(hub_)) == (0, [])


async def never(*_: Any) -> Any:
    await asyncio.Event().wait()


def test_a_reader_who_takes_nothing_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "PATIENCE", 0.01)
    with pytest.raises(sending.ReaderTooSlow):
        asyncio.run(sending.send_all(Stream(listener(), is_live=True), never, never))


def sent(act: Callable[[Stream], Any], monkeypatch: pytest.MonkeyPatch) -> bytes:
    """What a stream sends until it ends, while something happens to it."""
    monkeypatch.setattr(sending, "TOGETHER", 0.01)
    monkeypatch.setattr(sending, "HEARTBEAT", 0.02)
    chunks: list[bytes] = []

    async def take(message: Any) -> None:
        chunks.append(message["body"])
        if len(chunks) == 3:
            act(stream)

    async def listen() -> None:
        await asyncio.wait_for(sending.send_all(stream, never, take), 10)

    stream = Stream(listener(), is_live=True)
    asyncio.run(listen())
    return b"".join(chunks)


def test_silence_is_filled_with_heartbeats(monkeypatch: pytest.MonkeyPatch) -> None:
    said = sent(lambda stream: stream.end("closing"), monkeypatch)
    assert said.startswith(b"retry: 3000\nid: ")
    assert said.count(b"\n:\n\n:\n\n") == 1
    assert said.endswith(b'event: end\ndata: {"why": "closing"}\n\n')


def test_an_old_stream_ends_to_come_again_through_the_door(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "LONGEST", -sending.SPREAD)
    assert b'"age"' in sent(lambda stream: None, monkeypatch)


@pytest.mark.parametrize("failures", [1, 2])
def test_when_nobody_can_say_who_may_listen_everybody_s_stream_ends(
    failures: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not at the first failure: the database may just be starting again."""
    monkeypatch.setattr(doubting, "LOOK_EVERY", 0.01)
    hub_, asked = live_hub(), []
    stream = hub_.open(listener(), None)

    async def ask(listeners: Collection[Listener]) -> set[Listener]:
        asked.append(listeners)
        if len(asked) <= failures:
            raise ConnectionError
        return set(listeners)

    async def doubt() -> None:
        task = asyncio.create_task(doubting.doubt_for_ever(hub_, ask))
        while len(asked) <= failures:
            await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(doubt())
    assert stream.has_ended == (failures == 2)
