"""A key is replaced without anything standing still: both open doors until the old one ends."""

import uuid
from datetime import timedelta

import psycopg
import pytest
from django.utils import timezone

from accounts import api_keys
from accounts.api_keys import AlreadyIssued, AlreadyRotated, NoSuchKey
from accounts.models import ApiKey
from accounts.scopes import EVERY_SCOPE, Scope
from iva.audit.actors import SYSTEM
from iva.audit.models import AuditEvent
from tests.cast import Party
from tests.faults.together import together

HOUR = timedelta(hours=1)


def rotate(party: Party, overlap: timedelta = HOUR) -> tuple[ApiKey, str]:
    with party.tenant():
        return api_keys.rotate(party.key.pk, overlap, actor=SYSTEM)


def opens(party: Party, token: str) -> bool:
    api_keys._recognized.clear()
    return party.call("GET", "channels/", token=token).status == 200


def test_both_keys_work_during_the_overlap(acme: Party) -> None:
    new, token = rotate(acme)
    assert opens(acme, token)
    assert opens(acme, acme.token)
    assert (new.name, set(new.scopes)) == ("everything", set(EVERY_SCOPE))
    with acme.tenant():
        old = ApiKey.objects.get(pk=acme.key.pk)
        assert old.expires_at is not None
        assert timezone.now() < old.expires_at <= timezone.now() + HOUR
        assert old.replaced_by_id == new.pk
        assert AuditEvent.objects.filter(event="api_key.rotated").count() == 1


def test_afterwards_the_old_one_opens_nothing(acme: Party) -> None:
    _, token = rotate(acme, timedelta(0))
    assert opens(acme, token)
    assert not opens(acme, acme.token)


def test_a_key_that_would_expire_sooner_is_not_prolonged(acme: Party) -> None:
    soon = timezone.now() + timedelta(minutes=5)
    with acme.tenant():
        key, _ = api_keys.issue("short", [Scope.CHANNELS_READ], actor=SYSTEM, expires_at=soon)
        new, _ = api_keys.rotate(key.pk, timedelta(days=7), actor=SYSTEM)
        assert ApiKey.objects.get(pk=key.pk).expires_at == soon
    assert new.expires_at is not None
    assert new.expires_at - new.issued_at <= timedelta(minutes=5, seconds=1)


def test_an_ended_key_is_not_rotated(acme: Party) -> None:
    with acme.tenant():
        api_keys.revoke(acme.key, actor=SYSTEM)
    with pytest.raises(NoSuchKey):
        rotate(acme)


def test_who_cannot_reseal_cannot_prolong_the_overlap(acme: Party, superuser: psycopg.Connection) -> None:
    rotate(acme)
    superuser.execute(
        "UPDATE accounts_apikey SET expires_at = now() + interval '1 year' WHERE id = %s", [acme.key.pk]
    )
    assert not opens(acme, acme.token)


def test_revoking_after_a_rotation_leaves_a_whole_seal(acme: Party) -> None:
    """The key in hand does not know yet that its expiry has changed."""
    rotate(acme)
    with acme.tenant():
        api_keys.revoke(acme.key, actor=SYSTEM)
        kept = ApiKey.objects.get(pk=acme.key.pk)
        assert bytes(kept.seal) == api_keys._seal(kept)
    assert not opens(acme, acme.token)


def test_of_eight_rotations_at_once_one_makes_a_key(acme: Party) -> None:
    def try_it() -> bool:
        try:
            rotate(acme)
        except AlreadyRotated:
            return False
        return True

    assert together([try_it] * 8).count(True) == 1
    with acme.tenant():
        assert ApiKey.objects.count() == 2


def test_a_key_that_is_being_used_is_rotated_without_a_single_refusal(acme: Party) -> None:
    def post() -> bool:
        return all(acme.says("Сайн уу").status == 201 for _ in range(5))

    assert together([post, post, post, lambda: bool(rotate(acme))]) == [True] * 4
    assert acme.says("Дараа нь").status == 201


def test_the_same_form_twice_makes_one_key(acme: Party) -> None:
    wanted = uuid.uuid4()
    with acme.tenant():
        api_keys.issue("once", [Scope.AUDIT_READ], actor=SYSTEM, id=wanted)
    with pytest.raises(AlreadyIssued), acme.tenant():
        api_keys.issue("once", [Scope.AUDIT_READ], actor=SYSTEM, id=wanted)


def test_the_hint_stands_in_the_token_and_in_no_other(acme: Party) -> None:
    new, token = rotate(acme)
    assert api_keys.hint(new) in token
    assert api_keys.hint(acme.key) in acme.token
    assert api_keys.hint(new) not in acme.token
