"""No deletion without a listed ground, and no ground that opens what a hold has closed."""

import uuid

import pytest

from iva.audit.actors import SYSTEM
from iva.audit.models import AuditEvent
from privacy import erasure
from privacy.grounds import Ground
from retention import holds
from tests.cast import Party

OURS_ALONE = {Ground.EARLIER_ERASURE}
OFFERED = [ground for ground in Ground if ground not in OURS_ALONE]


def erase(party: Party, end_user: str, ground: object) -> tuple[int, str | None]:
    answer = party.call("POST", f"end-users/{end_user}/erasure/", {"ground": ground})
    return answer.status, answer.code


@pytest.mark.parametrize("ground", OFFERED)
def test_a_listed_ground_is_written_into_the_record_and_the_trail(acme: Party, ground: Ground) -> None:
    end_user = acme.says("Мартаарай").body["end_user_id"]
    assert erase(acme, end_user, ground) == (200, None)
    (record,) = acme.call("GET", "erasures/").body["results"]
    assert record["ground"] == ground
    with acme.tenant("legal.requirement"):
        event = AuditEvent.objects.get(event="end_user.erased")
    assert f'"ground":"{ground}"' in event.ids


@pytest.mark.parametrize("ground", ["", "because", None, 7, ["unlawful"], "UNLAWFUL", "unlawful\x00"])
def test_an_unlisted_ground_erases_nobody(acme: Party, ground: object) -> None:
    end_user = acme.says("Үлдээгээрэй").body["end_user_id"]
    assert erase(acme, end_user, ground)[0] == 422
    assert acme.call("GET", f"end-users/{end_user}/").status == 200


@pytest.mark.parametrize("ground", Ground)
def test_no_ground_that_can_be_asked_for_passes_a_legal_hold(acme: Party, ground: Ground) -> None:
    end_user = acme.says("Үлдээгээрэй").body["end_user_id"]
    with acme.tenant():
        holds.place("2026/17", actor=SYSTEM, subject_id=uuid.UUID(end_user))
    assert erase(acme, end_user, ground)[0] in (409, 422)
    assert acme.call("GET", f"end-users/{end_user}/").status == 200


@pytest.mark.parametrize("ground", OURS_ALONE)
def test_a_ground_of_our_own_cannot_be_asked_for(acme: Party, ground: Ground) -> None:
    end_user = acme.says("Үлдээгээрэй").body["end_user_id"]
    assert erase(acme, end_user, ground)[0] == 422
    assert acme.call("GET", f"end-users/{end_user}/").status == 200


@pytest.mark.parametrize("ground", OURS_ALONE)
def test_who_was_erased_before_stays_erased_whatever_a_hold_says_now(acme: Party, ground: Ground) -> None:
    """Only for the replay of the erasure ledger: the key is dead, there is nothing to be held."""
    end_user = uuid.UUID(acme.says("Мартаарай").body["end_user_id"])
    with acme.tenant():
        holds.place("2026/17", actor=SYSTEM)
        record = erasure.erase(end_user, ground, actor=SYSTEM)
    assert erasure.finish(acme.id, record.pk)
