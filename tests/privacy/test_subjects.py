"""Who is this? The rooms in which End Users are met, found and no longer found."""

import uuid
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError

from iva.audit.actors import SYSTEM
from iva.audit.models import AuditEvent
from privacy import erasure, subjects
from privacy.grounds import Ground
from privacy.handles import Handle, HandleInvalid, HandleKind, normalize
from privacy.models import EndUser, EndUserIdentity
from tests.cast import Party

PHONE, EMAIL = normalize(HandleKind.PHONE, "99112233"), normalize(HandleKind.EMAIL, "bat@example.com")
OTHER_PHONE = normalize(HandleKind.PHONE, "99445566")


def sender(*handles: Handle, name: str | None = "Бат") -> subjects.Sender:
    return subjects.Sender(handles, name)


def meet(party: Party, *senders: subjects.Sender) -> list[Any]:
    with party.tenant():
        return subjects.identify(senders)


def people(party: Party) -> int:
    with party.tenant():
        return EndUser.objects.count()


def handles(party: Party, end_user_id: uuid.UUID) -> list[tuple[str, str]]:
    with party.tenant():
        found = subjects.handles_of(subjects.get(end_user_id))
        return [(identity.kind, identity.handle) for identity in found]


def searched(party: Party) -> list[str]:
    with party.tenant("legal.requirement"):
        return [
            event.ids for event in AuditEvent.objects.filter(event="end_user.searched").order_by("sequence")
        ]


def test_somebody_new_is_met_once_and_known_afterwards(acme: Party) -> None:
    (first,) = meet(acme, sender(PHONE))
    (again,) = meet(acme, sender(PHONE, name="Another name"))
    assert first == again
    with acme.tenant():
        assert subjects.get(first).name == "Бат"


def test_one_person_twice_in_a_batch_is_one_person(acme: Party) -> None:
    found = meet(acme, sender(PHONE), sender(PHONE, EMAIL), sender(EMAIL))
    assert len(set(found)) == 1
    assert people(acme) == 1
    assert handles(acme, found[0]) == [("email", EMAIL.value), ("phone", PHONE.value)]


def test_a_handle_that_comes_later_is_learned(acme: Party) -> None:
    (bat,) = meet(acme, sender(PHONE))
    assert meet(acme, sender(PHONE, EMAIL)) == [bat]
    assert meet(acme, sender(EMAIL)) == [bat]


def test_handles_of_two_people_are_a_conflict_that_changes_nothing(acme: Party) -> None:
    bat, saraa = meet(acme, sender(PHONE), sender(EMAIL))
    third = normalize(HandleKind.MESSENGER_ID, "psid-1")
    (conflict,) = meet(acme, sender(PHONE, EMAIL, third))
    assert isinstance(conflict, subjects.IdentityConflict)
    assert (handles(acme, bat), handles(acme, saraa)) == ([tuple(PHONE)], [tuple(EMAIL)])
    with acme.tenant():
        assert subjects.search(HandleKind.MESSENGER_ID, "psid-1", actor=SYSTEM) is None
    assert people(acme) == 2


def test_a_conflict_in_a_batch_hinders_nobody_else(acme: Party) -> None:
    bat, saraa = meet(acme, sender(PHONE), sender(EMAIL))
    found = meet(acme, sender(PHONE), sender(PHONE, EMAIL), sender(EMAIL), sender(OTHER_PHONE))
    assert (found[0], found[2]) == (bat, saraa)
    assert isinstance(found[1], subjects.IdentityConflict)
    assert found[3] not in (bat, saraa)


def test_without_a_handle_nobody_can_be_recognized() -> None:
    with pytest.raises(subjects.NoHandle):
        sender()


def test_a_sender_does_not_show_who_it_is() -> None:
    shown = repr(sender(PHONE, EMAIL)) + str(sender(PHONE))
    assert not [word for word in ("Бат", PHONE.value, EMAIL.value) if word in shown]


def test_a_search_finds_the_living_of_ones_own_organization_only(acme: Party, globex: Party) -> None:
    (ours,), (theirs,) = (
        meet(acme, sender(PHONE)),
        meet(
            globex,
            sender(PHONE),
        ),
    )
    meet(globex, sender(EMAIL))
    with acme.tenant():
        found = subjects.search(HandleKind.PHONE, "+976 9911-2233", actor=SYSTEM)
        assert found is not None and found.pk == ours != theirs
        assert subjects.search(HandleKind.EMAIL, EMAIL.value, actor=SYSTEM) is None
        assert subjects.search(HandleKind.MESSENGER_ID, PHONE.value, actor=SYSTEM) is None
        with pytest.raises(subjects.NoSuchEndUser):
            subjects.get(theirs)


def test_a_search_leaves_the_kind_and_the_id_and_not_what_was_asked(acme: Party) -> None:
    (bat,) = meet(acme, sender(PHONE))
    with acme.tenant():
        subjects.search(HandleKind.PHONE, PHONE.value, actor=SYSTEM)
        subjects.search(HandleKind.EMAIL, EMAIL.value, actor=SYSTEM)
    assert searched(acme) == [f'{{"end_user":"{bat}","kind":"phone"}}', '{"kind":"email"}']


def test_a_search_for_what_cannot_be_a_handle_is_refused_and_leaves_nothing(acme: Party) -> None:
    with pytest.raises(HandleInvalid), acme.tenant():
        subjects.search(HandleKind.PHONE, "not a phone", actor=SYSTEM)
    assert searched(acme) == []


def test_the_erased_are_not_found_and_may_come_back_as_somebody_new(acme: Party) -> None:
    (bat,) = meet(acme, sender(PHONE, EMAIL))
    with acme.tenant():
        record = erasure.erase(bat, Ground.SUBJECT_REQUEST, actor=SYSTEM)
    with acme.tenant():
        assert subjects.search(HandleKind.PHONE, PHONE.value, actor=SYSTEM) is None
        with pytest.raises(subjects.NoSuchEndUser):
            subjects.get(bat)
    assert erasure.finish(acme.id, record.pk)
    (again,) = meet(acme, sender(PHONE))
    assert again != bat
    assert handles(acme, again) == [tuple(PHONE)]


def test_a_handle_belongs_to_one_person_whatever_code_forgets(acme: Party) -> None:
    """The unique key is the last word, should two first contacts ever get past the turns they take."""
    (bat,) = meet(acme, sender(PHONE))
    with pytest.raises(IntegrityError), acme.tenant():
        identity = EndUserIdentity.objects.get()
        EndUserIdentity.objects.create(
            end_user_id=bat,
            kind=identity.kind,
            handle="+97699000000",
            handle_bidx=identity.handle_bidx,
            binding=identity.binding,
        )


def test_a_handle_that_the_database_gives_to_another_is_noticed(
    acme: Party, superuser: psycopg.Connection
) -> None:
    bat, saraa = meet(acme, sender(PHONE), sender(EMAIL))
    superuser.execute(
        "UPDATE privacy_enduseridentity SET end_user_id = %s WHERE end_user_id = %s", [saraa, bat]
    )
    with pytest.raises(subjects.IdentityRepointed):
        meet(acme, sender(PHONE))
    with pytest.raises(subjects.IdentityRepointed), acme.tenant():
        subjects.search(HandleKind.PHONE, PHONE.value, actor=SYSTEM)
    answer = acme.call("POST", "end-users/search/", {"phone": PHONE.value})
    assert answer.status >= 400
    assert str(saraa) not in str(answer.body)


def test_blind_indexes_of_one_value_differ_by_kind_and_by_organization(acme: Party, globex: Party) -> None:
    tokens = []
    for party in (acme, globex):
        with party.tenant():
            tokens += [subjects.token_of(kind, "77") for kind in HandleKind]
    assert len(set(tokens)) == 2 * len(HandleKind)
    assert {len(token) for token in tokens} == {16}
