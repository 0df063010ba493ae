"""Who can write into the database past us has no credential, no session, and nobody else's words."""

import hashlib
import json
import secrets
import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.utils import IntegrityError
from django.test import Client

from accounts import api_keys, operators, tokens
from accounts.models import ApiKey
from accounts.scopes import Scope
from accounts.tokens import Token
from iva.audit.actors import SYSTEM
from tests.admin.conftest import at_desk
from tests.cast import Party


@pytest.fixture(autouse=True)
def nothing_is_remembered(settings: Any) -> None:
    settings.IVA_API_KEY_CACHE_SECONDS = 0


def opens(party: Party, token: str) -> bool:
    return party.call("GET", "conversations/", token=token).status == 200


def test_a_key_that_somebody_wrote_into_the_table_opens_nothing(acme: Party) -> None:
    secret, key_id = secrets.token_bytes(32), uuid.uuid4()
    with acme.tenant(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_apikey (organization_id, id, name, secret_hash, seal, scopes, issued_at)"
            " SELECT organization_id, %s, 'mine', %s, seal, scopes, issued_at FROM accounts_apikey",
            [key_id, hashlib.sha256(secret).digest()],
        )
    assert not opens(acme, tokens.pack(api_keys.PREFIX, Token(acme.id, key_id, secret)))
    assert opens(acme, acme.token)


@pytest.mark.parametrize(
    "change",
    [
        'scopes = \'["end_users:read", "conversations:read"]\'',
        "scopes = '[]'",
        "expires_at = now() + interval '1 year'",
        "issued_at = now()",
        "revoked_at = NULL, expires_at = NULL, seal = seal || ''::bytea, name = 'x', id = gen_random_uuid()",
        "seal = '\\x00000000000000000000000000000000'",
    ],
)
def test_a_key_that_somebody_has_altered_opens_nothing(acme: Party, change: str) -> None:
    token = acme.key_with(Scope.CONVERSATIONS_READ)
    assert opens(acme, token)
    with acme.tenant(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE accounts_apikey SET {change} WHERE name = 'narrow'")
    assert not opens(acme, token)


def test_a_revoked_key_is_not_brought_back_with_an_update(acme: Party) -> None:
    with acme.tenant():
        key, token = api_keys.issue("leaked", [Scope.CONVERSATIONS_READ], actor=SYSTEM)
        api_keys.revoke(key, actor=SYSTEM)
        ApiKey.objects.filter(pk=key.pk).update(revoked_at=None)
    assert not opens(acme, token)


def test_another_name_and_a_later_use_alter_nothing_that_counts(acme: Party) -> None:
    with acme.tenant():
        ApiKey.objects.update(name="renamed", last_used_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert opens(acme, acme.token)


def test_an_expiry_in_another_time_zone_is_the_same_expiry(acme: Party) -> None:
    ulaanbaatar = timezone(timedelta(hours=8))
    with acme.tenant():
        _, token = api_keys.issue(
            "narrow",
            [Scope.CONVERSATIONS_READ],
            actor=SYSTEM,
            expires_at=datetime.now(ulaanbaatar) + timedelta(days=1),
        )
    assert opens(acme, token)


@pytest.fixture
def signed_in(db: None) -> Client:
    return at_desk(operators.appoint("operator@example.com", "correct horse battery staple"))


def enters(key: str) -> bool:
    client = Client(raise_request_exception=False)
    client.cookies["session"] = key
    return client.get("/admin/accounts/user/").status_code == 200


def test_the_table_of_sessions_opens_nobodys_session(signed_in: Client) -> None:
    cookie = signed_in.cookies["session"].value
    assert enters(cookie)
    written = Session.objects.get()
    assert not enters(written.session_key)
    assert cookie not in json.dumps([written.session_key, written.session_data])


def test_a_copy_of_somebodys_session_under_ones_own_key_opens_nothing(signed_in: Client) -> None:
    theirs = Session.objects.get()
    mine = secrets.token_hex(16)
    Session.objects.create(
        session_key=hashlib.sha256(mine.encode()).hexdigest()[:40],
        session_data=theirs.session_data,
        expire_date=theirs.expire_date,
    )
    assert not enters(mine)


def test_signing_out_ends_the_session(signed_in: Client) -> None:
    cookie = signed_in.cookies["session"].value
    signed_in.post("/sign-out/")
    assert not enters(cookie)
    assert not Session.objects.exists()


@pytest.mark.parametrize(
    "lie",
    [
        "UPDATE conversations_message SET conversation_id = %(hers)s WHERE conversation_id = %(his)s",
        "UPDATE conversations_conversation SET end_user_id = %(her)s, closed_at = now() WHERE id = %(his)s",
        "UPDATE conversations_message SET end_user_id = %(her)s WHERE conversation_id = %(his)s",
    ],
)
def test_nobodys_words_can_be_put_into_another_persons_mouth(
    acme: Party, superuser: psycopg.Connection, lie: str
) -> None:
    bat = acme.says("Батын үг", phone="99112233").body
    saraa = acme.says("Сараагийн үг", phone="88776655").body
    parameters = {
        "his": bat["conversation_id"],
        "hers": saraa["conversation_id"],
        "her": saraa["end_user_id"],
    }
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        superuser.execute(lie, parameters)
    with pytest.raises(IntegrityError), acme.tenant(), connection.cursor() as cursor:
        cursor.execute(lie, parameters)
