"""Whatever Acme asks, it is answered as if Globex did not exist."""

import re
import uuid
from typing import Any

import psycopg
import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversations.models import Conversation, Message
from iva import checks
from iva.local import Servers
from iva.tenancy import catalogue
from tests import cast
from tests.api.worlds import ENTRY, EXTERNAL_IDS, PHONES, Asked, Clock, GlobexHears, Line, Worked, World
from tests.cast import Party
from tests.conftest import empty

DOORS = [
    (method, route.removeprefix("/api/v1/"))
    for route, view in checks.api_views()
    for method in checks.answered_methods(view)
]
TEXTS = ["Картаа гээчихлээ яах вэ?", "Сайн байна уу"]
BODIES: dict[str, Any] = {
    "conversations/<uuid:conversation_id>/messages/": {"text": "planted"},
    "conversations/<uuid:conversation_id>/resolution/": {"resolution": "abandoned"},
    "end-users/<uuid:end_user_id>/erasure/": {"ground": "subject_request"},
    "end-users/search/": {"phone": "99112233"},
    "knowledge/": ENTRY,
    "knowledge/<uuid:entry_id>/": ENTRY,
    "messages/": {"external_id": "m-0", "sender": {"phone": "99112233"}, "text": "planted"},
    "messages/batch/": {
        "messages": [{"external_id": "m-0", "sender": {"phone": "99112233"}, "text": "planted"}]
    },
}


def everything_of(superuser: psycopg.Connection, party: Party) -> dict[str, list[str]]:
    """Every row of an organization, as only a superuser sees it."""
    rows = {}
    for table in catalogue.tenant_tables(superuser.cursor()):
        statement = f'SELECT t::text FROM "{table}" t WHERE organization_id = %s ORDER BY 1'
        rows[table] = [row for (row,) in superuser.execute(statement.encode(), [party.id]).fetchall()]
    return rows


def ids_of(party: Party) -> dict[str, str]:
    """One id of each kind."""
    receipt = party.says("Манай нууц", external_id="m-0", phone="99112233").body
    someone = party.says("Мартаарай", email="erased@example.com").body["end_user_id"]
    erasure = party.call("POST", f"end-users/{someone}/erasure/", {"ground": "unlawful"}).body
    return {
        "conversation": receipt["conversation_id"],
        "end user": receipt["end_user_id"],
        "message": receipt["message_id"],
        "entry": party.call("POST", "knowledge/", ENTRY).body["id"],
        "erasure": erasure["id"],
        "erased end user": someone,
        "channel": str(party.channel.pk),
        "API key": str(party.key.pk),
        "organization": str(party.id),
    }


NAMING = [(method, route) for method, route in DOORS if "<uuid:" in route]


@pytest.mark.parametrize(("method", "route"), NAMING, ids=[" ".join(door) for door in NAMING])
def test_an_id_of_globex_is_an_id_that_does_not_exist(
    acme: Party, globex: Party, superuser: psycopg.Connection, method: str, route: str
) -> None:
    theirs = ids_of(globex)
    before = everything_of(superuser, globex)
    body = BODIES.get(route) if method in ("POST", "PUT") else None
    nobody = str(uuid.uuid4())
    expected = acme.call(method, re.sub(r"<uuid:\w+>", nobody, route), body)
    assert expected.status == 404

    for kind, id_ in theirs.items():
        answer = acme.call(method, re.sub(r"<uuid:\w+>", id_, route), body)
        assert (answer.status, answer.body) == (expected.status, expected.body), kind
        assert answer.headers.keys() == expected.headers.keys(), kind
    assert everything_of(superuser, globex) == before


@pytest.mark.parametrize("route", sorted(BODIES))
def test_every_body_of_a_script_is_one_that_its_door_accepts(acme: Party, route: str) -> None:
    """Otherwise the tests here would be answered 422 and prove nothing."""
    ours = ids_of(acme)
    kinds = {"conversation_id": "conversation", "end_user_id": "end user", "entry_id": "entry"}
    path = re.sub(r"<uuid:(\w+)>", lambda found: ours[kinds[found[1]]], route)
    method = next(method for method, other in DOORS if other == route and method != "GET")
    assert acme.call(method, path, BODIES[route]).status in (200, 201, 409)


@pytest.mark.parametrize("route", sorted(BODIES))
def test_nobody_chooses_the_organization_or_an_id_in_a_body(
    acme: Party, globex: Party, superuser: psycopg.Connection, route: str
) -> None:
    theirs, ours = ids_of(globex), ids_of(acme)
    before = everything_of(superuser, globex)
    chosen = {
        "id": theirs["message"],
        "organization": str(globex.id),
        "organization_id": str(globex.id),
        "end_user_id": theirs["end user"],
        "conversation_id": theirs["conversation"],
        "channel_id": theirs["channel"],
        "api_key_id": theirs["API key"],
        "in_reply_to": theirs["message"],
        "author": "agent",
        "actor": "system",
        "outcome": "answer",
        "version": 99,
        "kept_at": "2001-01-01T00:00:00Z",
        "erased_at": None,
        "retired_at": "2001-01-01T00:00:00Z",
        "closed_at": "2001-01-01T00:00:00Z",
    }
    kinds = {"conversation_id": "conversation", "end_user_id": "end user", "entry_id": "entry"}
    path = re.sub(r"<uuid:(\w+)>", lambda found: ours[kinds[found[1]]], route)
    method = next(method for method, other in DOORS if other == route and method != "GET")

    answer = acme.call(method, path, chosen | BODIES[route])

    assert answer.status in (200, 201, 409, 422)
    assert not (set(theirs.values()) & set(re.findall(r"[0-9a-f-]{36}", str(answer.body))))
    assert "2001" not in str(answer.body)
    assert everything_of(superuser, globex) == before
    with acme.tenant():
        assert not Message.objects.filter(author="agent").exists()
        assert not Conversation.objects.filter(closed_at__year=2001).exists()


def test_a_batch_into_a_channel_of_globex_finds_no_channel(acme: Party, globex: Party) -> None:
    channel = {"channel": str(globex.channel.pk)}
    nobody = {"channel": str(uuid.uuid4())}
    for route in ("messages/", "messages/batch/"):
        answers = [acme.call("POST", route, BODIES[route] | where) for where in (channel, nobody)]
        assert answers[0].code == "channel_not_found"
        assert answers[0].body == answers[1].body


NUMBER = st.integers(0, 5)
WHOSE = st.sampled_from(["ours", "theirs"])


def reference(*kinds: str, cursor: str = "") -> st.SearchStrategy[str]:
    kind = st.sampled_from(kinds)
    return st.builds(lambda whose, what, number: f"{{{cursor}{whose} {what} {number}}}", WHOSE, kind, NUMBER)


def query(**parameters: st.SearchStrategy[Any]) -> st.SearchStrategy[str]:
    chosen = st.fixed_dictionaries({}, optional=parameters)
    return chosen.map(lambda found: "&".join(f"{name}={value}" for name, value in found.items()))


def asked(method: str, path: str, **parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Asked]:
    """`path` and its named parts; a part called `body` is the body."""
    body = parts.pop("body", st.none())
    return st.builds(
        lambda named, sent: Asked(method, path.format(**named), sent), st.fixed_dictionaries(parts), body
    )


LIMIT = st.sampled_from([1, 2, 100])
CONVERSATION, END_USER = reference("conversation"), reference("end_user")
CHANNEL = st.fixed_dictionaries({}, optional={"channel": reference("channel")})
EMAIL = st.sampled_from(["bat@example.com", "g0@example.com"])
SENDER = st.fixed_dictionaries({"phone": st.sampled_from(PHONES)}, optional={"email": EMAIL})
MESSAGE = st.fixed_dictionaries(
    {"external_id": st.sampled_from(EXTERNAL_IDS), "sender": SENDER, "text": st.sampled_from(TEXTS)}
)
BATCH = st.lists(MESSAGE, min_size=1, max_size=3, unique_by=lambda message: message["sender"]["phone"]).map(
    lambda messages: {"messages": messages}
)
RESOLUTION = st.just({"resolution": "answered"})
SEARCH = st.builds(
    lambda kind, value: {kind: value},
    st.sampled_from(["phone", "email", "customer_number"]),
    st.sampled_from(["99112233", "+976 9944 5566", "bat@example.com", "g0@example.com"]),
)
PAGE = query(limit=LIMIT, cursor=reference("message", "entry", "erasure", cursor="cursor "))
INBOX = query(
    limit=LIMIT,
    state=st.sampled_from(["open", "handed_over", "resolved"]),
    channel=reference("channel", "organization"),
    end_user=reference("end_user", "message"),
)
QUESTIONS: list[tuple[str, str, dict[str, st.SearchStrategy[Any]]]] = [
    ("POST", "messages/", {"body": st.builds(dict.__or__, MESSAGE, CHANNEL)}),
    ("POST", "messages/batch/", {"body": st.builds(dict.__or__, BATCH, CHANNEL)}),
    ("GET", "conversations/?{query}", {"query": INBOX}),
    ("GET", "conversations/{id}/", {"id": CONVERSATION}),
    ("GET", "conversations/{id}/messages/?{query}", {"id": CONVERSATION, "query": PAGE}),
    ("POST", "conversations/{id}/messages/", {"id": CONVERSATION, "body": st.just({"text": "Би туслъя"})}),
    ("PUT", "conversations/{id}/handover/", {"id": CONVERSATION}),
    ("DELETE", "conversations/{id}/handover/", {"id": CONVERSATION}),
    ("PUT", "conversations/{id}/resolution/", {"id": CONVERSATION, "body": RESOLUTION}),
    ("POST", "end-users/search/", {"body": SEARCH}),
    ("GET", "end-users/{id}/", {"id": END_USER}),
    ("POST", "end-users/{id}/erasure/", {"id": END_USER, "body": st.just({"ground": "subject_request"})}),
    ("GET", "erasures/?{query}", {"query": PAGE}),
    ("GET", "erasures/{id}/", {"id": reference("erasure", "end_user")}),
    ("GET", "knowledge/?{query}", {"query": PAGE}),
    ("POST", "knowledge/", {"body": st.just(ENTRY)}),
    ("GET", "knowledge/{id}/", {"id": reference("entry")}),
    ("PUT", "knowledge/{id}/", {"id": reference("entry"), "body": st.just(ENTRY | {"answer": "Салбарт."})}),
    ("DELETE", "knowledge/{id}/", {"id": reference("entry")}),
    ("GET", "channels/", {}),
    ("GET", "organization/", {}),
    ("GET", "audit-events/?{query}", {"query": query(limit=LIMIT)}),
]
ASKED = st.one_of([asked(method, path, **parts) for method, path, parts in QUESTIONS])
SCRIPTS = st.lists(
    st.one_of(ASKED, ASKED, st.builds(GlobexHears, st.sampled_from(PHONES)), st.just(Worked())),
    min_size=8,
    max_size=20,
)


def test_the_questions_cover_every_door() -> None:
    covered = {(method, path.partition("?")[0]) for method, path, _ in QUESTIONS}
    assert covered == {(method, re.sub(r"<uuid:\w+>", "{id}", route)) for method, route in DOORS}


def test_what_acme_is_told_does_not_depend_on_globex(
    db: None, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def play(script: list[Line], *others: str) -> list[Any]:
        monkeypatch.setattr(timezone, "now", Clock())
        parties = [cast.found(name) for name in (*others, "Acme")]
        return World(parties[-1], *parties[:-1]).play(script)

    @settings(
        max_examples=25,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(script=SCRIPTS)
    def drive(script: list[Line]) -> None:
        empty(servers)
        alone = play(script)
        empty(servers)
        for expected, line in zip(alone, play(script, "Globex"), strict=True):
            assert line == expected

    drive()
