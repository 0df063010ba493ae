"""The overview says how the platform is: figures that are asked, and rounds that tasks leave behind."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import announcing, household, organizations
from accounts.models import LegalDocument
from accounts.people import Acting
from iva import rounds
from iva.audit import tasks as audit_tasks
from iva.audit import verification
from iva.crypto import kms
from iva.models import Round
from iva.operators import figures
from iva.outbox.models import Promise
from tests.admin.conftest import told
from tests.admin.pages import read
from tests.cast import Party, found


def coming(task: str) -> figures.Coming:
    return next(one for one in figures.periodic() if one.task == task)


def test_a_task_leaves_its_round_and_its_figures(acme: Party, globex: Party) -> None:
    assert coming("audit.verify").last is None
    audit_tasks.verify.apply()
    last = coming("audit.verify").last
    assert last is not None and last.succeeded_at == last.ended_at
    verdicts = list(verification.verify_all())
    broken = [verdict for verdict in verdicts if not verdict.is_whole]
    assert last.figures == {"chains": len(verdicts), "broken": len(broken)}
    assert len(verdicts) >= 2
    assert coming("audit.verify").look == "good"


def test_a_task_that_fails_says_so_and_keeps_the_last_figures(
    acme: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit_tasks.verify.apply()
    before = Round.objects.get(task="audit.verify").figures
    with monkeypatch.context() as broken:
        broken.setattr("iva.audit.verification.verify_all", lambda: 1 / 0)
        audit_tasks.verify.apply()
    last = Round.objects.get(task="audit.verify")
    assert (last.failure, last.figures) == ("ZeroDivisionError", before)
    assert last.succeeded_at is not None and last.succeeded_at < last.ended_at
    assert coming("audit.verify").look == "bad"
    audit_tasks.verify.apply()
    assert coming("audit.verify").look == "good"


def test_what_is_not_periodic_leaves_none(db: None) -> None:
    task = type("Task", (), {"name": "accounts.announce"})()
    rounds.notice(task=task, retval=None, state="SUCCESS")
    assert not Round.objects.exists()


@pytest.mark.parametrize(
    ("task", "ago", "look"),
    [
        ("audit.anchor", timedelta(minutes=1), "good"),
        ("audit.anchor", timedelta(minutes=3), "warn"),
        ("audit.verify", timedelta(minutes=1), "good"),
        ("audit.verify", timedelta(hours=49), "warn"),
    ],
)
def test_a_beat_that_stopped_is_seen(db: None, task: str, ago: timedelta, look: str) -> None:
    Round.objects.create(task=task, ended_at=timezone.now() - ago)
    assert coming(task).look == look


def test_a_broken_chain_is_the_first_thing_one_sees(signed_in: Client) -> None:
    rounds.remember("audit.verify", {"chains": 3, "broken": 1})
    page = read(signed_in, "/admin/").text
    assert "1 broken" in page and "Whole" not in page
    rounds.remember("audit.verify", {"chains": 3, "broken": 0})
    assert "Whole" in read(signed_in, "/admin/").text


def test_the_outbox_tells_what_waits_and_what_was_given_up(acme: Party, signed_in: Client) -> None:
    long_ago = timezone.now() - timedelta(minutes=10)
    for changes in ({}, {"leased_until": timezone.now() + timedelta(minutes=1)}, {"given_up_at": long_ago}):
        Promise.objects.create(
            organization_id=acme.id, work="answer", subject_id=acme.id, due_at=long_ago, **changes
        )
    outbox = figures.outbox()
    assert (outbox.due, outbox.leased, outbox.given_up, outbox.look) == (2, 1, 1, "bad")
    assert outbox.oldest >= 600
    assert "1 given up" in read(signed_in, "/admin/").text


def test_organizations_are_counted_by_their_state_and_the_household_is_none(
    acme: Party, globex: Party, signed_in: Client, operator: Any
) -> None:
    organizations.suspend(globex.organization, household.oneself(operator.pk))
    assert figures.organizations() == {"active": 1, "suspended": 1, "ended": 0}


def test_a_key_service_that_does_not_answer_does_not_take_the_page_along(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent() -> None:
        raise kms.KeyServiceUnavailable

    assert "Epoch 1" in read(signed_in, "/admin/").text
    monkeypatch.setattr("iva.crypto.kms.service", silent)
    assert figures.keys() == figures.Keys(None)


def test_letters_are_counted_by_what_became_of_them(
    acme: Party, globex: Party, saraa: Acting, dorj: Acting, first: LegalDocument
) -> None:
    told(acme, saraa.user_id, first)
    told(globex, dorj.user_id, first)
    assert announcing.progress(first, [acme.id]) == announcing.Progress(waiting=1)
    both = announcing.progress(first, [acme.id, globex.id])
    assert (both.letters, both.waiting, both.failed) == (2, 2, 0)


def test_its_questions_do_not_grow_with_the_organizations(signed_in: Client) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as questions:
            assert signed_in.get("/admin/").status_code == 200
        return len(questions)

    found("Acme")
    before = asked()
    for name in ("Globex", "Second", "Third"):
        organizations.found(name, name.lower())
    assert asked() == before
