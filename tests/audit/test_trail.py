"""The trail is whole, and whoever touches it is found out."""

import json
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from iva.audit import anchors, chain, log, verification
from iva.audit.events import Event
from iva.audit.models import AuditEvent
from tests.cast import Party


def record(party: Party, count: int = 1) -> None:
    for _ in range(count):
        with party.tenant():
            log.record(Event.CONVERSATION_READ, conversation=uuid.uuid4())


@pytest.fixture
def trail(acme: Party) -> Party:
    """Acme with a dozen events, anchored."""
    record(acme, 12)
    anchors.anchor()
    return acme


@pytest.fixture
def forger(superuser: psycopg.Connection) -> Iterator[Callable[..., object]]:
    """Whoever owns the database and can switch its triggers off."""
    superuser.execute("SET session_replication_role = replica")
    yield superuser.execute
    superuser.execute("SET session_replication_role = DEFAULT")


def faults(party: Party) -> str:
    return "; ".join(verification.verify(party.id).faults)


def rewrite(party: Party, forger: Callable[..., object], *, from_sequence: int) -> None:
    """Chain everything anew after a change, as a clever forger would."""
    with party.tenant():
        events = list(AuditEvent.objects.order_by("sequence"))
    digest = chain.genesis(party.id)
    for sequence, event in enumerate(events, 1):
        payload = chain.payload(party.id, event.pk, event.event, event.actor, event.occurred_at, event.ids)
        digest = chain.link(digest, sequence, payload)
        forger("UPDATE iva_audit_auditevent SET digest = %s WHERE id = %s", [digest, event.pk])
    forger(
        "UPDATE iva_audit_audithead SET digest = %s, sequence = %s WHERE organization_id = %s",
        [digest, len(events), party.id],
    )


def test_an_untouched_trail_is_whole(trail: Party) -> None:
    verdict = verification.verify(trail.id)
    assert verdict.is_whole
    assert verdict.events >= 13
    assert verdict.anchors == 1


def test_an_edited_event_is_named(trail: Party, forger: Callable[..., object]) -> None:
    forger("UPDATE iva_audit_auditevent SET actor = 'system:1' WHERE sequence = 5")
    assert faults(trail) == "event 5 was altered"


def test_a_removed_event_is_named(trail: Party, forger: Callable[..., object]) -> None:
    forger("DELETE FROM iva_audit_auditevent WHERE sequence = 5")
    assert faults(trail) == "event 5 is missing"


def test_a_tail_cut_off_together_with_the_head_is_named(trail: Party, forger: Callable[..., object]) -> None:
    with trail.tenant():
        kept = AuditEvent.objects.get(sequence=8)
    forger("DELETE FROM iva_audit_auditevent WHERE sequence > 8")
    forger("UPDATE iva_audit_audithead SET sequence = 8, digest = %s", [kept.digest])
    assert faults(trail).startswith("cut off after 8")


def test_a_chain_written_anew_is_named(trail: Party, forger: Callable[..., object]) -> None:
    forger("UPDATE iva_audit_auditevent SET actor = 'system:1' WHERE sequence = 5")
    rewrite(trail, forger, from_sequence=5)
    assert faults(trail).startswith("rewritten")


def test_a_whole_trail_thrown_away_is_named(trail: Party, forger: Callable[..., object]) -> None:
    forger("DELETE FROM iva_audit_auditevent")
    forger("DELETE FROM iva_audit_audithead")
    assert faults(trail)
    with pytest.raises(CommandError):
        call_command("verify_audit")


def test_an_event_planted_after_the_head_is_named(trail: Party, forger: Callable[..., object]) -> None:
    forger(
        "INSERT INTO iva_audit_auditevent"
        " (organization_id, id, sequence, event, actor, ids, occurred_at, digest)"
        " SELECT organization_id, gen_random_uuid(), sequence + 1, event, actor, ids, occurred_at, digest"
        " FROM iva_audit_auditevent ORDER BY sequence DESC LIMIT 1"
    )
    assert faults(trail)


def test_events_of_parallel_transactions_form_one_chain(acme: Party, globex: Party) -> None:
    def one(party: Party) -> None:
        record(party, 5)
        connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, [acme, globex] * 8))
    assert verification.verify(acme.id).is_whole
    with acme.tenant():
        assert AuditEvent.objects.filter(event=Event.CONVERSATION_READ).count() == 40


def test_a_rolled_back_transaction_leaves_no_event(acme: Party) -> None:
    with pytest.raises(RuntimeError), acme.tenant():
        log.record(Event.CONVERSATION_READ, conversation=uuid.uuid4())
        raise RuntimeError
    with acme.tenant():
        assert not AuditEvent.objects.filter(event=Event.CONVERSATION_READ).exists()


@pytest.mark.parametrize(
    "content", ["Сайн байна уу", "Bat Dorj", "a" * 65, "x\ny", 1.5, {"a": 1}, b"x", True]
)
def test_content_is_refused(acme: Party, content: object) -> None:
    with acme.tenant(), pytest.raises(chain.NotAnId):
        log.record(Event.CONVERSATION_READ, what=content)  # type: ignore[arg-type]


def test_several_events_of_one_transaction_are_chained_in_order(acme: Party) -> None:
    with acme.tenant():
        for number in range(3):
            log.record(Event.CONVERSATION_READ, count=number)
    with acme.tenant():
        events = list(AuditEvent.objects.filter(event=Event.CONVERSATION_READ).order_by("sequence"))
    assert [json.loads(event.ids)["count"] for event in events] == [0, 1, 2]
    assert verification.verify(acme.id).is_whole


def test_a_thinned_file_of_anchors_still_proves_the_newest_head(
    trail: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anchors, "LONGEST_FILE", 500)
    monkeypatch.setattr(anchors, "KEPT_LINES", 3)
    for _ in range(12):
        record(trail)
        anchors.anchor()
    assert len(list(anchors.anchors(trail.id))) < 12
    verdict = verification.verify(trail.id)
    assert verdict.is_whole
    assert anchors.newest(trail.id).sequence == verdict.events  # type: ignore[union-attr]
