"""After an erasure and an epoch roll no older backup opens anything, whatever was restored or altered."""

import uuid
from collections.abc import Callable
from datetime import datetime

import psycopg
import pytest
from django.core.management import call_command

from iva.crypto import cache, key_copies, ledger, wrapping
from iva.crypto.models import DataKey, OrganizationKey
from privacy import sealing
from privacy.models import ErasureRecord
from tests.cast import Party
from tests.stories.test_a_restored_dump import GROUND, Restore, dump, text_of
from tests.stories.thieves import open_with_what_is_here, steal

__all__ = ["dump"]
SECRET = "Батын нууц"


def meet(party: Party) -> uuid.UUID:
    return uuid.UUID(party.says(SECRET, phone="99112233").body["end_user_id"])


def erase(party: Party, end_user: uuid.UUID) -> None:
    assert party.call("POST", f"end-users/{end_user}/erasure/", GROUND).status == 200


def sealed_at(party: Party, end_user: uuid.UUID) -> datetime | None:
    with party.tenant("legal.requirement"):
        return ErasureRecord.objects.get(end_user_id=end_user).sealed_at


def test_before_the_roll_a_thief_opens_it_and_after_it_nobody(
    acme: Party, superuser: psycopg.Connection
) -> None:
    bat = meet(acme)
    loot = steal(superuser, acme.id, bat)
    erase(acme, bat)
    assert open_with_what_is_here(superuser, loot) == SECRET
    assert sealed_at(acme, bat) is None
    sealing.roll_epoch()
    assert open_with_what_is_here(superuser, loot) is None
    assert sealed_at(acme, bat) is not None


def test_a_restored_older_dump_does_not_hide_an_erasure_from_the_roll(
    acme: Party, superuser: psycopg.Connection, dump: Callable[[], Restore]
) -> None:
    bat = meet(acme)
    restore = dump()
    sealing.roll_epoch()
    loot = steal(superuser, acme.id, bat)
    erase(acme, bat)
    restore()
    cache.forget_all()
    key_copies.lay_over()
    call_command("replay_erasures")
    sealing.roll_epoch()
    assert open_with_what_is_here(superuser, loot) is None
    assert sealed_at(acme, bat) is not None


def test_keys_laid_over_without_need_change_nothing_and_certify_nothing(
    acme: Party, superuser: psycopg.Connection, dump: Callable[[], Restore]
) -> None:
    bat = meet(acme)
    sealing.roll_epoch()
    loot = steal(superuser, acme.id, bat)
    erase(acme, bat)
    dump()()
    cache.forget_all()
    assert key_copies.lay_over() == 0
    call_command("replay_erasures")
    sealing.roll_epoch()
    assert open_with_what_is_here(superuser, loot) is None
    assert sealed_at(acme, bat) is not None


def test_a_dump_from_before_they_were_met_does_not_hide_them_either(
    acme: Party, superuser: psycopg.Connection, dump: Callable[[], Restore]
) -> None:
    sealing.roll_epoch()
    restore = dump()
    bat = meet(acme)
    loot = steal(superuser, acme.id, bat)
    erase(acme, bat)
    restore()
    cache.forget_all()
    call_command("replay_erasures")
    sealing.roll_epoch()
    assert open_with_what_is_here(superuser, loot) is None


@pytest.mark.parametrize(
    "lie",
    [
        "UPDATE iva_crypto_shreddedkey SET organization_key_id = NULL",
        "UPDATE iva_crypto_shreddedkey SET organization_key_id = NULL, unrecoverable_at = now()",
        "DELETE FROM iva_crypto_shreddedkey",
    ],
)
def test_a_roll_does_not_believe_the_database_about_what_was_destroyed(
    acme: Party, superuser: psycopg.Connection, lie: str
) -> None:
    bat = meet(acme)
    loot = steal(superuser, acme.id, bat)
    erase(acme, bat)
    superuser.execute(lie)
    sealing.note_sealed(acme.id)
    assert sealed_at(acme, bat) is None
    sealing.roll_epoch()
    assert open_with_what_is_here(superuser, loot) is None
    assert sealed_at(acme, bat) is not None


def test_a_key_that_somebody_has_taken_away_is_buried_all_the_same(
    acme: Party, superuser: psycopg.Connection
) -> None:
    bat = meet(acme)
    loot = steal(superuser, acme.id, bat)
    superuser.execute("DELETE FROM iva_crypto_datakey WHERE subject_id = %s", [bat])
    erase(acme, bat)
    assert [line.keys for line in ledger.entries() if line.subject == bat] == [[]]
    sealing.roll_epoch()
    assert open_with_what_is_here(superuser, loot) is None
    assert sealed_at(acme, bat) is not None


def test_keys_are_never_laid_over_the_keys_of_the_living(acme: Party) -> None:
    sealing.roll_epoch()
    saraa = acme.says("Сараагийн үг", phone="88776655").body
    assert key_copies.lay_over() == 0
    cache.forget_all()
    assert "Сараагийн үг" in text_of(acme, saraa)


def test_where_nothing_was_destroyed_nothing_is_rotated(acme: Party, globex: Party) -> None:
    erase(acme, meet(acme))
    meet(globex)
    assert [*sealing.roll_epoch().rotated] == [acme.id]
    assert [*sealing.roll_epoch().rotated] == []


def test_a_key_that_lies_about_its_parent_stops_the_roll_before_anything_is_lost(
    acme: Party, superuser: psycopg.Connection
) -> None:
    bat, saraa = meet(acme), acme.says("Сараагийн үг", phone="88776655").body
    erase(acme, bat)
    with acme.tenant():
        only = OrganizationKey.objects.get()
        another = OrganizationKey.objects.create(
            generation=only.generation + 1, epoch=only.epoch, wrapped=only.wrapped
        )
        DataKey.objects.filter(subject_id=saraa["end_user_id"]).update(organization_key=another)
    with pytest.raises(wrapping.WrapBroken):
        sealing.roll_epoch()
    with acme.tenant():
        DataKey.objects.filter(subject_id=saraa["end_user_id"]).update(organization_key=only)
        OrganizationKey.objects.filter(pk=another.pk).delete()
    assert "Сараагийн үг" in text_of(acme, saraa)
    sealing.roll_epoch()
    cache.forget_all()
    assert "Сараагийн үг" in text_of(acme, saraa)
