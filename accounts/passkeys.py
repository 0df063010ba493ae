"""Passkeys: two factors in one, bound to our site by the browser (WebAuthn Level 3; NIST SP 800-63B 2.4).

The device holds the private key and has verified its owner (fingerprint, face, PIN) before it signs; without
that no answer is taken. The caller keeps the challenge and gives it back once. Everything here runs inside
`household.at_home()`.
"""

import hashlib
import json
import uuid
from typing import Any, NamedTuple

import webauthn
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from webauthn.helpers import bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from accounts import household, one_line
from accounts.models import Passkey, Person
from iva.audit import log as audit
from iva.audit.events import Event

MOST = 20
LONGEST_NAME = 60
LONGEST_ANSWER = 20_000
TRANSPORTS = frozenset(transport.value for transport in AuthenticatorTransport)
UNREADABLE = (WebAuthnException, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError)
"""What the library says to answers that are malformed, forged, or somebody else's; the last one to brackets
within brackets within brackets."""

_VERIFIED = UserVerificationRequirement.REQUIRED


class PasskeyRefused(Exception):
    """The answer opens nothing. `person_id` and `reason` are for the audit trail, not for whoever asks."""

    def __init__(self, reason: str, person_id: uuid.UUID | None = None, passkey_id: Any = None) -> None:
        self.reason, self.person_id, self.passkey_id = reason, person_id, passkey_id
        super().__init__(reason)


class TooManyPasskeys(Exception):
    """Somebody has twenty already."""


class Site(NamedTuple):
    """Who we are to the browser: a name that passkeys are bound to, and the origin they may be used from."""

    id: str
    origin: str


class Asked(NamedTuple):
    """What the browser is given, as JSON, and the challenge in it."""

    options: str
    challenge: bytes


def ask_to_register(person_id: uuid.UUID, site: Site) -> Asked:
    """Begin with a new passkey. Devices that hold one already are left out. Raises TooManyPasskeys."""
    known = of(person_id)
    if len(known) >= MOST:
        raise TooManyPasskeys
    email = Person.objects.get(pk=person_id).email
    options = webauthn.generate_registration_options(
        rp_id=site.id,
        rp_name="IVA",
        user_id=person_id.bytes,
        user_name=email,
        user_display_name=email,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=_VERIFIED
        ),
        exclude_credentials=[_descriptor(passkey) for passkey in known],
    )
    return Asked(webauthn.options_to_json(options), options.challenge)


def register(person_id: uuid.UUID, answer: str, challenge: bytes, site: Site, name: str) -> Passkey:
    """Keep a new passkey. Raises PasskeyRefused."""
    try:
        verified = webauthn.verify_registration_response(
            credential=_read(answer),
            expected_challenge=challenge,
            expected_rp_id=site.id,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except UNREADABLE:
        raise PasskeyRefused("registration", person_id) from None
    passkey = Passkey(  # type: ignore[misc]  # an encrypted field is an attribute the plugin does not know
        person_id=person_id,
        credential_hash=_hash(verified.credential_id),
        credential=bytes_to_base64url(verified.credential_id),
        public_key=bytes_to_base64url(verified.credential_public_key),
        name=one_line.flat(name)[:LONGEST_NAME],
        transports=_transports(answer),
        sign_count=verified.sign_count,
    )
    try:
        with transaction.atomic():
            passkey.save(force_insert=True)
    except IntegrityError:
        raise PasskeyRefused("known", person_id) from None
    actor = household.oneself(person_id)
    audit.record(Event.FACTOR_ENROLLED, actor=actor, person=person_id, factor="passkey", passkey=passkey.pk)
    return passkey


def ask(site: Site, person_id: uuid.UUID | None = None) -> Asked:
    """Ask for a passkey: one of this person's, or whichever the browser offers."""
    allowed = [_descriptor(passkey) for passkey in of(person_id)] if person_id else []
    options = webauthn.generate_authentication_options(
        rp_id=site.id, user_verification=_VERIFIED, allow_credentials=allowed
    )
    return Asked(webauthn.options_to_json(options), options.challenge)


def prove(answer: str, challenge: bytes, site: Site, person_id: uuid.UUID | None = None) -> uuid.UUID:
    """Whose passkey has answered the challenge, once. Raises PasskeyRefused.

    With `person_id`, only theirs will do. A counter that did not grow means that the key was copied, or that
    the answer was given before (WebAuthn 7.2, step 22).
    """
    passkey = _named_in(answer)
    if passkey is None or person_id not in (None, passkey.person_id):
        raise PasskeyRefused("unknown", person_id)
    try:
        given = _read(answer)
        verified = webauthn.verify_authentication_response(
            credential=given,
            expected_challenge=challenge,
            expected_rp_id=site.id,
            expected_origin=site.origin,
            credential_public_key=webauthn.base64url_to_bytes(passkey.public_key),
            credential_current_sign_count=0,  # compared below, in the statement that decides races
            require_user_verification=True,
        )
        handle = given["response"].get("userHandle")
        if handle and webauthn.base64url_to_bytes(handle) != passkey.person_id.bytes:
            raise PasskeyRefused("handle", passkey.person_id, passkey.pk)
    except UNREADABLE:
        raise PasskeyRefused("signature", passkey.person_id, passkey.pk) from None
    _take(passkey, verified.new_sign_count, challenge)
    return passkey.person_id


def of(person_id: uuid.UUID) -> list[Passkey]:
    """The person's passkeys, the oldest first."""
    return list(Passkey.objects.filter(person_id=person_id).order_by("created_at", "id")[:MOST])


def rename(person_id: uuid.UUID, passkey_id: uuid.UUID, name: str) -> None:
    """Raises Passkey.DoesNotExist."""
    passkey = Passkey.objects.get(pk=passkey_id, person_id=person_id)
    passkey.name = one_line.flat(name)[:LONGEST_NAME]
    passkey.save(update_fields=["name"])


def remove(person_id: uuid.UUID, passkey_id: uuid.UUID) -> None:
    """Forget one; the caller has seen to it that this is allowed. Raises Passkey.DoesNotExist."""
    if not Passkey.objects.filter(pk=passkey_id, person_id=person_id).delete()[0]:
        raise Passkey.DoesNotExist
    actor = household.oneself(person_id)
    audit.record(Event.FACTOR_REMOVED, actor=actor, person=person_id, factor="passkey", passkey=passkey_id)


def _take(passkey: Passkey, count: int, challenge: bytes) -> None:
    """Enter the use, unless it is one that was; one statement decides races."""
    grown = Q(sign_count__lt=count) if count else Q(sign_count=0)
    fresh = Q(last_challenge=None) | ~Q(last_challenge=_hash(challenge))
    unused = Passkey.objects.filter(grown & fresh, pk=passkey.pk)
    used = unused.update(sign_count=count, last_challenge=_hash(challenge), last_used_at=timezone.now())
    if used != 1:
        raise PasskeyRefused("counter", passkey.person_id, passkey.pk)


def _named_in(answer: str) -> Passkey | None:
    try:
        credential_id = webauthn.base64url_to_bytes(_read(answer)["rawId"])
    except UNREADABLE:
        return None
    return Passkey.objects.filter(credential_hash=_hash(credential_id)).first()


def _read(answer: str) -> dict[str, Any]:
    """The answer as JSON says it. Raises ValueError."""
    read = json.loads(answer) if len(answer) <= LONGEST_ANSWER else None
    if not isinstance(read, dict) or not isinstance(read.get("response"), dict):
        raise ValueError("not an answer")
    return read


def _transports(answer: str) -> str:
    said = _read(answer)["response"].get("transports")
    known = [each for each in said if each in TRANSPORTS] if isinstance(said, list) else []
    return ",".join(dict.fromkeys(known))


def _descriptor(passkey: Passkey) -> PublicKeyCredentialDescriptor:
    transports = [AuthenticatorTransport(each) for each in passkey.transports.split(",") if each]
    return PublicKeyCredentialDescriptor(
        id=webauthn.base64url_to_bytes(passkey.credential), transports=transports or None
    )


def _hash(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()
