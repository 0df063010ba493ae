"""Fixtures of every test.

Transactions commit: a test wrapped in a transaction of its own would keep `SET LOCAL` alive between
requests and prove nothing about the wall. Afterwards a superuser empties the tables.
"""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import redis
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts import doors, people, sign_ins
from accounts.models import LegalDocument
from accounts.people import Acting, Profile
from accounts.roles import Role
from conversations import tasks
from iva import local
from iva.audit.actors import SYSTEM
from iva.crypto import cache, key_copies
from iva.outbox import draining
from tests import cast
from tests.agreements import documents
from tests.embedded import SERVERS

DATABASE = "iva"
FILLED_BY_MIGRATIONS = ["django_migrations", "django_content_type", "auth_permission"]


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> local.Servers:
    """The servers of this run; `superuser_url` is for looking behind the wall, never for serving."""
    return request.config.stash[SERVERS]


@pytest.fixture(scope="session")
def superuser(servers: local.Servers) -> Iterator[psycopg.Connection]:
    """A connection that sees everything, as a thief of the database would."""
    with psycopg.connect(servers.superuser_url, dbname=DATABASE, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def django_db_setup() -> None:
    """The database exists and is migrated; pytest-django must not make one of its own."""


@pytest.fixture
def db(django_db_blocker: Any, servers: local.Servers) -> Iterator[None]:
    """The database, emptied afterwards; Valkey, where limits are counted, emptied before.

    Key copies of earlier tests, whose keyrings may have been others, are gone.
    """
    redis.Redis.from_url(servers.redis_url).flushall()
    for copy in key_copies.copies():
        copy.unlink()
    with django_db_blocker.unblock():
        yield
    empty(servers)


EMPTY = """
DO $$
DECLARE
    name text;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR name IN
        SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relname <> ALL ('{%s}')
          AND pg_relation_size(c.oid) > 0
    LOOP
        IF pg_relation_size(name::regclass) > 1048576 THEN
            EXECUTE 'TRUNCATE ' || name || ' CASCADE';
        ELSE
            EXECUTE 'DELETE FROM ' || name;
        END IF;
    END LOOP;
END $$
"""


def empty(servers: local.Servers) -> None:
    """Empty every table but those the migrations fill, and forget the keys that lay in them.

    Triggers do not fire for a replica. Rows are deleted where there are few: to truncate sixty tables costs
    more than most tests do.
    """
    cache.forget_all()
    with psycopg.connect(servers.superuser_url, dbname=DATABASE, autocommit=True) as connection:
        connection.execute(EMPTY % ",".join(FILLED_BY_MIGRATIONS))


@pytest.fixture
def acme(db: None) -> cast.Party:
    """Our organization."""
    return cast.found("Acme")


@pytest.fixture
def globex(db: None) -> cast.Party:
    """Theirs."""
    return cast.found("Globex")


@pytest.fixture
def first(db: None) -> LegalDocument:
    """The first version of the platform's terms, with its privacy policy, in effect."""
    return documents.first()


Hire = Callable[..., Acting]
AtDesk = Callable[..., Client]


@pytest.fixture
def hire(db: None) -> Hire:
    """Meet somebody new and make them a member."""

    def hire_one(party: cast.Party, name: str, role: Role, *, is_responsible: bool = False) -> Acting:
        email = f"{name.lower()}@{party.organization.slug}.example.com"
        user_id = people.meet(email, "correct horse battery staple")
        people.verify(user_id)
        with party.tenant("account.manage"):
            profile = Profile(name, email, "Менежер", "9911 2233")
            people.join(user_id, role, profile, actor=SYSTEM, is_responsible=is_responsible)
        return people.enter(user_id, party.id, timezone.now())

    return hire_one


@pytest.fixture
def saraa(acme: cast.Party, hire: Hire) -> Acting:
    """Acme's owner, who has just proved herself."""
    return hire(acme, "Saraa", Role.OWNER, is_responsible=True)


@pytest.fixture
def dorj(globex: cast.Party, hire: Hire) -> Acting:
    """Globex's."""
    return hire(globex, "Dorj", Role.OWNER)


@pytest.fixture
def at_desk(first: LegalDocument) -> AtDesk:
    """A browser in which a member is signed in, works for their organization and has accepted what counts.

    `proved`: a second factor was given just now; without it, never.
    """

    def sign_in(member: Acting, *, proved: bool = True, accepted: bool = True) -> Client:
        if accepted:
            documents.accepted(member.organization_id, member.user_id)
        proved_at = timezone.now() if proved else None
        sign_in = sign_ins.begin(
            member.user_id, browser="Firefox", from_address="203.0.113.9", proved_at=proved_at
        )
        browser = Client(raise_request_exception=False, headers={"Accept": "text/html"})
        session = browser.session
        session[doors.SIGN_IN], session[doors.ORGANIZATION] = str(sign_in.pk), str(member.organization_id)
        session.save()
        browser.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
        return browser

    return sign_in


@pytest.fixture
def work_is_done(db: None) -> Callable[[], object]:
    """Do, in this process, whatever a worker would find due."""
    return lambda: draining.drain(tasks.FULFIL)
