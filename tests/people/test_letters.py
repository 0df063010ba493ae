"""A letter leaves after its transaction, once, with nothing personal written down on the way."""

import json
import stat
import uuid
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from django.conf import settings as configured
from django.core.exceptions import ImproperlyConfigured

from accounts import household, letters, people, recovering, sign_ins
from accounts.models import Letter, LetterKind
from conversations import tasks
from iva import settings as knobs
from iva.audit.models import AuditEvent
from iva.outbox import draining
from iva.outbox.models import Promise
from tests.people.mailbox import Mailbox, link_in, text_of, token_in

RESET = LetterKind.RESET_PASSWORD


@pytest.fixture
def bat(db: None) -> uuid.UUID:
    return people.meet("bat@example.com", "correct horse battery staple", locale="en")


def written(person: uuid.UUID | None, kind: LetterKind = RESET) -> uuid.UUID:
    with household.at_home():
        return letters.write(kind, person).pk


def fate(letter_id: uuid.UUID) -> str:
    with household.at_home():
        letter = Letter.objects.get(pk=letter_id)
        return letter.failure or ("sent" if letter.sent_at else "waiting")


def test_it_arrives_in_the_persons_language_and_its_promise_is_kept(bat: uuid.UUID, mail: Mailbox) -> None:
    letter_id = written(bat)
    (letter,) = mail.deliver()
    assert (letter["To"], letter["Subject"]) == ("bat@example.com", "Choose a new password")
    assert letter["Message-ID"] == f"<{letter_id}@example.com>"
    assert "good for one hour" in text_of(letter)
    assert fate(letter_id) == "sent"
    assert not Promise.objects.exists()
    with household.at_home():
        last = AuditEvent.objects.order_by("-sequence")[0]
    assert last.event == "letter.sent"
    assert str(letter_id) in last.ids


@pytest.mark.parametrize("kind", LetterKind)
def test_every_kind_is_whole_in_both_languages(mail: Mailbox, kind: LetterKind) -> None:
    said = []
    for locale in ("mn", "en"):
        person = people.meet(f"{locale}@example.com", "correct horse battery staple", locale=locale)
        with household.at_home():
            about = _signed_in(person) if kind == LetterKind.NEW_DEVICE else None
            letters.write(kind, person, about)
        (letter,) = mail.deliver()
        said.append(text_of(letter))
        assert "{" not in said[-1] + str(letter["Subject"])
        assert "None" not in said[-1]
    assert "Сайн байна уу" in said[0]
    assert said[0] != said[1]


def _signed_in(person: uuid.UUID) -> uuid.UUID:
    return sign_ins.begin(person, browser="Firefox", from_address="203.0.113.9", proved_at=None).pk


def test_what_is_rolled_back_is_not_sent(bat: uuid.UUID, mail: Mailbox) -> None:
    with pytest.raises(ZeroDivisionError), household.at_home():
        letters.write(RESET, bat)
        raise ZeroDivisionError
    assert mail.deliver() == []


def test_nobody_is_written_to_nobody(mail: Mailbox, bat: uuid.UUID) -> None:
    letter_id = written(None)
    assert mail.deliver() == []
    assert fate(letter_id) == "nobody"
    assert not Promise.objects.exists()


def test_while_the_server_is_away_it_waits_and_then_arrives_once(bat: uuid.UUID, mail: Mailbox) -> None:
    letter_id = written(bat)
    mail.server.answers["CONNECT"] = "421 come back later"
    assert mail.deliver() == []
    assert fate(letter_id) == "waiting"
    mail.server.answers.clear()
    assert len(mail.deliver_later()) == 1
    assert mail.deliver_later() == []


def test_a_letter_put_off_at_the_last_moment_has_a_link_that_opens_when_it_arrives(
    bat: uuid.UUID, mail: Mailbox
) -> None:
    people.verify(bat)
    written(bat)
    mail.server.answers["TEXT"] = "451 try again"
    assert mail.deliver() == []
    mail.server.answers.clear()
    (letter,) = mail.deliver_later()
    assert recovering.look_at(token_in(link_in(letter))) == bat


def test_what_is_refused_is_not_tried_again(bat: uuid.UUID, mail: Mailbox) -> None:
    letter_id = written(bat)
    mail.server.answers["RCPT"] = "550 5.1.1 no such mailbox"
    mail.deliver()
    assert fate(letter_id) == "refused"
    assert not Promise.objects.exists()


def test_what_broke_while_the_text_left_is_not_sent_twice(bat: uuid.UUID, mail: Mailbox) -> None:
    def hang_up() -> None:
        raise ConnectionError

    letter_id = written(bat)
    mail.server.on["TAKEN"] = hang_up
    mail.deliver()
    mail.server.on.clear()
    assert fate(letter_id) == "fate_unknown"
    assert mail.deliver_later() == []


def test_without_a_mail_server_it_waits(bat: uuid.UUID, settings: Any) -> None:
    settings.IVA_EMAIL_URL = settings.IVA_MAIL_FOLDER = ""
    letter_id = written(bat)
    draining.drain(tasks.FULFIL)
    assert fate(letter_id) == "waiting"
    assert Promise.objects.count() == 1


def test_on_a_developers_machine_it_becomes_a_file_of_theirs(
    bat: uuid.UUID, settings: Any, tmp_path: Path
) -> None:
    settings.IVA_EMAIL_URL, settings.IVA_MAIL_FOLDER = "", str(tmp_path / "mail")
    letter_id = written(bat)
    draining.drain(tasks.FULFIL)
    (file,) = (tmp_path / "mail").glob("*.eml")
    assert fate(letter_id) == "sent"
    assert "bat@example.com" in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_server_keeps_no_letters_in_files() -> None:
    assert knobs.letters_may_lie_in("", over_tls=True) == ""
    assert knobs.letters_may_lie_in("mail", over_tls=False) == "mail"
    with pytest.raises(ImproperlyConfigured):
        knobs.letters_may_lie_in("mail", over_tls=True)


def test_neither_address_nor_secret_stands_anywhere(
    bat: uuid.UUID, mail: Mailbox, superuser: psycopg.Connection
) -> None:
    written(bat)
    waiting = everything(superuser)
    secret = token_in(mail.link())
    assert "bat@example.com" not in waiting + everything(superuser)
    assert secret not in everything(superuser)
    assert secret[40:] not in everything(superuser)


def everything(superuser: psycopg.Connection) -> str:
    tables = ("accounts_letter", "iva_outbox_promise", "iva_audit_auditevent")
    rows = [str(superuser.execute(f"SELECT row_to_json(t)::text FROM {t} t").fetchall()) for t in tables]
    valkey = redis.Redis.from_url(configured.REDIS_URL)
    queued = [valkey.dump(key) for key in valkey.scan_iter()]
    return json.dumps(rows) + str(queued)
