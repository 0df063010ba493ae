"""Signing in with another e-mail address: asked for, verified there, told to the former one (P84).

Nothing changes before the link that went to the new address is followed, once, within a day, by the same
person, signed in: a letter to a mistyped address gives nobody a login. Whether the new address has a login
already is not said; whoever owns it gets a letter instead of a link.

Letters go out from here by whatever worker looks next (`send_letters`). A letter is marked just before its
text leaves, together with the hash of its link's secret, so that none goes out twice.
"""

import hmac
import uuid
from datetime import timedelta

import structlog
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils import timezone

from accounts import address_letters, household, links, mailing, people, profile, sign_ins, throttling, tokens
from accounts.addresses import normal_email
from accounts.models import AddressChange, LetterKind, Person, User
from accounts.tokens import Token
from iva.audit import log as audit
from iva.audit.events import Event
from iva.crypto import blind_index
from iva.personal_data import Purpose

PREFIX = "ivc_"
GOOD_FOR = timedelta(days=1)
MOST_LETTERS = 50

logger = structlog.get_logger("accounts.changing_address")


class LinkInvalid(Exception):
    """The link opens nothing: unknown, somebody else's, used, withdrawn, too old, or the address is taken."""


class PasswordWrong(Exception):
    """The password does not belong to this person."""


class SameAddress(ValueError):
    """It is their address already."""


class AlreadyHandedOver(Exception):
    """Another worker has sent this letter."""


def ask(person_id: uuid.UUID, email: str, password: str) -> AddressChange:
    """Ask for another address; an earlier request that is still open is withdrawn.

    Raises AddressInvalid, PasswordWrong, SameAddress, MailNotConfigured and Throttled; TooManyLetters for who
    asks, whatever the addresses, and for the address, whoever asks.
    """
    address = normal_email(email)
    throttling.count_sign_in(f"password:{person_id}")
    if not User.objects.get(pk=person_id).check_password(password):
        raise PasswordWrong
    if not mailing.is_configured():
        raise mailing.MailNotConfigured("IVA_EMAIL_URL is not set")
    with household.at_home(Purpose.ACCOUNT_MANAGE):
        person = Person.objects.select_for_update().get(pk=person_id)
        if person.email == address:
            raise SameAddress
        throttling.count_letter(f"address:{person_id}")
        throttling.count_unasked_letter(address)
        _open_of(person_id).update(withdrawn_at=timezone.now())
        change: AddressChange = AddressChange.objects.create(
            person_id=person_id,
            email=address,
            former_email=person.email,
            expires_at=timezone.now() + GOOD_FOR,
        )
        audit.record(Event.ADDRESS_CHANGE_ASKED, actor=household.oneself(person_id), person=person_id)
        return change


def pending(person_id: uuid.UUID) -> AddressChange | None:
    """The change that waits for its link to be followed; inside the household, for `account.manage`."""
    return _open_of(person_id).filter(expires_at__gt=timezone.now()).first()


def withdraw(person_id: uuid.UUID) -> bool:
    """Take the open request back; its link opens nothing from now on. Whether there was one."""
    with household.at_home(Purpose.ACCOUNT_MANAGE):
        withdrawn = bool(_open_of(person_id).update(withdrawn_at=timezone.now()))
        if withdrawn:
            audit.record(Event.ADDRESS_CHANGE_WITHDRAWN, actor=household.oneself(person_id), person=person_id)
        return withdrawn


def look_at(person_id: uuid.UUID, token: str) -> str:
    """The address the link would make theirs. Raises LinkInvalid."""
    with household.at_home(Purpose.ACCOUNT_MANAGE):
        return _meant(person_id, token).email


def confirm(person_id: uuid.UUID, token: str, *, using: uuid.UUID) -> str:
    """Follow the link: from now on they sign in with the new address. Returns it. Raises LinkInvalid.

    Address and blind index change in one transaction, once, whoever else follows the link in the same
    moment. Every other sign-in than the one they are `using` ends (ASVS 7.4.3), and a link to a new password
    that lies in the former mailbox opens nothing any more.
    """
    with household.at_home(Purpose.ACCOUNT_MANAGE):
        change = _meant(person_id, token)
        unused = AddressChange.objects.filter(pk=change.pk, confirmed_at=None, withdrawn_at=None)
        if not unused.update(confirmed_at=timezone.now()):
            raise LinkInvalid
        address = change.email
        _sign_in_with(person_id, address)
        links.take_back(LetterKind.RESET_PASSWORD, person_id)
        sign_ins.end_all(person_id, but=using)
        audit.record(Event.ADDRESS_CHANGED, actor=household.oneself(person_id), person=person_id)
    _follow(person_id, change.pk, address)
    return address


def send_letters() -> int:
    """Send what is due and finish what was confirmed but not carried everywhere. How many letters went out.

    May run as often and in as many workers as one likes. Raises MailNotConfigured.
    """
    sent = 0
    for change in _unfinished():
        if change.confirmed_at and not change.followed_at:
            _follow(change.person_id, change.pk, change.email)
        for kind in _due(change):
            sent += _send(change, kind)
    return sent


def _open_of(person_id: uuid.UUID) -> "models.QuerySet[AddressChange]":
    return AddressChange.objects.filter(person_id=person_id, confirmed_at=None, withdrawn_at=None)


def _meant(person_id: uuid.UUID, token: str) -> AddressChange:
    try:
        _, change_id, secret = tokens.unpack(PREFIX, token)
    except tokens.NotAToken:
        raise LinkInvalid from None
    change = pending(person_id)
    stored = bytes(change.secret_hash) if change and change.secret_hash else bytes(32)
    if not hmac.compare_digest(stored, tokens.kept(secret)) or change is None or change.pk != change_id:
        raise LinkInvalid
    return change


def _sign_in_with(person_id: uuid.UUID, address: str) -> None:
    person = Person.objects.select_for_update().get(pk=person_id)
    person.email, person.email_bidx = address, _index(address)
    person.verified_at = timezone.now()
    try:
        with transaction.atomic():
            person.save(update_fields=["email", "email_bidx", "verified_at"])
    except IntegrityError:
        raise LinkInvalid from None


def _follow(person_id: uuid.UUID, change_id: uuid.UUID, address: str) -> None:
    """The organizations' copies, one transaction each; `send_letters` finishes what a crash left."""
    profile.follow_address(person_id, address)
    with household.at_home(Purpose.ACCOUNT_MANAGE):
        AddressChange.objects.filter(pk=change_id).update(followed_at=timezone.now())


def _unfinished() -> list[AddressChange]:
    """Changes with a letter or an organization to go; their addresses are opened here."""
    waiting = Q(confirmed_at=None, withdrawn_at=None, refused_at=None, expires_at__gt=timezone.now())
    waiting &= Q(link_sent_at=None) | Q(warned_at=None)
    done = Q(confirmed_at__isnull=False) & (Q(told_at=None) | Q(followed_at=None))
    with household.at_home(Purpose.ACCOUNT_MANAGE):
        found = list(AddressChange.objects.filter(waiting | done).order_by("id")[:MOST_LETTERS])
        for change in found:
            _ = change.email, change.former_email
        return found


def _due(change: AddressChange) -> list[str]:
    """The moments that are still to be entered, each with a letter of its own."""
    if change.confirmed_at:
        return [] if change.told_at or change.former_email is None else ["told_at"]
    return [moment for moment in ("link_sent_at", "warned_at") if getattr(change, moment) is None]


def _send(change: AddressChange, moment: str) -> bool:
    secret = tokens.new_secret() if moment == "link_sent_at" and not _is_taken(change) else None
    token = tokens.pack(PREFIX, Token(change.organization_id, change.pk, secret)) if secret else None
    locale = _locale(change.person_id)

    def hand_over() -> None:
        _mark(change, moment, secret)

    try:
        mailing.send(address_letters.letter(change, moment, locale, token), hand_over)
    except AlreadyHandedOver:
        return False
    except mailing.Refused:
        _refuse(change, moment)
        return False
    except mailing.NotHandedOver:
        return False
    except mailing.FateUnknown:
        logger.warning("fate of a letter unknown", reason=moment)
        return False
    return True


def _mark(change: AddressChange, moment: str, secret: bytes | None) -> None:
    """Raises AlreadyHandedOver."""
    entered: dict[str, object] = {moment: timezone.now()}
    if secret is not None:
        entered["secret_hash"] = tokens.kept(secret)
    if moment == "told_at":
        entered["former_email"] = None
    with household.at_home(Purpose.ACCOUNT_MANAGE):
        if not AddressChange.objects.filter(pk=change.pk, **{moment: None}).update(**entered):
            raise AlreadyHandedOver


def _refuse(change: AddressChange, moment: str) -> None:
    """The server will never take it: the new address is no good, or the former one is gone."""
    with household.at_home(Purpose.ACCOUNT_MANAGE):
        now = timezone.now()
        if moment == "link_sent_at":
            AddressChange.objects.filter(pk=change.pk).update(refused_at=now, secret_hash=None)
        else:
            done = {moment: now, "told_at": now}
            AddressChange.objects.filter(pk=change.pk).update(**done, former_email=None)


def _is_taken(change: AddressChange) -> bool:
    with household.at_home():
        return Person.objects.filter(email_bidx=_index(change.email)).exists()


def _locale(person_id: uuid.UUID) -> str:
    with household.at_home():
        return people.person(person_id).locale


def _index(address: str) -> bytes:
    return blind_index.token("person.email", address)
