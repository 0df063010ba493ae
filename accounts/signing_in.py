"""Signing in: a password first, a second factor where there is one or has to be one.

Nobody learns from text or timing whether an address has a login: an unknown one costs the same hash and the
same statements, and every refusal is the same refusal. Tries are counted by address of the connection, by
person and network, and by person, right or wrong, exactly, also in parallel (ASVS 6.3.8, 6.6.3).
"""

import uuid
from datetime import datetime
from typing import NamedTuple

from django.contrib.auth import hashers
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts import factors, household, letters, links, passkeys, passwords, people, throttling
from accounts.addresses import AddressInvalid
from accounts.models import LetterKind, Membership, Organization, Person, User
from accounts.passkeys import PasskeyRefused, Site
from accounts.roles import SECOND_FACTOR_ALWAYS
from iva.audit import log as audit
from iva.audit.events import Event
from iva.personal_data import Purpose


class SignInRefused(Exception):
    """Address and password do not open a login. Which of the two was wrong is not said."""


class FirstFactor(NamedTuple):
    """The password was right. `needs_code`: a second factor is enrolled and has to be given now.

    `must_enroll`: somebody in this position cannot work without one, and enrolls before anything else.
    `mark`: a digest of the password that was right; another password has another.
    """

    user_id: uuid.UUID
    needs_code: bool
    must_enroll: bool
    mark: str


def check_password(email: str, password: str, from_address: str) -> FirstFactor:
    """The first factor. Raises SignInRefused and Throttled."""
    throttling.count_sign_in(from_address)
    household.found()
    with household.at_home():
        throttling.count_password(people.sought(email), from_address)
        user = _who(email)
    matched = _matches(user, password)
    with household.at_home():
        if user is not None and matched:
            enrolled = factors.is_enrolled(user.pk)
            must_enroll = not enrolled and needs_second_factor(user.pk)
            return FirstFactor(user.pk, enrolled, must_enroll, user.get_session_auth_hash())
        audit.record(Event.SIGN_IN_REFUSED, person=user.pk if user else None, factor="password")
    raise SignInRefused


def still_counts(user_id: uuid.UUID, mark: str) -> bool:
    """Whether the password that was given a moment ago is still the password."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    return user is not None and constant_time_compare(user.get_session_auth_hash(), mark)


def hold(user_id: uuid.UUID, mark: str | None, *, second_factor: bool) -> None:
    """Hold the person until a sign-in has begun: what was proved a moment ago must count still.

    Whoever changes a password or takes factors away holds the same row first, and ends what began before.
    In the transaction that begins the sign-in. Raises SignInRefused.
    """
    person = Person.objects.select_for_update().filter(pk=user_id).first()
    if person is None or (mark is not None and not still_counts(user_id, mark)):
        raise SignInRefused
    if factors.is_enrolled(user_id) != second_factor:
        raise SignInRefused


def give_code(user_id: uuid.UUID, code: str, from_address: str, event: Event = Event.SIGNED_IN) -> datetime:
    """The second factor; when it was given. `event` is what it does: sign in, or prove who it is.

    Raises CodeRefused, NothingEnrolled and Throttled.
    """
    throttling.count_sign_in(from_address)
    throttling.count_code(str(user_id))
    refusal: factors.CodeRefused | None = None
    with household.at_home():
        try:
            kind = factors.prove(user_id, code)
            audit.record(event, actor=household.oneself(user_id), person=user_id, factor=kind)
        except factors.CodeRefused as error:
            audit.record(Event.SIGN_IN_REFUSED, person=user_id, factor="code")
            refusal = error
    if refusal is not None:
        raise refusal
    return timezone.now()


def give_passkey(
    answer: str,
    challenge: bytes,
    site: Site,
    from_address: str,
    user_id: uuid.UUID | None = None,
    event: Event = Event.SIGNED_IN,
) -> uuid.UUID:
    """Both factors at once; whose they were. Raises PasskeyRefused and Throttled.

    With `user_id`, only theirs will do. `event` as with a code.
    """
    throttling.count_sign_in(from_address)
    refusal: PasskeyRefused | None = None
    with household.at_home():
        try:
            known = passkeys.prove(answer, challenge, site, user_id)
            if not User.objects.filter(pk=known, is_active=True).exists():
                raise PasskeyRefused("closed", known)
            actor = household.oneself(known)
            audit.record(event, actor=actor, person=known, factor="passkey")
            return known
        except PasskeyRefused as error:
            refusal = error
            event = Event.PASSKEY_REFUSED if error.passkey_id else Event.SIGN_IN_REFUSED
            ids = {"passkey": error.passkey_id, "reason": error.reason} if error.passkey_id else {}
            audit.record(event, person=error.person_id, factor="passkey", **ids)
    raise refusal


def enter_without_code(user_id: uuid.UUID) -> None:
    """A password, or the link of an invitation, was enough to sign in; the trail says so.

    In the transaction that begins the sign-in.
    """
    audit.record(Event.SIGNED_IN, actor=household.oneself(user_id), person=user_id, factor="password")


def needs_second_factor(user_id: uuid.UUID) -> bool:
    """Owners, admins and operators always, and everybody whom an organization of theirs asks for it."""
    if User.objects.filter(pk=user_id, is_staff=True).exists():
        return True
    active = Membership.objects.filter(user_id=user_id, ended_at=None)
    if active.filter(role__in=[role.value for role in SECOND_FACTOR_ALWAYS]).exists():
        return True
    return Organization.objects.filter(
        pk__in=active.values("organization_id"), demands_second_factor=True
    ).exists()


def change_password(user_id: uuid.UUID, new: str) -> None:
    """Choose another password; the person is told. Raises PasswordRefused."""
    with household.at_home(Purpose.ACCOUNT_MANAGE):
        choose_password(user_id, new)
        letters.write(LetterKind.PASSWORD_CHANGED, user_id)


def choose_password(user_id: uuid.UUID, new: str) -> None:
    """Set a password. Raises PasswordRefused. The caller has seen to it that the person may.

    Links to a new password and secrets that were shown open nothing any more.
    """
    with household.at_home(Purpose.ACCOUNT_MANAGE):
        Person.objects.select_for_update().get(pk=user_id)
        person = people.person(user_id)
        passwords.refuse_weak(new, about=[person.email])
        user = User.objects.get(pk=user_id)
        user.set_password(new)
        user.save(update_fields=["password"])
        links.take_back(LetterKind.RESET_PASSWORD, user_id)
        factors.forget_begun(user_id)
        audit.record(Event.PASSWORD_CHANGED, actor=household.oneself(user_id), person=user_id)


def _who(email: str) -> User | None:
    """Whoever may sign in with this address: it is theirs only once they have confirmed it."""
    try:
        person = people.find(email)
    except AddressInvalid:
        return None
    if person is None or person.verified_at is None:
        return None
    return User.objects.filter(pk=person.pk, is_active=True).first()


def _matches(user: User | None, password: str) -> bool:
    """One Argon2 hash, whoever asks; an outdated one is renewed."""
    if user is None or len(password) > passwords.LONGEST:
        hashers.make_password(password[: passwords.LONGEST])
        return False
    return user.check_password(password)
