"""Sign-ins: begun after the last factor, looked at with each request, ended by whoever they belong to.

A sign-in ends by itself when nobody has used it for half an hour, and in any case after twelve hours
(ASVS 7.3.1, 7.3.2; NIST SP 800-63B 7.2). What the browser holds is Django's session; this is what it means.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts import devices, factors, household, letters, roles
from accounts.models import LetterKind, Person, SignIn, Theme, User
from iva.audit import log as audit
from iva.audit.actors import Actor
from iva.audit.events import Event
from iva.crypto import blind_index
from iva.live import announcing as live

IDLE = timedelta(minutes=settings.IVA_SESSION_IDLE_MINUTES)
LONGEST = timedelta(hours=settings.IVA_SESSION_HOURS)
NOTICED_EVERY = timedelta(minutes=1)
MOST_ENDED = 10


class SignInEnded(Exception):
    """The sign-in was ended, is too old, or nobody has used it for too long."""


class Visit(NamedTuple):
    """A request of somebody who is signed in.

    `proved_at`: when they last gave a second factor; `password_at`: when the password, if it was asked for.
    """

    sign_in_id: uuid.UUID
    user_id: uuid.UUID
    locale: str
    is_verified: bool
    is_operator: bool
    began_at: datetime
    proved_at: datetime | None
    theme: str = Theme.AUTO
    password_at: datetime | None = None

    @property
    def has_just_proved(self) -> bool:
        return _is_fresh(self.proved_at)

    @property
    def has_just_given_password(self) -> bool:
        return _is_fresh(self.password_at)


def begin(person_id: uuid.UUID, *, browser: str, from_address: str, proved_at: datetime | None) -> SignIn:
    """A new sign-in, every factor given. `proved_at`: when the second one was, None where there is none.

    Without a second factor it is the password that has just opened it.

    From a device and network they have not come from before, the person is told by e-mail.
    """
    device, network = devices.describe(browser), devices.shorten(from_address)
    with household.at_home():
        token = blind_index.token("sign_in.device", f"{person_id} {device} {network}")
        before = SignIn.objects.filter(person_id=person_id)
        is_new = before.exists() and not before.filter(device_bidx=token).exists()
        sign_in = SignIn.objects.create(
            person_id=person_id,
            device=device,
            ip_address=network,
            device_bidx=token,
            proved_at=proved_at,
            password_at=None if proved_at else timezone.now(),
        )
        if is_new:
            letters.write(LetterKind.NEW_DEVICE, person_id, sign_in.pk)
        return sign_in


def see(sign_in_id: uuid.UUID, *, is_active: bool = True) -> Visit:
    """Whose request this is. Raises SignInEnded.

    `is_active` is False for what a page does by itself, polling: it does not keep a sign-in alive.
    """
    with household.at_home():
        sign_in = _living().filter(pk=sign_in_id).first()
        if sign_in is None:
            raise SignInEnded
        user = User.objects.filter(pk=sign_in.person_id, is_active=True).only("is_staff").first()
        person = Person.objects.filter(pk=sign_in.person_id).first()
        if user is None or person is None:
            raise SignInEnded
        if is_active and timezone.now() - sign_in.last_seen_at > NOTICED_EVERY:
            SignIn.objects.filter(pk=sign_in.pk).update(last_seen_at=timezone.now())
        return Visit(
            sign_in.pk,
            person.pk,
            person.locale,
            person.verified_at is not None,
            user.is_staff,
            sign_in.began_at,
            sign_in.proved_at,
            person.theme,
            sign_in.password_at,
        )


def living(sign_in_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, datetime | None]:
    """Which of these sign-ins still live, and when a second factor was last given in them.

    Asking does not keep one alive.
    """
    with household.at_home():
        return dict(_living().filter(pk__in=list(sign_in_ids)).values_list("pk", "proved_at"))


def prove(sign_in_id: uuid.UUID) -> None:
    """A second factor has just been given in this sign-in."""
    with household.at_home():
        SignIn.objects.filter(pk=sign_in_id, ended_at=None).update(proved_at=timezone.now())


def give_password(sign_in_id: uuid.UUID) -> None:
    """The password has just been given again in this sign-in."""
    with household.at_home():
        SignIn.objects.filter(pk=sign_in_id, ended_at=None).update(password_at=timezone.now())


def of(person_id: uuid.UUID) -> list[SignIn]:
    """The person's living sign-ins, the last used first; inside the household, to be read there."""
    return list(_living().filter(person_id=person_id).order_by("-last_seen_at", "-id"))


def ended(person_id: uuid.UUID) -> list[SignIn]:
    """The last ones that ended or ran out, the latest first; inside the household, to be read there."""
    gone = SignIn.objects.filter(person_id=person_id).exclude(pk__in=_living().values("pk"))
    return list(gone.order_by("-last_seen_at", "-id")[:MOST_ENDED])


def end(person_id: uuid.UUID, sign_in_id: uuid.UUID) -> bool:
    """End one sign-in of this person's; another's stays as it is. Whether there was one to end."""
    with household.at_home():
        return _end(SignIn.objects.filter(pk=sign_in_id, person_id=person_id), person_id)


def end_all(person_id: uuid.UUID, *, but: uuid.UUID | None = None, actor: Actor | None = None) -> bool:
    """End all sign-ins of a person, but perhaps the one they are just using. Whether there was one to end.

    `actor` is who does it, if not they themselves.
    """
    with household.at_home():
        return _end(SignIn.objects.filter(person_id=person_id).exclude(pk=but), person_id, actor)


def _living() -> QuerySet[SignIn]:
    now = timezone.now()
    lasting = Q(ended_at=None, began_at__gt=now - LONGEST, last_seen_at__gt=now - IDLE)
    return SignIn.objects.filter(lasting)


def _is_fresh(given_at: datetime | None) -> bool:
    return given_at is not None and timezone.now() - given_at <= roles.FRESH


def _end(sign_ins: QuerySet[SignIn], person_id: uuid.UUID, actor: Actor | None = None) -> bool:
    """A secret that one of them was shown opens nothing with it."""
    factors.forget_begun(person_id, sign_ins.values("pk"))
    ended = sign_ins.filter(ended_at=None).update(ended_at=timezone.now())
    if ended:
        actor = actor or household.oneself(person_id)
        audit.record(Event.SIGN_IN_ENDED, actor=actor, person=person_id, count=ended)
        transaction.on_commit(lambda: live.access_changed(person_id))
    return bool(ended)
