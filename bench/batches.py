"""The batch endpoint: messages a second beside the single one, and a crowd posting into one organization.

The crowd's batches overlap in people, most of whom are met for the first time on the way, so that
transactions want the same people, keys, conversations, counter and audit head at once: where deadlocks live.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from statistics import median

from bench import cast, ingest, load, web
from bench.figures import Figure, Report, at_least, at_most
from bench.measuring import interleaved, ratio
from bench.surroundings import superuser
from iva import local

NAME = "batch endpoint"
PATH = "/api/v1/messages/batch/"
SECONDS, ROUNDS, BATCH, PEOPLE = 2.0, 7, 100, 200
CROWD, FULL_CROWD, CONNECTIONS, CROWDED_BATCH, CROWD_PEOPLE = 2_000, 20_000, 32, 5, 2_000


def run(servers: local.Servers, report: Report, *, full: bool) -> None:
    parties = [cast.found(f"Batches {number}", PEOPLE) for number in range(4)]
    with web.serving(servers, "bench.wsgi") as served:
        _compare(servers, served, parties, report)
        _crowd(served, cast.found("Crowd", PEOPLE), FULL_CROWD if full else CROWD, report)


def _compare(servers: local.Servers, served: web.Web, parties: list[cast.Party], report: Report) -> None:
    def batches() -> float:
        found = load.send(served.port, _batches(parties), seconds=SECONDS)
        if found.failed:
            raise ingest.RequestsFailed(f"{PATH}: {dict(found.statuses)}")
        return found.per_second * BATCH

    single = ingest.Posting(served, ingest.OURS, parties)
    single(), batches()
    with superuser(servers) as connection:
        connection.execute("VACUUM ANALYZE")
    measured = interleaved({"single": single, "batches": batches}, ROUNDS)
    found = ratio(measured["batches"], measured["single"])
    what = f"messages a second in batches of {BATCH} ÷ one by one"
    report(Figure(NAME, what, found.median, "x", at_least(10), found.spread))
    for name, rounds in measured.items():
        spread = min(rounds), max(rounds)
        report(Figure(NAME, f"{name}, messages a second", median(rounds), "/s", None, spread))


def _batches(parties: Sequence[cast.Party]) -> Iterator[bytes]:
    streams = [(party, party.messages()) for party in parties]
    for party, messages in itertools.cycle(streams):
        body = {"messages": list(itertools.islice(messages, BATCH))}
        yield load.post(PATH, party.token, cast.body(body))


def _crowd(served: web.Web, party: cast.Party, count: int, report: Report) -> None:
    found = load.send(served.port, _overlapping(party, count), connections=CONNECTIONS)
    what = f"failed of {found.answered:,} concurrent batches into one organization"
    report(Figure(NAME, what, found.failed, "failed", at_most(0), None, {"statuses": dict(found.statuses)}))
    report(Figure(NAME, "batches of the crowd a second", found.per_second, "/s"))


def _overlapping(party: cast.Party, count: int) -> Iterator[bytes]:
    dice = random.Random(20260101)
    phones = [f"+976{cast.FIRST_PHONE + number}" for number in range(CROWD_PEOPLE)]
    for _ in range(count):
        body = {"messages": [party.message(phone) for phone in dice.sample(phones, CROWDED_BATCH)]}
        yield load.post(PATH, party.token, cast.body(body))
