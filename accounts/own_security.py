"""Changing one's own ways to sign in: what is asked for first, and what may never be left.

Who has a second factor gives it before they change any; who has none gives the password before the first, so
that a session somebody has stolen does not become theirs for good. Who has to have a factor keeps at least
one. The first one ends every other sign-in, for those were begun without. Each change is told by e-mail.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from django.contrib.auth import hashers

from accounts import (
    factors,
    household,
    letters,
    passkeys,
    passwords,
    people,
    sign_ins,
    signing_in,
    throttling,
)
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


class Begun(NamedTuple):
    """An authenticator app that has still to be scanned: its secret, and what the QR code says."""

    secret: str
    address: str


def held(user_id: uuid.UUID) -> Held:
    """What somebody has; inside `household.at_home()`."""
    return Held(
        factors.has_app(user_id),
        passkeys.of(user_id),
        factors.recovery_codes_left(user_id),
        signing_in.needs_second_factor(user_id),
    )


def require_fresh(visit: Visit) -> None:
    """Raises StepUpNeeded unless a factor, or where there is none the password, was given just now."""
    with household.at_home():
        _require_fresh(visit)


def is_fresh_without_factor(visit: Visit) -> bool:
    """Whether somebody without a factor may enroll their first: the password was given five minutes ago."""
    return visit.has_just_proved or visit.has_just_given_password


def give_password(visit: Visit, given: str) -> None:
    """The password again, before the first factor. Raises PasswordWrong and Throttled."""
    _check_password(visit.user_id, given)
    sign_ins.give_password(visit.sign_in_id)


def stands_for_password(visit: Visit) -> bool:
    """Whether a fresh factor is as good as the old password: only one that is older than the sign-in.

    Whoever has stolen a session could enroll a factor of their own in it.
    """
    if not visit.has_just_proved:
        return False
    with household.at_home():
        return factors.is_older_than(visit.user_id, visit.began_at)


def change_password(visit: Visit, old: str | None, new: str) -> None:
    """A new password; every other sign-in ends. The old one is asked for, or a factor stands for it.

    Raises PasswordWrong, PasswordRefused and Throttled.
    """
    if not stands_for_password(visit):
        _check_password(visit.user_id, old or "")
    with _alone(visit):
        signing_in.change_password(visit.user_id, new)
        sign_ins.end_all(visit.user_id, but=visit.sign_in_id)


def begin_app(visit: Visit) -> Begun:
    """The secret to scan; until it is confirmed the same, so that a wrong code does not cost a second scan.

    Raises StepUpNeeded.
    """
    with _changing(visit):
        user_id, here = visit.user_id, visit.sign_in_id
        begun = factors.begun(user_id, here) or factors.enroll(user_id, here)
        return Begun(begun.secret, factors.address_of(begun, people.person(user_id).email))


def confirm_app(visit: Visit, code: str, from_address: str) -> list[str]:
    """The app that was begun in this sign-in counts from now on; the recovery codes.

    What was asked for before it was begun is not asked for again. Raises CodeRefused, NothingEnrolled and
    Throttled.
    """
    throttling.count_sign_in(from_address)
    throttling.count_sign_in(f"code:{visit.user_id}")
    with _alone(visit):
        is_first = not factors.is_enrolled(visit.user_id)
        codes = factors.confirm(visit.user_id, code, visit.sign_in_id)
        _tell_of(visit, is_first=is_first)
        return codes


def add_passkey(visit: Visit, answer: str, challenge: bytes, site: Site, name: str) -> list[str]:
    """Keep a new passkey; recovery codes with the first factor. Raises StepUpNeeded and PasskeyRefused."""
    with _changing(visit):
        is_first = not factors.is_enrolled(visit.user_id)
        passkeys.register(visit.user_id, answer, challenge, site, name)
        _tell_of(visit, is_first=is_first)
        return factors.renew_recovery_codes(visit.user_id) if is_first else []


def remove_passkey(visit: Visit, passkey_id: uuid.UUID) -> None:
    """Raises StepUpNeeded, LastFactor and Passkey.DoesNotExist."""
    with _changing(visit):
        passkeys.remove(visit.user_id, passkey_id)
        _refuse_to_lose_the_last(visit.user_id)


def remove_app(visit: Visit) -> None:
    """Forget the authenticator app. Raises StepUpNeeded, NothingEnrolled and LastFactor."""
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
def _alone(visit: Visit) -> Iterator[Visit]:
    """One change of somebody's ways in at a time: two cannot remove the last two. The visit as it is by then.

    Whoever waited here may have been signed out meanwhile. Raises SignInEnded.
    """
    with household.at_home():
        Person.objects.select_for_update().filter(pk=visit.user_id).first()
        yield sign_ins.see(visit.sign_in_id, is_active=False)


@contextmanager
def _changing(visit: Visit) -> Iterator[None]:
    with _alone(visit) as now:
        _require_fresh(now)
        yield


def _require_fresh(visit: Visit) -> None:
    if visit.has_just_proved:
        return
    if factors.is_enrolled(visit.user_id) or not is_fresh_without_factor(visit):
        raise StepUpNeeded(None)


def _check_password(user_id: uuid.UUID, given: str) -> None:
    """Raises PasswordWrong and Throttled."""
    throttling.count_sign_in(f"password:{user_id}")
    kept = User.objects.values_list("password", flat=True).get(pk=user_id)
    if not hashers.check_password(given[: passwords.LONGEST], kept):
        raise PasswordWrong


def _tell_of(visit: Visit, *, is_first: bool) -> None:
    """Sign-ins from before the first factor were begun without one, perhaps by somebody else."""
    letters.write(LetterKind.FACTOR_ADDED, visit.user_id)
    if is_first:
        sign_ins.end_all(visit.user_id, but=visit.sign_in_id)


def _refuse_to_lose_the_last(user_id: uuid.UUID) -> None:
    """Without any factor recovery codes recover nothing."""
    if not factors.is_enrolled(user_id):
        if signing_in.needs_second_factor(user_id):
            raise LastFactor
        factors.forget_recovery_codes(user_id)
    letters.write(LetterKind.FACTOR_REMOVED, user_id)
