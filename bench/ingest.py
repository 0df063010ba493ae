"""One message over HTTP: our hot door with everything on, beside the same endpoint written otherwise.

Everything: credentials, limits, strict parsing, recognizing the sender, row-level security, encryption,
blind indexes, deduplication, metering, the audit chain, the outbox. The baselines recognize the sender by
phone, keep the message in plaintext, and do nothing else.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from statistics import median

from bench import cast, load, web
from bench.figures import Figure, Goal, Report, at_least
from bench.measuring import interleaved, ratio
from bench.surroundings import superuser
from bench.web import Web
from iva import local, roles

NAME = "ingest over HTTP"
SECONDS, ROUNDS, ORGANIZATIONS, PEOPLE = 1.0, 11, 8, 100
OURS, NAIVE, LEANEST = "/api/v1/messages/", "/naive/messages/", "/leanest/messages/"
HANDWRITTEN, EMPTY = "/handwritten/messages/", "/empty/"
BYPASSING = "iva_bench"


class RequestsFailed(RuntimeError):
    """A race against refusals would say nothing."""


class Posting:
    """Posting to one door for a while; remembers what the processor did meanwhile."""

    def __init__(self, served: Web, path: str, parties: Sequence[cast.Party]) -> None:
        self.served, self.path, self.parties = served, path, parties
        self.processor: list[float] = []

    def __call__(self) -> float:
        """Requests a second over eight connections. Raises RequestsFailed."""
        before = self.served.processor_seconds()
        found = load.send(self.served.port, requests(self.path, self.parties), seconds=SECONDS)
        if found.failed:
            raise RequestsFailed(f"{self.path}: {dict(found.statuses)}")
        self.processor.append((self.served.processor_seconds() - before) / found.answered)
        return found.per_second


def requests(path: str, parties: Sequence[cast.Party]) -> Iterator[bytes]:
    """New messages of all organizations in turn, for ever."""
    streams = [(party, party.messages()) for party in parties]
    for party, messages in itertools.cycle(streams):
        yield load.post(path, party.token, cast.body(next(messages)))


def run(servers: local.Servers, report: Report, *, full: bool) -> None:
    parties = [cast.found(f"Ingest {number}", PEOPLE) for number in range(ORGANIZATIONS)]
    strangers = [cast.found(f"Plaintext {number}", PEOPLE) for number in range(ORGANIZATIONS)]
    with ExitStack() as stack:
        served = stack.enter_context(web.serving(servers, "bench.wsgi"))
        plaintext = stack.enter_context(web.serving(servers, "bench.without_encryption"))
        unwalled = {"IVA_DATABASE_URL": bypassing_url(servers)}
        no_wall = stack.enter_context(web.serving(servers, "bench.without_wall", **unwalled))
        variants = {
            "ours": Posting(served, OURS, parties),
            "one organization": Posting(served, OURS, parties[:1]),
            "naive": Posting(served, NAIVE, parties),
            "leanest naive": Posting(served, LEANEST, parties),
            "handwritten": Posting(served, HANDWRITTEN, parties),
            "empty": Posting(served, EMPTY, parties),
            "plaintext": Posting(plaintext, OURS, strangers),
            "no wall": Posting(no_wall, OURS, parties),
        }
        _warm_up(servers, variants)
        _report(report, variants, interleaved(variants, ROUNDS))


def _warm_up(servers: local.Servers, variants: dict[str, Posting]) -> None:
    """Everybody is known and the planner has its statistics, as after the first minutes of a real day."""
    for posting in variants.values():
        posting()
        posting.processor.clear()
    with superuser(servers) as connection:
        connection.execute("VACUUM ANALYZE")


def _report(report: Report, variants: dict[str, Posting], measured: dict[str, list[float]]) -> None:
    def compare(what: str, one: str, other: str, goal: Goal | None = None) -> None:
        found = ratio(measured[one], measured[other])
        spent = median(variants[other].processor) / median(variants[one].processor)
        detail = {"by_processor_time": round(spent, 2)}
        report(Figure(NAME, what, found.median, "x", goal, found.spread, detail))

    compare("everything on ÷ naive (DRF + ORM, plaintext)", "ours", "naive", at_least(2, floor=1.5))
    compare("everything on ÷ the leanest naive one", "ours", "leanest naive", at_least(1.5))
    compare("everything on ÷ hand-written SQL, plaintext", "ours", "handwritten")
    compare("everything on ÷ empty view", "ours", "empty")
    compare("encryption on ÷ off", "ours", "plaintext", at_least(0.93))
    compare("row-level security on ÷ off", "ours", "no wall", at_least(0.65))
    compare("one organization ÷ eight", "one organization", "ours")
    for name, posting in variants.items():
        spread = min(measured[name]), max(measured[name])
        report(Figure(NAME, f"{name}, requests a second", median(measured[name]), "/s", None, spread))
        spent = [each * 1e6 for each in posting.processor]
        what = f"{name}, processor time of a request"
        report(Figure(NAME, what, median(spent), "µs", None, (min(spent), max(spent))))


def bypassing_url(servers: local.Servers) -> str:
    """Of a role like the serving one that row-level security does not hold."""
    password = secrets.token_urlsafe()
    with superuser(servers) as connection:
        connection.execute(
            f"CREATE ROLE {BYPASSING} LOGIN BYPASSRLS PASSWORD '{password}' IN ROLE {roles.APP}"
        )
        connection.execute(f"GRANT CONNECT ON DATABASE {roles.DATABASE} TO {BYPASSING}")
    return servers.postgres.url(BYPASSING, password, roles.DATABASE)
