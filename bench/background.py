"""Handing work to the background: what it costs a request, and how fast one process answers.

The request is `receiving.receive` for one message, without the way over HTTP: as it is (a promise in the
outbox and a nudge), with a Celery task for each message instead, and with nothing handed over at all.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from unittest import mock

from agent import knowledge
from bench import cast
from bench.figures import Figure, Report, at_most
from bench.measuring import Ratio, interleaved, seconds
from bench.surroundings import superuser
from conversations import receiving, tasks
from iva import demo_content, local, tenancy
from iva.audit.actors import SYSTEM
from iva.outbox import draining, nudging

NAME = "background work"
MESSAGES, PEOPLE = 300, 100
ANSWERS, ENTRIES, ANSWER_ROUNDS = 200, 50, 5
PROMISING = receiving.KEEP[receiving.KEEP.index(", promised AS (") : receiving.KEEP.index(", touched AS (")]


def run(servers: local.Servers, report: Report, *, full: bool) -> None:
    party = cast.found("Background", PEOPLE)
    with superuser(servers) as connection:
        connection.execute("VACUUM ANALYZE")
    _hand_over(party, report)
    with superuser(servers) as connection:
        connection.execute("TRUNCATE iva_outbox_promise")
    _answer(report)


def _hand_over(party: cast.Party, report: Report) -> None:
    phones = itertools.cycle(party.phones)

    def keep(after: Callable[[], object] = lambda: None) -> None:
        cast.receive(party, [(next(phones), cast.TEXT)])
        after()

    def with_nothing() -> float:
        with _promising_nothing():
            return seconds(keep)

    def with_delay() -> float:
        with _promising_nothing():
            return seconds(lambda: keep(tasks.drain.delay))

    variants = {"outbox": lambda: seconds(keep), "task.delay()": with_delay, "nothing": with_nothing}
    measured = interleaved(variants, MESSAGES)
    outbox, delay, nothing = (_quartiles(measured[name]) for name in variants)
    report(Figure(NAME, "keep a message with the outbox ÷ with nothing", outbox.median / nothing.median, "x"))
    what = "keep a message with the outbox ÷ with task.delay()"
    report(Figure(NAME, what, outbox.median / delay.median, "x", at_most(1)))
    for name, took in (("outbox", outbox), ("task.delay()", delay)):
        report(Figure(NAME, f"{name} adds to a message", (took.median - nothing.median) * 1e6, "µs"))


def _quartiles(took: list[float]) -> Ratio:
    ordered = sorted(took)
    return Ratio(median(took), ordered[len(took) // 4], ordered[3 * len(took) // 4])


@contextmanager
def _promising_nothing() -> Iterator[None]:
    with (
        mock.patch.object(receiving, "KEEP", receiving.KEEP.replace(PROMISING, "")),
        mock.patch.object(nudging, "nudge", lambda: None),
    ):
        yield


def _answer(report: Report) -> None:
    """Questions as people ask them; few are in the knowledge base word for word."""
    wanted, other = demo_content.ORGANIZATIONS
    entries = [*wanted.knowledge, *other.knowledge][:ENTRIES]
    party = cast.found("Answers", 0)
    with tenancy.tenant(party.id):
        for entry in entries:
            texts = entry.title, entry.question, list(entry.alternatives), entry.answer
            knowledge.publish(*texts, actor=SYSTEM)
    questions, numbers = itertools.cycle(wanted.said), itertools.count(cast.FIRST_PHONE)
    _answers_a_second(party, questions, numbers)
    rates = [_answers_a_second(party, questions, numbers) for _ in range(ANSWER_ROUNDS)]
    what = f"answers a second of one process, {len(entries)} entries"
    report(Figure(NAME, what, median(rates), "/s", None, (min(rates), max(rates))))


def _answers_a_second(party: cast.Party, questions: Iterator[str], numbers: Iterator[int]) -> float:
    """Everybody asks once: who asks again and again is soon in the hands of people."""
    for _ in range(ANSWERS // receiving.MOST_AT_ONCE):
        people = itertools.islice(numbers, receiving.MOST_AT_ONCE)
        cast.receive(party, [(f"+976{number}", next(questions)) for number in people])
    kept: list[int] = []
    took = seconds(lambda: kept.append(draining.drain(tasks.FULFIL, most_batches=1_000)))
    assert kept == [ANSWERS], f"{kept} of {ANSWERS} promises were kept"
    return ANSWERS / took
