"""Changing one's own ways to sign in: what is asked for first, and what may never be left.

Who has a second factor gives it before they change any; who has to have one keeps at least one. Each change
is told to the person by e-mail.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from django.contrib.auth import hashers

from accounts import factors, household, letters, passkeys, sign_ins, signing_in, throttling
from accounts.models import LetterKind, Passkey, Person, User
from accounts.passkeys import Site
from accounts.roles import StepUpNeeded
from accounts.sign_ins import Visit


class LastFactor(Exception):
    """The role, or an organization, demands a second factor, and this is the last."""


class PasswordWrong(Exception):
    """This is not the present password."""


class Held(NamedTuple):
    """A person's ways to sign in."""

    has_app: bool
    passkeys: list[Passkey]
    recovery_codes: int
    is_demanded: bool

    @property
    def is_enrolled(self) -> bool:
        return self.has_app or bool(self.passkeys)


def held(user_id: uuid.UUID) -> Held:
    """What somebody has; inside `household.at_home()`."""
    return Held(
        factors.has_app(user_id),
        passkeys.of(user_id),
        factors.recovery_codes_left(user_id),
        signing_in.needs_second_factor(user_id),
    )


def require_fresh(visit: Visit) -> None:
    """Raises StepUpNeeded where a factor is enrolled and was not given within the last five minutes."""
    with household.at_home():
        if factors.is_enrolled(visit.user_id) and not visit.has_just_proved:
            raise StepUpNeeded(None)


def change_password(visit: Visit, old: str | None, new: str) -> None:
    """A new password; every other sign-in ends. The old one is asked for unless a factor is fresh.

    Raises PasswordWrong, PasswordRefused and Throttled.
    """
    if not visit.has_just_proved:
        throttling.count_sign_in(f"password:{visit.user_id}")
        kept = User.objects.values_list("password", flat=True).get(pk=visit.user_id)
        if not hashers.check_password((old or "")[:128], kept):
            raise PasswordWrong
    with household.at_home():
        signing_in.change_password(visit.user_id, new)
        sign_ins.end_all(visit.user_id, but=visit.sign_in_id)


def add_passkey(visit: Visit, answer: str, challenge: bytes, site: Site, name: str) -> list[str]:
    """Keep a new passkey; recovery codes with the first factor. Raises StepUpNeeded and PasskeyRefused."""
    with _changing(visit):
        is_first = not factors.is_enrolled(visit.user_id)
        passkeys.register(visit.user_id, answer, challenge, site, name)
        letters.write(LetterKind.FACTOR_ADDED, visit.user_id)
        return factors.renew_recovery_codes(visit.user_id) if is_first else []


def remove_passkey(visit: Visit, passkey_id: uuid.UUID) -> None:
    """Raises StepUpNeeded, LastFactor and Passkey.DoesNotExist."""
    with _changing(visit):
        passkeys.remove(visit.user_id, passkey_id)
        _refuse_to_lose_the_last(visit.user_id)


def remove_app(visit: Visit) -> None:
    """Forget the authenticator app. Raises StepUpNeeded and LastFactor."""
    with _changing(visit):
        factors.remove_app(visit.user_id)
        _refuse_to_lose_the_last(visit.user_id)


def renew_recovery_codes(visit: Visit) -> list[str]:
    """Ten new codes. Raises StepUpNeeded, and NothingEnrolled where there is nothing to recover."""
    with _changing(visit):
        if not factors.is_enrolled(visit.user_id):
            raise factors.NothingEnrolled
        letters.write(LetterKind.RECOVERY_CODES_MADE, visit.user_id)
        return factors.renew_recovery_codes(visit.user_id)


@contextmanager
def _changing(visit: Visit) -> Iterator[None]:
    """One change of somebody's factors at a time, after a fresh factor: two cannot remove the last two."""
    with household.at_home():
        Person.objects.select_for_update().get(pk=visit.user_id)
        if factors.is_enrolled(visit.user_id) and not visit.has_just_proved:
            raise StepUpNeeded(None)
        yield


def _refuse_to_lose_the_last(user_id: uuid.UUID) -> None:
    """Without any factor recovery codes recover nothing."""
    if not factors.is_enrolled(user_id):
        if signing_in.needs_second_factor(user_id):
            raise LastFactor
        factors.forget_recovery_codes(user_id)
    letters.write(LetterKind.FACTOR_REMOVED, user_id)
