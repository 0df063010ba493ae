"""Limits that hold: for parallel requests, over forged headers, and without Valkey."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from limits import RateLimitItemPerMinute

from accounts import throttling
from iva.local.folder import free_port
from tests.cast import Answer, Party, parsed
from tests.faults.posting import message
from tests.faults.together import together

LIMIT = 20
WRONG = "Bearer iva_" + "A" * 86


@pytest.fixture(autouse=True)
def low_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttling, "REQUESTS", RateLimitItemPerMinute(LIMIT, namespace="iva:requests"))
    monkeypatch.setattr(throttling, "FAILURES", RateLimitItemPerMinute(LIMIT, namespace="iva:failures"))


@pytest.fixture
def without_valkey(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Valkey should be nobody answers."""
    away = throttling.Limiter(f"redis://127.0.0.1:{free_port()}/0")
    monkeypatch.setattr(throttling, "limiter", away)


def reading(party: Party, **meta: str) -> Callable[[], Answer]:
    """A request to be made, with headers (`HTTP_…`) and the address it comes from (`REMOTE_ADDR`)."""
    authorization = {"HTTP_AUTHORIZATION": f"Bearer {party.token}"} | meta
    client = Client(raise_request_exception=False)
    return lambda: parsed(client.get("/api/v1/organization/", **authorization))  # type: ignore[arg-type]


def guessing(party: Party, **meta: str) -> Answer:
    return reading(party, HTTP_AUTHORIZATION=WRONG, **meta)()


def tells_when_to_come_back(answer: Answer) -> bool:
    return answer.code == "throttled" and 1 <= int(answer.headers["Retry-After"]) <= 60


def test_of_parallel_requests_exactly_so_many_pass(acme: Party) -> None:
    several = [reading(acme) for _ in range(5)]
    answers = [
        answer for of in together([lambda: [read() for read in several] for _ in range(12)]) for answer in of
    ]
    assert Counter(answer.status for answer in answers) == {200: LIMIT, 429: 60 - LIMIT}
    assert all(tells_when_to_come_back(answer) for answer in answers if answer.status == 429)


def test_every_door_counts_against_the_same_limit_and_every_key_for_itself(
    acme: Party, globex: Party
) -> None:
    for n in range(LIMIT // 2):
        assert acme.call("POST", "messages/", message(f"m-{n}", 1)).status == 201
        assert acme.call("GET", "conversations/").status == 200
    hot, ordinary = acme.call("POST", "messages/", message("late", 1)), acme.call("GET", "conversations/")
    assert (hot.status, ordinary.status) == (429, 429)
    assert tells_when_to_come_back(hot)
    assert tells_when_to_come_back(ordinary)
    assert globex.call("GET", "conversations/").status == 200


def test_a_forged_forwarding_header_does_not_help_a_key(acme: Party) -> None:
    statuses = [reading(acme, HTTP_X_FORWARDED_FOR=f"203.0.113.{n}")().status for n in range(LIMIT + 5)]
    assert Counter(statuses) == {200: LIMIT, 429: 5}


def test_failed_sign_ins_are_counted_for_each_address(acme: Party) -> None:
    statuses = Counter(guessing(acme, REMOTE_ADDR="203.0.113.7").status for _ in range(LIMIT + 5))
    assert statuses == {401: LIMIT, 429: 5}
    assert tells_when_to_come_back(guessing(acme, REMOTE_ADDR="203.0.113.7"))
    assert guessing(acme, REMOTE_ADDR="203.0.113.8").status == 401
    assert reading(acme, REMOTE_ADDR="203.0.113.7")().status == 200, "a neighbour with a valid key may go on"


def test_failed_deliveries_at_the_hot_door_are_counted_too(acme: Party) -> None:
    answers = [acme.call("POST", "messages/", message("m", 1), Authorization=WRONG) for _ in range(LIMIT + 1)]
    assert Counter(answer.status for answer in answers) == {401: LIMIT, 429: 1}
    assert tells_when_to_come_back(answers[-1])


def test_rotating_a_forged_forwarding_header_does_not_help_who_guesses(acme: Party) -> None:
    answers = [guessing(acme, HTTP_X_FORWARDED_FOR=f"198.51.100.{n}") for n in range(LIMIT + 5)]
    assert Counter(answer.status for answer in answers) == {401: LIMIT, 429: 5}


def test_rotating_through_an_ipv6_network_does_not_help_who_guesses(acme: Party) -> None:
    """One customer of a provider has a whole /64."""
    answers = [guessing(acme, REMOTE_ADDR=f"2001:db8::{n:x}") for n in range(LIMIT + 5)]
    assert Counter(answer.status for answer in answers) == {401: LIMIT, 429: 5}
    assert guessing(acme, REMOTE_ADDR="2001:db8:0:1::1").status == 401


def test_behind_our_proxy_what_the_client_claims_before_it_does_not_help(acme: Party, settings: Any) -> None:
    settings.IVA_TRUSTED_PROXIES = ["10.0.0.0/8"]
    ours = {"REMOTE_ADDR": "10.0.0.5"}
    chains = [f"198.51.100.{n}, 203.0.113.7, 10.0.0.9" for n in range(LIMIT + 5)]
    answers = [guessing(acme, HTTP_X_FORWARDED_FOR=chain, **ours) for chain in chains]
    assert Counter(answer.status for answer in answers) == {401: LIMIT, 429: 5}
    assert guessing(acme, HTTP_X_FORWARDED_FOR="203.0.113.8, 10.0.0.9", **ours).status == 401


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.7", None, "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("10.0.0.5", None, "10.0.0.5"),
        ("10.0.0.5", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.5", "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.5", "198.51.100.1,203.0.113.7 , 10.0.0.6,10.0.0.7", "203.0.113.7"),
        ("10.0.0.5", "10.0.0.6, 10.0.0.7", "10.0.0.6"),
        ("10.0.0.5", " , ,", "10.0.0.5"),
        ("10.0.0.5", "rubbish", "rubbish"),
        ("10.0.0.5", "10.0.0.6, rubbish", "rubbish"),
        ("fd00::5", "2001:db8::7", "2001:db8::/64"),
        ("2001:db8::7", "198.51.100.1", "2001:db8::/64"),
        ("", "198.51.100.1", ""),
    ],
)
def test_the_address_is_the_last_hop_that_is_not_ours(
    settings: Any, peer: str, forwarded: str | None, address: str
) -> None:
    settings.IVA_TRUSTED_PROXIES = ["10.0.0.0/8", "fd00::/8"]
    meta = {"REMOTE_ADDR": peer} | ({} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded})
    assert throttling.address(meta) == address


def test_without_valkey_requests_are_served_and_still_counted(acme: Party, without_valkey: None) -> None:
    answers = together([reading(acme) for _ in range(10)])
    answers += [reading(acme)() for _ in range(LIMIT)]
    assert Counter(answer.status for answer in answers) == {200: LIMIT, 429: 10}
    assert all(tells_when_to_come_back(answer) for answer in answers if answer.status == 429)
    assert Counter(guessing(acme).status for _ in range(LIMIT + 5)) == {401: LIMIT, 429: 5}
