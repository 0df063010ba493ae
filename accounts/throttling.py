"""Limits that hold under parallel requests: counted atomically in Valkey, keyed by what cannot be forged.

A key's requests are counted by the key, failed sign-ins by the address of the connection. Forwarding
headers are believed only from proxies named in `IVA_TRUSTED_PROXIES`. While Valkey is away each process
counts for itself, so that a message can still be received.
"""

import ipaddress
import threading
import time
from collections.abc import Mapping
from typing import Any

import structlog
from django.conf import settings
from django.utils.crypto import salted_hmac
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import FixedWindowRateLimiter
from redis.exceptions import RedisError
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts import devices

logger = structlog.get_logger("iva.throttling")
PAUSE_AFTER_FAILURE = 1.0

REQUESTS = RateLimitItemPerMinute(settings.IVA_REQUESTS_PER_MINUTE, namespace="iva:requests")
FAILURES = RateLimitItemPerMinute(settings.IVA_FAILED_SIGN_INS_PER_MINUTE, namespace="iva:failures")
SIGN_INS = RateLimitItemPerMinute(settings.IVA_FAILED_SIGN_INS_PER_MINUTE, namespace="iva:sign-ins")
SIGN_INS_OF_ONE = RateLimitItemPerMinute(
    10 * settings.IVA_FAILED_SIGN_INS_PER_MINUTE, namespace="iva:sign-ins-of-one"
)
LETTERS = RateLimitItemPerHour(5, namespace="iva:letters")
QUESTIONS = RateLimitItemPerMinute(settings.IVA_FAILED_SIGN_INS_PER_MINUTE, namespace="iva:questions")
COPIES = RateLimitItemPerHour(30, namespace="iva:copies")
INVITATIONS = RateLimitItemPerDay(settings.IVA_INVITATIONS_PER_DAY, namespace="iva:invitations")
LETTERS_TO_ONE = RateLimitItemPerHour(20, namespace="iva:letters-to-one")
CODES = RateLimitItemPerHour(60, namespace="iva:codes")
HALFWAY = RateLimitItemPerMinute(5, 10, namespace="iva:halfway")
DOTTED = {"gmail.com", "googlemail.com"}
"""Where dots in the name of a mailbox mean nothing."""
SHARES, GOOD_FOR, MOST_PURSES = 1000, 1.0, 10_000


class TooManyLetters(Throttled):
    """A mailbox has been written to, or somebody has had letters written, often enough for an hour."""

    said: Promise = _(
        "We have written several letters already. Please try again in %(minutes)s minutes at the latest."
    )


class TooManyInvitations(Throttled):
    """An organization has invited as many as it can in a day."""

    said: Promise = _(
        "Your organization has sent as many invitations as it can in a day. Please go on tomorrow."
    )


class Purses:
    """What this process has taken of each key's limit and not yet spent."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: dict[str, tuple[int, float]] = {}

    def take(self, key: str) -> bool:
        with self._lock:
            left, until = self._left.get(key, (0, 0.0))
            if left == 0 or time.monotonic() >= until:
                return False
            self._left[key] = left - 1, until
            return True

    def fill(self, key: str, count: int) -> None:
        with self._lock:
            if len(self._left) >= MOST_PURSES:
                self._left.clear()
            self._left[key] = count, time.monotonic() + GOOD_FOR


class Limiter:
    """Counts in Valkey, or in the process while Valkey is away."""

    def __init__(self, url: str) -> None:
        storage = storage_from_string(url, socket_timeout=0.5, socket_connect_timeout=0.5)
        self._shared = FixedWindowRateLimiter(storage)
        self._own = FixedWindowRateLimiter(MemoryStorage())
        self._away_until = 0.0
        self._purses = Purses()

    def hit(self, item: RateLimitItem, key: str) -> float | None:
        """Count one; None when within the limit, otherwise the seconds until the window ends.

        Of a generous limit a process takes a thousandth at a time, counted when taken and given up after
        a second: Valkey is asked once for many requests, and what is allowed is never more, at most less.
        """
        at_once = max(1, item.amount // SHARES)
        if at_once == 1:
            return self._ask(lambda limiter: None if limiter.hit(item, key) else _wait(limiter, item, key))
        if self._purses.take(key):
            return None
        if self._ask(lambda limiter: limiter.hit(item, key, cost=at_once)):
            self._purses.fill(key, at_once - 1)
            return None
        return self._ask(lambda limiter: None if limiter.hit(item, key) else _wait(limiter, item, key))

    def _ask(self, question: Any) -> float | None:
        if time.monotonic() >= self._away_until:
            try:
                return question(self._shared)
            except (RedisError, OSError) as error:
                self._away_until = time.monotonic() + PAUSE_AFTER_FAILURE
                logger.warning("limits are counted in the process", error=type(error).__name__)
        return question(self._own)


def _wait(limiter: FixedWindowRateLimiter, item: RateLimitItem, key: str) -> float:
    return max(1.0, limiter.get_window_stats(item, key).reset_time - time.time())


limiter = Limiter(settings.REDIS_URL)


class PerKeyThrottle(BaseThrottle):
    """So many requests a minute for each API key."""

    def allow_request(self, request: Request, view: Any) -> bool:
        principal: Any = request.auth
        count_request(str(principal.api_key_id))
        return True


def count_request(api_key_id: str) -> None:
    """Raises Throttled (429, with Retry-After) once the key has used up its minute."""
    wait = limiter.hit(REQUESTS, api_key_id)
    if wait is not None:
        raise Throttled(wait, "The API key has used up its requests for this minute.")


def count_failure(address_: str) -> None:
    """Raises Throttled once an address has failed too often; guessing is slow, not merely hopeless."""
    wait = limiter.hit(FAILURES, address_)
    if wait is not None:
        raise Throttled(wait, "Too many failed sign-ins from this address.")


def count_sign_in(address_: str) -> None:
    """Raises Throttled once somebody has tried to sign in from an address too often, right or wrong."""
    wait = limiter.hit(SIGN_INS, address_)
    if wait is not None:
        raise Throttled(wait, "Too many sign-ins from this address.")


def count_question(address_: str) -> None:
    """Raises Throttled once an address has asked for too many passkey challenges, answered or not."""
    wait = limiter.hit(QUESTIONS, address_)
    if wait is not None:
        raise Throttled(wait, "Too many sign-ins from this address.")


def count_password(person: str, address_: str) -> None:
    """Raises Throttled once somebody's password was tried too often from one network, or from all together.

    What one network has used up is not counted for the others: a stranger far away locks nobody out.
    """
    wait = limiter.hit(SIGN_INS, _from_network(person, address_)) or limiter.hit(SIGN_INS_OF_ONE, person)
    if wait is not None:
        raise Throttled(wait, "Too many sign-ins with this address.")


def count_code(person: str) -> None:
    """Raises Throttled once somebody has given too many codes in a minute or an hour, right or wrong.

    Three codes of a million are good at any time: at sixty an hour whoever has stolen a password needs half
    a year for an even chance of guessing one.
    """
    count_sign_in(f"code:{person}")
    wait = limiter.hit(CODES, person)
    if wait is not None:
        raise Throttled(wait, "Too many codes. Please wait a while, or use a passkey.")


def count_halfway(halfway_id: str) -> None:
    """Raises Throttled after five codes with one password: then the password is asked for again."""
    wait = limiter.hit(HALFWAY, halfway_id)
    if wait is not None:
        raise Throttled(wait, "Too many codes. Please begin again.")


def count_copy(person: str) -> None:
    """Raises Throttled once somebody has taken everything about themselves thirty times in an hour."""
    wait = limiter.hit(COPIES, person)
    if wait is not None:
        raise Throttled(wait, "You have taken your data many times. Please wait a while.")


def count_letter(person: str) -> None:
    """Raises Throttled once somebody's mailbox has been written to often enough, whoever asked for it."""
    wait = limiter.hit(LETTERS, person)
    if wait is not None:
        raise TooManyLetters(wait, "We have written to this address several times. Please wait a while.")


def count_unasked_letter(address: str) -> None:
    """The same of letters that somebody has us write to an address in its normal form that is not yet theirs.

    Counted for the mailbox, whichever organization or person has us write, and apart from what its owner asks
    for: nobody uses up another's letters about a forgotten password. What follows a plus is the same mailbox.
    """
    name, _at, domain = address.rpartition("@")
    name = name[:1] + name[1:].partition("+")[0]
    if domain in DOTTED:
        name = name.replace(".", "")
    whose = salted_hmac("accounts.mailbox", f"{name}@{domain}", algorithm="sha256")
    count_letter(f"unasked:{whose.hexdigest()}")


def count_invitation(organization_id: str) -> None:
    """Raises TooManyInvitations once an organization has invited, or written again, often enough in a day."""
    wait = limiter.hit(INVITATIONS, organization_id)
    if wait is not None:
        raise TooManyInvitations(wait, "The organization has sent as many invitations as it can in a day.")


def may_write(person: str, address_: str) -> bool:
    """Count a letter to somebody's mailbox, asked for from a network; False once there were enough.

    Whoever asked is not told, or a stranger could use up what the mailbox's owner is to get.
    """
    used_up = limiter.hit(LETTERS, _from_network(person, address_)) or limiter.hit(LETTERS_TO_ONE, person)
    return used_up is None


def address(meta: Mapping[str, Any]) -> str:
    """Whose requests are counted together: the other side, of IPv6 its /64."""
    return _neighbourhood(peer(meta))


def peer(meta: Mapping[str, Any]) -> str:
    """The address of the other side; the last untrusted hop when the connection is a trusted proxy's."""
    last = str(meta.get("REMOTE_ADDR", ""))
    hops = [hop.strip() for hop in str(meta.get("HTTP_X_FORWARDED_FOR", "")).split(",") if hop.strip()]
    while hops and _is_trusted(last):
        last = hops.pop()
    return last


def _neighbourhood(peer: str) -> str:
    """An IPv6 address stands for its /64: one customer has all of it."""
    try:
        ip = ipaddress.ip_address(peer)
    except ValueError:
        return peer
    return str(ipaddress.ip_network((ip, 64), strict=False)) if ip.version == 6 else peer


def _from_network(person: str, address_: str) -> str:
    """Who is meant and from which network, as one key that says neither."""
    return salted_hmac("iva.throttling", f"{person}:{devices.shorten(address_)}").hexdigest()


def _is_trusted(peer: str) -> bool:
    try:
        ip = ipaddress.ip_address(peer)
    except ValueError:
        return False
    return any(ip in ipaddress.ip_network(network) for network in settings.IVA_TRUSTED_PROXIES)
