"""Second factors: an authenticator app, and recovery codes for when it or a passkey is lost.

A code is accepted once, whoever else tries it in the same moment and also thirty-one seconds later, while it
would still be within the tolerance (ASVS 6.5.1). Everything here runs inside `household.at_home()`.
"""

import base64
import hashlib
import secrets
import time
import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from django.db.models import QuerySet
from django.utils import timezone
from django_otp.oath import hotp

from accounts import household
from accounts.models import Authenticator, Passkey, RecoveryCode
from iva.audit import log as audit
from iva.audit.events import Event

STEP_SECONDS = 30
DIGITS = 6
TOLERANCE = 1
"""Steps before and after the present one whose codes are accepted too: clocks differ."""

SECRET_BYTES = 20
PATIENCE = timedelta(minutes=10)
"""How long a secret that was shown waits for its first code."""

CODES = 10
CODE_BYTES = 15
ISSUER = "IVA"


class CodeRefused(Exception):
    """The code is not one that opens anything: wrong, used before, or out of time."""


class NothingEnrolled(Exception):
    """The person has no second factor."""


def enroll(person_id: uuid.UUID, sign_in_id: uuid.UUID | None = None) -> Authenticator:
    """Begin with an authenticator app; it counts after `confirm`, in the same sign-in, within ten minutes.

    What was begun before is forgotten.
    """
    forget_begun(person_id)
    return Authenticator.objects.create(
        person_id=person_id, begun_in=sign_in_id, secret=_base32(secrets.token_bytes(SECRET_BYTES))
    )


def begun(person_id: uuid.UUID, sign_in_id: uuid.UUID | None = None) -> Authenticator | None:
    """The app whose first code is still awaited. Another sign-in never sees its secret, nor confirms it."""
    since = timezone.now() - PATIENCE
    return _unconfirmed(person_id).filter(begun_in=sign_in_id, enrolled_at__gt=since).first()


def forget_begun(person_id: uuid.UUID, sign_in_ids: Any = None) -> None:
    """Whatever waits for its first code; with `sign_in_ids` only what was begun in one of these."""
    waiting = _unconfirmed(person_id)
    (waiting if sign_in_ids is None else waiting.filter(begun_in__in=sign_in_ids)).delete()


def address_of(authenticator: Authenticator, label: str) -> str:
    """What the QR code says: an otpauth URI (Key Uri Format)."""
    name = quote(f"{ISSUER}:{label}")
    return f"otpauth://totp/{name}?secret={authenticator.secret}&issuer={ISSUER}&digits={DIGITS}"


def shown_by(secret: str, step: int) -> str:
    """The six digits an app with this secret shows in a time step, counted since 1970 (RFC 6238)."""
    return f"{hotp(base64.b32decode(secret), step, DIGITS):0{DIGITS}}"


def confirm(person_id: uuid.UUID, code: str, sign_in_id: uuid.UUID | None = None) -> list[str]:
    """The app shows the right codes: from now on it is needed. Returns ten recovery codes, shown this once.

    Replaces an earlier app and earlier recovery codes. Raises CodeRefused and NothingEnrolled.
    """
    new = begun(person_id, sign_in_id)
    if new is None:
        raise NothingEnrolled
    _use(new, code)
    Authenticator.objects.filter(person_id=person_id).exclude(pk=new.pk).delete()
    Authenticator.objects.filter(pk=new.pk).update(confirmed_at=timezone.now())
    audit.record(Event.FACTOR_ENROLLED, actor=household.oneself(person_id), person=person_id, factor="totp")
    return renew_recovery_codes(person_id)


def is_enrolled(person_id: uuid.UUID) -> bool:
    """Whether the person has a second factor, so that a password alone is not enough."""
    return has_app(person_id) or Passkey.objects.filter(person_id=person_id).exists()


def has_app(person_id: uuid.UUID) -> bool:
    """Whether an authenticator app counts."""
    return _confirmed(person_id).exists()


def is_older_than(person_id: uuid.UUID, moment: datetime) -> bool:
    """Whether the person had a second factor already at this moment, and has it still."""
    apps = Authenticator.objects.filter(person_id=person_id, confirmed_at__lt=moment)
    return apps.exists() or Passkey.objects.filter(person_id=person_id, created_at__lt=moment).exists()


def enrolled_among(person_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Which of these people have a second factor, with one query."""
    apps = Authenticator.objects.filter(person_id__in=person_ids).exclude(confirmed_at=None)
    passkeys = Passkey.objects.filter(person_id__in=person_ids)
    return set(apps.values_list("person_id", flat=True).union(passkeys.values_list("person_id", flat=True)))


def prove(person_id: uuid.UUID, code: str) -> str:
    """Accept a code of the app or a recovery code, once; says which it was, `totp` or `recovery`.

    Raises CodeRefused and NothingEnrolled.
    """
    if not is_enrolled(person_id):
        raise NothingEnrolled
    found = _confirmed(person_id).first()
    given = code.replace(" ", "").replace("-", "")
    if found is not None and given.isascii() and given.isdigit() and len(given) == DIGITS:
        _use(found, given)
        return "totp"
    _use_recovery_code(person_id, given)
    return "recovery"


def renew_recovery_codes(person_id: uuid.UUID) -> list[str]:
    """Ten new codes, shown this once; the old ones open nothing any more."""
    codes = [_base32(secrets.token_bytes(CODE_BYTES)).lower() for _ in range(CODES)]
    RecoveryCode.objects.filter(person_id=person_id).delete()
    RecoveryCode.objects.bulk_create(
        RecoveryCode(person_id=person_id, code_hash=_hash(code)) for code in codes
    )
    audit.record(Event.RECOVERY_CODES_MADE, actor=household.oneself(person_id), person=person_id)
    return ["-".join(code[at : at + 6] for at in range(0, len(code), 6)) for code in codes]


def recovery_codes_left(person_id: uuid.UUID) -> int:
    """How many have not been used."""
    return RecoveryCode.objects.filter(person_id=person_id, used_at=None).count()


def remove(person_id: uuid.UUID) -> int:
    """Forget app, passkeys and recovery codes, and say how many counted. The caller writes it down."""
    apps = _confirmed(person_id)
    passkeys = Passkey.objects.filter(person_id=person_id)
    removed = apps.delete()[0] + passkeys.delete()[0]
    forget_begun(person_id)
    forget_recovery_codes(person_id)
    return int(removed)


def remove_app(person_id: uuid.UUID) -> None:
    """Forget the authenticator app, which the caller has seen to is allowed. Raises NothingEnrolled."""
    if not Authenticator.objects.filter(person_id=person_id).delete()[0]:
        raise NothingEnrolled
    audit.record(Event.FACTOR_REMOVED, actor=household.oneself(person_id), person=person_id, factor="totp")


def forget_recovery_codes(person_id: uuid.UUID) -> None:
    """There is nothing left to recover."""
    RecoveryCode.objects.filter(person_id=person_id).delete()


def _confirmed(person_id: uuid.UUID) -> QuerySet[Authenticator]:
    return Authenticator.objects.filter(person_id=person_id, confirmed_at__isnull=False)


def _unconfirmed(person_id: uuid.UUID) -> QuerySet[Authenticator]:
    return Authenticator.objects.filter(person_id=person_id, confirmed_at=None)


def _use(authenticator: Authenticator, code: str) -> None:
    """Take the step of this code, unless it or a later one has been taken; one statement decides races."""
    now = int(time.time()) // STEP_SECONDS
    for step in range(now - TOLERANCE, now + TOLERANCE + 1):
        shown = shown_by(authenticator.secret, step)
        if secrets.compare_digest(shown.encode(), code.encode("utf-8", "replace")):
            unused = Authenticator.objects.filter(pk=authenticator.pk, last_step__lt=step)
            if unused.update(last_step=step) == 1:
                return
    raise CodeRefused


def _use_recovery_code(person_id: uuid.UUID, given: str) -> None:
    unused = RecoveryCode.objects.filter(person_id=person_id, used_at=None, code_hash=_hash(given.lower()))
    if unused.update(used_at=timezone.now()) != 1:
        raise CodeRefused
    audit.record(Event.RECOVERY_CODE_USED, actor=household.oneself(person_id), person=person_id)


def _hash(code: str) -> bytes:
    """Plain SHA-256: 120 random bits need no stretching (ASVS 6.5.2)."""
    return hashlib.sha256(code.encode("utf-8", "replace")).digest()


def _base32(content: bytes) -> str:
    return base64.b32encode(content).decode().rstrip("=")
