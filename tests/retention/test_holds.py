"""A legal hold outranks every disposal, for as long as it is in force, and leaves a trace."""

import uuid

import pytest

from iva.audit.actors import SYSTEM
from iva.audit.models import AuditEvent
from privacy import erasure
from privacy.grounds import Ground
from privacy.models import ErasureRecord
from retention import disposal, holds
from retention.models import LegalHold
from tests.cast import Party


@pytest.fixture
def bat(acme: Party) -> uuid.UUID:
    return uuid.UUID(acme.says("Мартаарай", name="Бат", phone="99112233").body["end_user_id"])


def hold(party: Party, subject_id: uuid.UUID | None = None) -> LegalHold:
    with party.tenant():
        return holds.place("2026/17", actor=SYSTEM, subject_id=subject_id)


def release(party: Party, placed: LegalHold) -> None:
    with party.tenant():
        holds.release(placed, actor=SYSTEM)


def is_held(party: Party, subject_id: uuid.UUID) -> bool:
    with party.tenant():
        try:
            holds.refuse_if_held(subject_id)
        except holds.LegalHoldInForce:
            return True
    return False


def test_a_hold_names_one_person_or_the_whole_organization(
    acme: Party, globex: Party, bat: uuid.UUID
) -> None:
    somebody = uuid.uuid4()
    named = hold(acme, bat)
    assert (is_held(acme, bat), is_held(acme, somebody), is_held(globex, bat)) == (True, False, False)
    release(acme, named)
    whole = hold(acme)
    assert (is_held(acme, bat), is_held(acme, somebody), is_held(globex, bat)) == (True, True, False)
    release(acme, whole)
    assert not is_held(acme, bat)


def test_one_of_two_holds_is_enough(acme: Party, bat: uuid.UUID) -> None:
    first, second = hold(acme, bat), hold(acme)
    release(acme, second)
    assert is_held(acme, bat)
    release(acme, first)
    assert not is_held(acme, bat)


def test_a_released_hold_stays_on_record_and_is_released_once(acme: Party, bat: uuid.UUID) -> None:
    placed = hold(acme, bat)
    release(acme, placed)
    with acme.tenant():
        first = LegalHold.objects.get().released_at
    release(acme, placed)
    with acme.tenant():
        assert LegalHold.objects.get().released_at == first is not None
    with acme.tenant("legal.requirement"):
        events = [event.event for event in AuditEvent.objects.filter(event__startswith="legal_hold")]
    assert sorted(events) == ["legal_hold.placed", "legal_hold.released"]


def test_an_erasure_that_is_refused_leaves_everything_and_says_so_in_the_trail(
    acme: Party, bat: uuid.UUID
) -> None:
    hold(acme, bat)
    with pytest.raises(holds.LegalHoldInForce), acme.tenant():
        erasure.erase(bat, Ground.SUBJECT_REQUEST, actor=SYSTEM)
    answer = acme.call("POST", f"end-users/{bat}/erasure/", {"ground": "subject_request"})
    assert (answer.status, answer.code) == (409, "legal_hold_in_force")
    assert acme.call("GET", f"end-users/{bat}/").body["name"] == "Бат"
    assert acme.call("GET", "erasures/").body["results"] == []
    with acme.tenant("legal.requirement"):
        refused = AuditEvent.objects.get(event="end_user.erasure_refused")
    assert refused.ids == f'{{"end_user":"{bat}","reason":"legal_hold"}}'


def test_a_hold_that_comes_during_the_disposal_stops_it_until_it_is_released(
    acme: Party, bat: uuid.UUID
) -> None:
    with acme.tenant():
        record = erasure.erase(bat, Ground.SUBJECT_REQUEST, actor=SYSTEM)
    with acme.tenant():
        left = disposal.remaining(bat)
    placed = hold(acme, bat)
    for _ in range(2):
        with pytest.raises(holds.LegalHoldInForce):
            erasure.finish(acme.id, record.pk)
    with acme.tenant():
        assert disposal.remaining(bat) == left != {}
        assert ErasureRecord.objects.get().disposed_at is None
    release(acme, placed)
    assert erasure.finish(acme.id, record.pk)
    with acme.tenant():
        assert disposal.remaining(bat) == {}
        assert ErasureRecord.objects.get().disposed_at is not None


@pytest.mark.parametrize("matter", ["2026/17", "A", "UB-2026.7_1", "x" * 64])
def test_a_matter_is_a_reference_number(acme: Party, matter: str) -> None:
    with acme.tenant():
        assert holds.place(matter, actor=SYSTEM).matter == matter


@pytest.mark.parametrize(
    "matter", ["", " ", "the case of Bat Dorj", "Бат", "x" * 65, "2026/17\n", "/2026", "2026 17", "'", "\x00"]
)
def test_a_story_is_not_a_matter(acme: Party, matter: str) -> None:
    with pytest.raises(holds.NotAMatterNumber), acme.tenant():
        holds.place(matter, actor=SYSTEM)
    with acme.tenant():
        assert not LegalHold.objects.exists()
