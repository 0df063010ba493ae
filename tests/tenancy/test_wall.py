"""One organization attacks the other through our own code and connection, and finds nothing."""

import uuid

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from accounts.models import ApiKey
from channels_cfg.models import Channel
from conversations.models import Conversation, Message
from iva import tenancy
from privacy.models import EndUser, EndUserIdentity
from tests.cast import Party

TENANT_MODELS = [ApiKey, Channel, Conversation, EndUser, EndUserIdentity, Message]


def count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT count(*) FROM "{table}"')
        return cursor.fetchone()[0]


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model.__name__)
def test_raw_sql_in_acmes_transaction_sees_no_row_of_globex(acme: Party, globex: Party, model: type) -> None:
    globex.says("Манай нууц")
    with acme.tenant():
        seen = count(model._meta.db_table)
        assert seen == model.objects.count()
        with connection.cursor() as cursor:
            cursor.execute(
                f'SELECT count(*) FROM "{model._meta.db_table}" WHERE organization_id = %s', [globex.id]
            )
            assert cursor.fetchone() == (0,)


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model.__name__)
def test_without_an_organization_there_are_no_rows_at_all(acme: Party, model: type) -> None:
    acme.says("Сайн уу")
    assert count(model._meta.db_table) == 0


def test_the_organization_is_forgotten_with_the_transaction(acme: Party) -> None:
    with acme.tenant():
        assert count("channels_cfg_channel") == 1
    assert count("channels_cfg_channel") == 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('iva.organization_id', true)")
        assert cursor.fetchone() in [("",), (None,)]


def test_a_query_outside_a_tenant_is_refused_by_the_manager(acme: Party) -> None:
    with pytest.raises(tenancy.NoTenantActive):
        Channel.objects.count()


def test_a_transaction_cannot_serve_two_organizations(acme: Party, globex: Party) -> None:
    with acme.tenant(), pytest.raises(tenancy.AnotherTenantActive), globex.tenant():
        pass


def test_a_tenant_cannot_hide_inside_an_outer_transaction(acme: Party) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError), acme.tenant():
        pass


def test_inserting_into_the_other_organization_is_refused(acme: Party, globex: Party) -> None:
    with acme.tenant(), pytest.raises(DatabaseError, match="row-level security"):
        Channel.objects.create(organization_id=globex.id, kind="api", name="planted")


def test_moving_a_row_to_the_other_organization_is_refused(acme: Party, globex: Party) -> None:
    with acme.tenant(), pytest.raises(DatabaseError, match="row-level security"):
        Channel.objects.update(organization_id=globex.id)


def test_a_foreign_key_cannot_reach_into_the_other_organization(acme: Party, globex: Party) -> None:
    """A plain foreign key would, because its check runs past row-level security."""
    theirs = globex.says("Сайн уу").body
    with acme.tenant(), pytest.raises(IntegrityError):
        Conversation.objects.create(end_user_id=theirs["end_user_id"], channel_id=acme.channel.pk)


def test_a_foreign_key_is_no_oracle_for_foreign_ids(acme: Party, globex: Party) -> None:
    theirs = globex.says("Сайн уу").body["end_user_id"]
    failures = []
    for end_user_id in (theirs, str(uuid.uuid4())):
        with pytest.raises(IntegrityError) as failure, acme.tenant():
            Conversation.objects.create(end_user_id=end_user_id, channel_id=acme.channel.pk)
        failures.append(str(failure.value).replace(end_user_id, "the id"))
    assert failures[0].split("DETAIL")[0] == failures[1].split("DETAIL")[0]


@pytest.mark.parametrize(
    "statement",
    [
        "SET ROLE iva_owner",
        "SET session_authorization = 'iva_owner'",
        "ALTER TABLE channels_cfg_channel DISABLE ROW LEVEL SECURITY",
        "DROP POLICY organization ON channels_cfg_channel",
        "CREATE TABLE mine (id int)",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "TRUNCATE channels_cfg_channel",
        "SELECT * FROM conversations_message_p00",
        "UPDATE iva_audit_auditevent SET actor = 'nobody'",
        "DELETE FROM iva_audit_auditevent",
        "DELETE FROM iva_audit_audithead",
        "ALTER ROLE iva_app BYPASSRLS",
        "COPY channels_cfg_channel TO PROGRAM 'true'",
        "SELECT pg_read_file('/etc/passwd')",
        "SET session_replication_role = replica",
        "SELECT rolpassword FROM pg_authid",
    ],
)
def test_the_serving_role_may_not(acme: Party, statement: str) -> None:
    with pytest.raises(DatabaseError), acme.tenant(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_row_security_off_raises_instead_of_showing_everything(acme: Party) -> None:
    with pytest.raises(DatabaseError), acme.tenant(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL row_security = off")
        cursor.execute("SELECT * FROM channels_cfg_channel")


def test_ids_of_globex_are_not_found_through_any_door_of_acme(acme: Party, globex: Party) -> None:
    theirs = globex.says("Сайн уу", phone="99001122").body
    conversation, end_user = theirs["conversation_id"], theirs["end_user_id"]
    assert acme.call("GET", f"conversations/{conversation}/").status == 404
    assert acme.call("GET", f"conversations/{conversation}/messages/").status == 404
    assert acme.call("POST", f"conversations/{conversation}/messages/", {"text": "planted"}).status == 404
    assert acme.call("PUT", f"conversations/{conversation}/handover/").status == 404
    assert acme.call("GET", f"end-users/{end_user}/").status == 404
    assert acme.call("GET", f"conversations/?end_user={end_user}").body["results"] == []
    assert acme.call("POST", "end-users/search/", {"phone": "99001122"}).body == {"results": []}
    body = {
        "external_id": "x",
        "sender": {"phone": "99001122"},
        "text": "x",
        "channel": str(globex.channel.pk),
    }
    assert acme.call("POST", "messages/", body).code == "channel_not_found"


def test_the_same_phone_has_unrelated_blind_indexes_in_two_organizations(acme: Party, globex: Party) -> None:
    tokens = set()
    for party in (acme, globex):
        party.says("Сайн уу", phone="99112233")
        with party.tenant():
            tokens.add(bytes(EndUserIdentity.objects.get().handle_bidx))
    assert len(tokens) == 2


def test_a_handle_pointed_at_somebody_else_in_the_database_is_noticed(
    acme: Party, superuser: psycopg.Connection
) -> None:
    """A writer of the database would otherwise have a victim's messages filed under an accomplice."""
    acme.says("Би Бат", phone="99112233")
    accomplice = acme.says("Би Сараа", phone="99445566").body["end_user_id"]
    superuser.execute("UPDATE privacy_enduseridentity SET end_user_id = %s", [accomplice])
    assert acme.says("Миний нууц", phone="99112233").status == 500
    assert acme.call("POST", "end-users/search/", {"phone": "99112233"}).status == 500
    assert "Миний нууц" not in str(acme.call("GET", f"conversations/?end_user={accomplice}").body)


def test_one_organization_can_neither_lock_nor_move_the_audit_head_of_another(
    acme: Party, globex: Party
) -> None:
    with globex.tenant(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM iva_audit_audithead WHERE organization_id = %s FOR UPDATE", [acme.id])
        assert cursor.fetchone() is None
        cursor.execute(
            "UPDATE iva_audit_audithead SET sequence = sequence + 1 WHERE organization_id = %s", [acme.id]
        )
        assert cursor.rowcount == 0


def test_the_id_of_an_organization_cannot_be_changed(acme: Party, globex: Party) -> None:
    with (
        pytest.raises(DatabaseError, match="permission denied"),
        globex.tenant(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE accounts_organization SET id = gen_random_uuid() WHERE id = %s", [acme.id])
