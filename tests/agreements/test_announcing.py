"""Who is responsible hears of a significant change ahead of its date: once, and with evidence."""

import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection
from django.test import Client, override_settings
from django.utils import timezone

from accounts import agreements, announcing, household, mailing, organizations, people, tasks
from accounts.agreements import acknowledging, rendering
from accounts.models import LegalDocument, Membership, Notice, Organization, Person
from accounts.people import Acting
from accounts.roles import Role
from iva.audit.actors import SYSTEM
from iva.audit.models import AuditEvent
from iva.crypto import bulk
from iva.local.folder import CHECKOUT
from tests import cast
from tests.agreements import documents
from tests.agreements.documents import BAT, DORJ, SARAA, SIGNIFICANT, Employee, later
from tests.agreements.mail_server import MailServer
from tests.cast import Party
from tests.conftest import Hire
from tests.people import test_sign_up_pages

STAFF = [
    Employee(BAT, "bat@example.com", "mn"),
    Employee(SARAA, "saraa@example.com", "en"),
    Employee(DORJ, "dorj@example.com", "mn"),
]
PATIENCE = 60.0


def staff() -> Sequence[Employee]:
    return STAFF


def all_of_them(organization_id: uuid.UUID, since: datetime) -> Collection[uuid.UUID]:
    return [BAT, SARAA, DORJ]


def nobody() -> Sequence[Employee]:
    return []


@pytest.fixture
def change(first: LegalDocument, acme: Party) -> LegalDocument:
    """A significant change that Acme has not heard of."""
    return documents.published("2.0.0", SIGNIFICANT)


def notices(party: Party) -> dict[str, Notice]:
    """By the local part of the address; opened."""
    with party.tenant("account.manage"):
        found = list(Notice.objects.all())
        bulk.reveal(found, "email", "reply")
        return {notice.email.partition("@")[0]: notice for notice in found}  # type: ignore[attr-defined]


class TestALetter:
    def test_goes_to_each_in_their_language_with_links_and_identity(
        self, acme: Party, change: LegalDocument, mail_server: MailServer
    ) -> None:
        assert announcing.announce(acme.id, change.pk, staff) == 3
        letters = {letter["To"]: letter for letter in mail_server.letters}
        assert sorted(letters) == ["bat@example.com", "dorj@example.com", "saraa@example.com"]
        english = letters["saraa@example.com"].get_payload(decode=True).decode()  # type: ignore[union-attr]
        mongolian = letters["bat@example.com"].get_payload(decode=True).decode()  # type: ignore[union-attr]
        assert change.effective_at is not None
        for text, locale in ((english, "en"), (mongolian, "mn")):
            assert "https://iva.example.com/legal/terms/2.0.0/changes/" in text
            assert "https://iva.example.com/legal/privacy_policy/2.0.0/" in text
            assert rendering.day(change.effective_at, locale) in text
            assert "Acme" in text
            assert "https://chimege.com" in text
        assert "another privacy policy" in english
        assert "export your data" in english
        assert "Chimege Systems LLC" in english
        assert "«Чимэгэ Системс» ХХК" in mongolian
        assert letters["bat@example.com"]["Auto-Submitted"] == "auto-generated"

    def test_says_so_when_the_privacy_policy_stays(
        self, acme: Party, first: LegalDocument, mail_server: MailServer
    ) -> None:
        change = documents.published("2.0.0", SIGNIFICANT, first.privacy_policy)
        announcing.announce(acme.id, change.pk, lambda: [STAFF[1]])
        text = mail_server.letters[0].get_payload(decode=True).decode()  # type: ignore[union-attr]
        assert "The privacy policy stays as it is." in text
        assert "/legal/privacy_policy/" not in text


class TestEvidence:
    def test_is_the_servers_word_and_the_letters_id(
        self, acme: Party, change: LegalDocument, mail_server: MailServer
    ) -> None:
        announcing.announce(acme.id, change.pk, staff)
        letters = {letter["To"]: letter["Message-ID"] for letter in mail_server.letters}
        for name, notice in notices(acme).items():
            assert notice.is_delivered
            assert notice.attempts == 1
            assert notice.sent_at is not None
            assert notice.handed_over_at is not None
            assert notice.queued_at <= notice.handed_over_at <= notice.sent_at
            assert notice.message_id == letters[f"{name}@example.com"]
            assert notice.reply.startswith("250 2.0.0 queued as")  # type: ignore[attr-defined]

    def test_cannot_be_rewritten(
        self, acme: Party, change: LegalDocument, mail_server: MailServer, superuser: psycopg.Connection
    ) -> None:
        announcing.announce(acme.id, change.pk, staff)
        for statement in (
            "UPDATE accounts_notice SET sent_at = sent_at - interval '1 day'",
            "UPDATE accounts_notice SET sent_at = NULL",
            "UPDATE accounts_notice SET user_id = document_id",
            "UPDATE accounts_notice SET message_id = 'x'",
            "DELETE FROM accounts_notice",
            "TRUNCATE accounts_notice CASCADE",
        ):
            with pytest.raises(DatabaseError), acme.tenant(), connection.cursor() as cursor:
                cursor.execute(statement)
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="stays as it is"):
                superuser.execute(statement.encode())

    def test_keeps_addresses_as_ciphertext_and_out_of_the_trail(
        self, acme: Party, change: LegalDocument, mail_server: MailServer, superuser: psycopg.Connection
    ) -> None:
        announcing.announce(acme.id, change.pk, staff)
        rows = superuser.execute("SELECT email_encrypted, reply_encrypted FROM accounts_notice").fetchall()
        assert {bytes(value)[:1] for row in rows for value in row} == {b"\xfe"}
        (everything,) = (
            superuser.execute("SELECT string_agg(n::text, ' ') FROM accounts_notice n").fetchone() or ()
        )
        assert not any(f"{name}@" in everything for name in ("bat", "dorj", "saraa"))
        with acme.tenant():
            (event,) = AuditEvent.objects.filter(event="document.announced")
            assert '"notices":3' in event.ids
            assert "bat@" not in event.ids


class TestOnce:
    def test_however_often_it_is_announced(
        self, acme: Party, change: LegalDocument, mail_server: MailServer
    ) -> None:
        assert [announcing.announce(acme.id, change.pk, staff) for _ in range(3)] == [3, 0, 0]
        assert len(mail_server.letters) == 3

    def test_by_many_workers_at_once(
        self, acme: Party, change: LegalDocument, mail_server: MailServer
    ) -> None:
        def work() -> None:
            try:
                announcing.announce(acme.id, change.pk, staff)
            finally:
                connection.close()

        workers = [threading.Thread(target=work) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert mail_server.received() == ["bat@example.com", "dorj@example.com", "saraa@example.com"]

    def test_in_each_organization(
        self, acme: Party, globex: Party, change: LegalDocument, mail_server: MailServer
    ) -> None:
        announcing.announce(acme.id, change.pk, lambda: STAFF[:1])
        announcing.announce(globex.id, change.pk, lambda: STAFF[:1])
        assert mail_server.received() == ["bat@example.com"] * 2
        assert {party.organization.name for party in (acme, globex)} == {"Acme", "Globex"}
        with globex.tenant():
            assert Notice.objects.count() == 1

    def test_also_somebody_who_became_responsible_meanwhile(
        self, acme: Party, change: LegalDocument, mail_server: MailServer
    ) -> None:
        announcing.announce(acme.id, change.pk, lambda: STAFF[:2])
        announcing.announce(acme.id, change.pk, staff)
        assert mail_server.received() == ["bat@example.com", "dorj@example.com", "saraa@example.com"]


class TestTrouble:
    @pytest.mark.parametrize(
        ("command", "answer"),
        [
            ("CONNECT", "421 4.3.2 shutting down"),
            ("MAIL", "451 4.3.0 later"),
            ("MAIL", "530 5.7.0 sign in first"),
            ("RCPT", "450 4.2.1 mailbox busy"),
            ("DATA", "451 4.3.0 later"),
            ("TEXT", "452 4.3.1 disk full"),
        ],
    )
    def test_that_passes_delays_a_letter(
        self, acme: Party, change: LegalDocument, mail_server: MailServer, command: str, answer: str
    ) -> None:
        mail_server.answers[command] = answer
        assert announcing.announce(acme.id, change.pk, staff) == 0
        assert {notice.is_settled for notice in notices(acme).values()} == {False}
        mail_server.answers.clear()
        assert announcing.announce(acme.id, change.pk, staff) == 0, "not before its time"
        with later(minutes=2):
            assert announcing.announce(acme.id, change.pk, staff) == 3
        assert {notice.attempts for notice in notices(acme).values()} == {2}

    def test_with_one_address_leaves_the_others_alone(
        self, acme: Party, change: LegalDocument, mail_server: MailServer
    ) -> None:
        def refuse_the_first() -> None:
            answer = "550 5.1.1 <bat@example.com> unknown" if "bat@" in mail_server.commands[-1] else None
            mail_server.answers.update({"RCPT": answer} if answer else {"RCPT": "250 ok"})

        mail_server.on["RCPT"] = refuse_the_first
        assert announcing.announce(acme.id, change.pk, staff) == 2
        refused = notices(acme)["bat"]
        assert (refused.failure, refused.is_settled, refused.is_delivered) == ("refused", True, False)
        assert "5.1.1" in refused.reply  # type: ignore[attr-defined]
        with later(days=1):
            assert announcing.announce(acme.id, change.pk, staff) == 0

    @pytest.mark.parametrize("address", ["nobody", "a@b@c", "a@b\r\nRCPT TO:<eve@b>", ""])
    def test_of_an_address_that_is_none_is_a_refusal(
        self, acme: Party, change: LegalDocument, mail_server: MailServer, address: str
    ) -> None:
        mail_server.answers["RCPT"] = "501 5.1.3 bad address"
        announcing.announce(acme.id, change.pk, lambda: [Employee(BAT, address)])
        with acme.tenant():
            assert Notice.objects.get().failure == "refused"
        assert not any("eve" in command for command in mail_server.commands)

    def test_that_lasts_ends_with_a_reason(
        self, acme: Party, change: LegalDocument, mail_server: MailServer
    ) -> None:
        mail_server.answers["MAIL"] = "451 4.3.0 later"
        for tries in range(announcing.MOST_ATTEMPTS):
            with later(days=tries):
                announcing.announce(acme.id, change.pk, lambda: STAFF[:1])
        assert notices(acme)["bat"].failure == "unreachable"

    def test_in_the_middle_of_the_text_is_not_tried_again(
        self, acme: Party, change: LegalDocument, mail_server: MailServer
    ) -> None:
        def hang_up() -> None:
            raise ConnectionError

        mail_server.on["TAKEN"] = hang_up
        announcing.announce(acme.id, change.pk, lambda: STAFF[:1])
        notice = notices(acme)["bat"]
        assert (notice.failure, notice.is_delivered) == ("fate_unknown", False)
        mail_server.on.clear()
        with later(days=1):
            announcing.announce(acme.id, change.pk, lambda: STAFF[:1])
        assert mail_server.received() == ["bat@example.com"]

    def test_without_a_mail_server_is_said(self, acme: Party, change: LegalDocument) -> None:
        with pytest.raises(mailing.MailNotConfigured), override_settings(IVA_EMAIL_URL=""):
            announcing.announce(acme.id, change.pk, staff)

    def test_whoever_lost_the_lease_does_not_send(
        self, acme: Party, change: LegalDocument, mail_server: MailServer
    ) -> None:
        """Another worker takes the notice over while the first talks to a slow server."""

        def take_over() -> None:
            del mail_server.on["RCPT"]

            def other() -> None:
                with later(seconds=31):
                    announcing.announce(acme.id, change.pk, lambda: STAFF[:1])
                connection.close()

            another = threading.Thread(target=other)
            another.start()
            another.join()

        mail_server.on["RCPT"] = take_over
        announcing.announce(acme.id, change.pk, lambda: STAFF[:1])
        assert mail_server.received() == ["bat@example.com"]
        assert notices(acme)["bat"].is_delivered


MAILER = """
import sys, uuid, django
django.setup()
from accounts import announcing
from tests.agreements.test_announcing import staff
announcing.announce(uuid.UUID(sys.argv[1]), uuid.UUID(sys.argv[2]), staff)
"""


@pytest.mark.slow
class TestAWorkerThatDies:
    """A real process, killed while it talks to the server."""

    def mailer(self, server: MailServer, party: Party, change: LegalDocument) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "iva.settings",
            "IVA_EMAIL_URL": server.url,
            "IVA_LEASE_SECONDS": "1",
        }
        command = [sys.executable, "-c", MAILER, str(party.id), str(change.pk)]
        return subprocess.Popen(command, cwd=CHECKOUT, env=environment)

    def killed_at(
        self, moment: str, server: MailServer, party: Party, change: LegalDocument, after: int = 1
    ) -> None:
        reached, seen = threading.Event(), []

        def wait() -> None:
            seen.append(moment)
            if len(seen) == after:
                reached.set()
                threading.Event().wait(PATIENCE)

        server.on[moment] = wait
        process = self.mailer(server, party, change)
        try:
            assert reached.wait(PATIENCE), f"never came to {moment}"
        finally:
            process.kill()
            process.wait()
        server.on.clear()

    def goes_on(self, server: MailServer, party: Party, change: LegalDocument) -> None:
        """Others come after the lease has ended, as beat would have them."""
        with later(minutes=5):
            announcing.announce(party.id, change.pk, staff)
            announcing.announce(party.id, change.pk, staff)

    @pytest.mark.parametrize("moment", ["EHLO", "MAIL", "RCPT"])
    def test_before_the_hand_over_costs_nobody_their_letter(
        self, acme: Party, change: LegalDocument, mail_server: MailServer, moment: str
    ) -> None:
        self.killed_at(moment, mail_server, acme, change, after=2)
        self.goes_on(mail_server, acme, change)
        assert mail_server.received() == ["bat@example.com", "dorj@example.com", "saraa@example.com"]
        assert {notice.is_delivered for notice in notices(acme).values()} == {True}

    @pytest.mark.parametrize(("moment", "arrived"), [("DATA", 2), ("TEXT", 2), ("TAKEN", 3)])
    def test_during_the_hand_over_sends_nothing_twice_and_owns_up_to_not_knowing(
        self, acme: Party, change: LegalDocument, mail_server: MailServer, moment: str, arrived: int
    ) -> None:
        self.killed_at(moment, mail_server, acme, change, after=2)
        self.goes_on(mail_server, acme, change)
        assert len(mail_server.received()) == len(set(mail_server.received())) >= arrived
        fates = [notice.failure for notice in notices(acme).values()]
        assert sorted(fates) == ["", "", "fate_unknown"]
        assert announcing.is_announced(change, staff, all_of_them)


class TestTakingEffect:
    def test_waits_for_every_organization(
        self, acme: Party, globex: Party, change: LegalDocument, mail_server: MailServer
    ) -> None:
        announcing.announce(acme.id, change.pk, staff)
        assert not announcing.is_announced(change, staff, all_of_them)
        with later(days=31):
            assert agreements.take_effect(lambda due: announcing.is_announced(due, staff, all_of_them)) == []
            announcing.announce(globex.id, change.pk, staff)
            assert agreements.take_effect(lambda due: announcing.is_announced(due, staff, all_of_them)) == [
                change
            ]

    def test_does_not_wait_for_who_cannot_be_reached_but_asks_them(
        self, acme: Party, change: LegalDocument, mail_server: MailServer
    ) -> None:
        documents.accept(acme, BAT)
        mail_server.answers["RCPT"] = "550 5.1.1 unknown"
        announcing.announce(acme.id, change.pk, lambda: STAFF[:1])
        with later(days=31):
            agreements.take_effect(lambda due: announcing.is_announced(due, lambda: STAFF[:1], all_of_them))
            assert agreements.standing(acme.id, BAT).missing == (change, change.privacy_policy)

    def test_is_beats_work(
        self, acme: Party, change: LegalDocument, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sent: list[tuple[Any, ...]] = []
        monkeypatch.setattr(people, "responsible", staff)
        monkeypatch.setattr(tasks.announce, "delay", lambda *ids: sent.append(ids))
        tasks.announce_everywhere()
        assert sent == [(str(acme.id), str(change.pk))]
        tasks.announce(*sent[0])
        with later(days=31):
            tasks.take_effect()
            assert agreements.current().terms == change
            tasks.announce_everywhere()
        assert len(sent) == 1
        assert len(mail_server.letters) == 3


class TestWhoIsWaitedFor:
    """A notice is owed to those who were responsible when the version came out, and to nobody else (P93)."""

    @pytest.fixture
    def owed(self, first: LegalDocument, acme: Party, hire: Hire) -> tuple[LegalDocument, Acting]:
        saraa = hire(acme, "Saraa", Role.OWNER, is_responsible=True)
        return documents.published("2.0.0", SIGNIFICANT), saraa

    def takes_effect(self, change: LegalDocument) -> bool:
        with later(days=31):
            tasks.take_effect()
            return bool(agreements.current().terms == change)

    def test_who_was_there_is(
        self, acme: Party, owed: tuple[LegalDocument, Acting], mail_server: MailServer
    ) -> None:
        change, _ = owed
        assert not self.takes_effect(change)
        tasks.announce(str(acme.id), str(change.pk))
        assert self.takes_effect(change)

    def test_who_came_later_is_not_and_still_gets_the_letter(
        self, acme: Party, owed: tuple[LegalDocument, Acting], hire: Hire, mail_server: MailServer
    ) -> None:
        change, _ = owed
        tasks.announce(str(acme.id), str(change.pk))
        tuya = hire(acme, "Tuya", Role.OWNER, is_responsible=True)
        young = cast.found("Young", is_bound=False)
        bat = hire(young, "Bat", Role.OWNER, is_responsible=True)
        with young.tenant("account.manage"):
            assert acknowledging.unseen(bat.user_id) == change, "the banner tells them"
        assert self.takes_effect(change)
        with later(days=31):
            assert agreements.standing(acme.id, tuya.user_id).missing == (change, change.privacy_policy)

    def test_a_young_organization_is_told_and_goes_on_by_using(
        self, acme: Party, owed: tuple[LegalDocument, Acting], hire: Hire, mail_server: MailServer
    ) -> None:
        change, _ = owed
        young = cast.found("Young", is_bound=False)
        bat = hire(young, "Bat", Role.OWNER, is_responsible=True)
        documents.accepted(young.id, bat.user_id)
        for organization_id in (acme.id, young.id):
            tasks.announce(str(organization_id), str(change.pk))
        assert sorted(mail_server.received()) == ["bat@young.example.com", "saraa@acme.example.com"]
        assert self.takes_effect(change)
        with later(days=31):
            standing = agreements.standing(young.id, bat.user_id)
            assert (standing.is_open, standing.notice_id is not None) == (True, True)

    @pytest.mark.parametrize("how", ["unconfirmed", "suspended", "ended", "gone"])
    def test_who_is_no_party_is_not(self, acme: Party, owed: tuple[LegalDocument, Acting], how: str) -> None:
        change, saraa = owed
        if how == "unconfirmed":
            with household.at_home():
                Person.objects.filter(pk=saraa.user_id).update(verified_at=None)
        elif how == "suspended":
            organizations.suspend(acme.organization, SYSTEM)
        elif how == "ended":
            Organization.objects.filter(pk=acme.id).update(contract_ended_at=timezone.now())
        else:
            Membership.objects.filter(pk=saraa.membership_id).update(ended_at=timezone.now())
        assert self.takes_effect(change)

    def test_signing_up_holds_nothing_back(
        self, acme: Party, owed: tuple[LegalDocument, Acting], mail_server: MailServer
    ) -> None:
        change, _ = owed
        tasks.announce(str(acme.id), str(change.pk))
        with later(days=29):
            Client().post("/sign-up/", test_sign_up_pages.form(email="somebody@example.com"))
        assert Organization.objects.filter(name=test_sign_up_pages.form()["organization"]).exists()
        assert self.takes_effect(change)
