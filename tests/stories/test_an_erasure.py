"""An End User is erased: at once unreadable, then gone, and nobody can bring them back."""

import uuid
from collections.abc import Callable

import psycopg
import pytest

from iva.audit import anchors, verification
from iva.audit.actors import SYSTEM
from iva.crypto import keys
from privacy import replaying, sealing
from retention import holds
from tests.cast import Party

GROUND = {"ground": "subject_request"}


def test_from_the_response_on_nothing_can_be_read(
    acme: Party, superuser: psycopg.Connection, work_is_done: Callable[[], object]
) -> None:
    receipt = acme.says("Миний тухай мартаарай", name="Бат", phone="99112233").body
    other = acme.says("Би үлдэнэ", name="Сараа", phone="99445566").body
    work_is_done()

    erased = acme.call("POST", f"end-users/{receipt['end_user_id']}/erasure/", GROUND)

    assert erased.status == 200
    assert erased.body["disposed_at"] is not None
    assert erased.body["disposed_rows"] == {
        "privacy_enduseridentity": 1,
        "conversations_message": 2,
        "conversations_conversation": 1,
        "privacy_enduser": 1,
    }
    assert acme.call("GET", f"end-users/{receipt['end_user_id']}/").status == 404
    assert acme.call("GET", f"conversations/{receipt['conversation_id']}/").status == 404
    assert acme.call("GET", f"conversations/{receipt['conversation_id']}/messages/").status == 404
    assert acme.call("POST", "end-users/search/", {"phone": "99112233"}).body == {"results": []}
    assert acme.call("GET", f"end-users/{other['end_user_id']}/").body["name"] == "Сараа"
    for table in ("privacy_enduseridentity", "conversations_conversation", "conversations_message"):
        rows = superuser.execute(f"SELECT t::text FROM {table} t").fetchall()
        assert not [row for (row,) in rows if receipt["end_user_id"] in row]


def test_the_trail_that_remains_holds_ids_only_and_is_whole(acme: Party) -> None:
    receipt = acme.says("Мартаарай", name="Бат", phone="99112233").body
    acme.call("POST", f"end-users/{receipt['end_user_id']}/erasure/", GROUND)
    anchors.anchor()

    events = acme.call("GET", "audit-events/").body["results"]
    assert "end_user.erased" in [event["event"] for event in events]
    assert not [event for event in events if "Бат" in str(event) or "99112233" in str(event)]
    assert verification.verify(acme.id).is_whole


def test_erasing_twice_gives_the_first_certificate(acme: Party) -> None:
    receipt = acme.says("Мартаарай").body
    first = acme.call("POST", f"end-users/{receipt['end_user_id']}/erasure/", GROUND)
    again = acme.call("POST", f"end-users/{receipt['end_user_id']}/erasure/", GROUND)
    assert first.body == again.body
    assert acme.call("GET", f"erasures/{first.body['id']}/").body == first.body


def test_who_returns_is_somebody_new(acme: Party) -> None:
    before = acme.says("Мартаарай", phone="99112233").body
    acme.call("POST", f"end-users/{before['end_user_id']}/erasure/", GROUND)
    after = acme.says("Би дахин ирлээ", phone="99112233").body
    assert after["end_user_id"] != before["end_user_id"]


def test_a_legal_hold_stops_the_erasure_and_leaves_everything_as_it_was(acme: Party) -> None:
    receipt = acme.says("Мартаарай").body
    with acme.tenant():
        holds.place("2026/17", actor=SYSTEM)
    refused = acme.call("POST", f"end-users/{receipt['end_user_id']}/erasure/", GROUND)
    assert (refused.status, refused.code) == (409, "legal_hold_in_force")
    assert acme.call("GET", f"end-users/{receipt['end_user_id']}/").status == 200


def test_globex_cannot_erase_our_end_user(acme: Party, globex: Party) -> None:
    receipt = acme.says("Намайг бүү хөндөөрэй").body
    assert globex.call("POST", f"end-users/{receipt['end_user_id']}/erasure/", GROUND).status == 404
    assert acme.call("GET", f"end-users/{receipt['end_user_id']}/").status == 200


WRITTEN = """
SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns
WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER'
"""
"""The columns of a table that are not computed from others."""


@pytest.fixture
def copied(superuser: psycopg.Connection) -> Callable[[], Callable[[], None]]:
    """Copy every table; the returned function puts the copies back, like a restored backup."""

    def copy() -> Callable[[], None]:
        tables = [
            row[0]
            for row in superuser.execute(
                "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
                " WHERE nspname = 'public'"
                " AND relkind IN ('r', 'p') AND NOT relispartition"
                " AND relname !~ '^(django|auth|accounts_user)'"
            ).fetchall()
        ]
        for table in tables:
            superuser.execute(f'DROP TABLE IF EXISTS pg_temp."copy_{table}"')
            superuser.execute(f'CREATE TEMP TABLE "copy_{table}" AS SELECT * FROM public."{table}"')

        def restore() -> None:
            superuser.execute("SET session_replication_role = replica")
            superuser.execute("TRUNCATE " + ", ".join(f'public."{table}"' for table in tables))
            for table in tables:
                columns = superuser.execute(WRITTEN, [table]).fetchone()[0]  # type: ignore[index]
                superuser.execute(
                    f'INSERT INTO public."{table}" ({columns}) SELECT {columns} FROM pg_temp."copy_{table}"'
                )
            superuser.execute("SET session_replication_role = DEFAULT")

        return restore

    return copy


def test_a_restored_backup_does_not_bring_the_erased_back(
    acme: Party, copied: Callable[[], Callable[[], None]]
) -> None:
    receipt = acme.says("Мартаарай", name="Бат", phone="99112233").body
    restore = copied()
    acme.call("POST", f"end-users/{receipt['end_user_id']}/erasure/", GROUND)

    restore()

    assert replaying.outstanding() == {acme.id: [uuid.UUID(receipt["end_user_id"])]}
    assert acme.client.get("/readyz").status_code == 503
    shown = acme.call("GET", f"conversations/{receipt['conversation_id']}/messages/")
    assert "Мартаарай" not in str(shown.body), "the key is refused before the replay"

    assert replaying.replay() == 1
    assert acme.call("GET", f"end-users/{receipt['end_user_id']}/").status == 404
    assert replaying.outstanding() == {}


def test_after_the_epoch_roll_the_certificate_says_so(acme: Party) -> None:
    receipt = acme.says("Мартаарай").body
    record = acme.call("POST", f"end-users/{receipt['end_user_id']}/erasure/", GROUND).body
    assert record["sealed_at"] is None
    sealing.roll_epoch()
    assert acme.call("GET", f"erasures/{record['id']}/").body["sealed_at"] is not None
    assert acme.says("Шинэ түлхүүрээр").status == 201
    with acme.tenant():
        assert keys.shreddings(uuid.UUID(receipt["end_user_id"]))[0].unrecoverable_at
