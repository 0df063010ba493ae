"""Workers that die while tens of thousands of rows of an erased End User are being deleted."""

import uuid

import psycopg
import pytest

from iva.audit import verification
from privacy.models import ErasureRecord
from retention import disposal
from tests.cast import Party
from tests.faults import counting
from tests.faults.running import Programs, eventually

pytestmark = pytest.mark.slow

ROWS = 80_000

COPY = """
INSERT INTO conversations_message (organization_id, conversation_id, id, end_user_id, channel_id, author,
    body_encrypted, kept_at, outcome, knowledge_entry_ids)
SELECT organization_id, conversation_id, gen_random_uuid(), end_user_id, channel_id, author,
    body_encrypted, kept_at, outcome, knowledge_entry_ids
FROM conversations_message, generate_series(2, %s) WHERE conversations_message.id = %s
"""


def rows_of(end_user_id: uuid.UUID, db: psycopg.Connection) -> int:
    return counting.count(db, f"conversations_message WHERE end_user_id = '{end_user_id}'")


def test_a_disposal_killed_again_and_again_is_finished_and_counted_right(
    acme: Party, programs: Programs, superuser: psycopg.Connection
) -> None:
    receipt = acme.says("Forget all of it").body
    end_user_id = uuid.UUID(receipt["end_user_id"])
    superuser.execute("DELETE FROM iva_outbox_promise")
    superuser.execute(COPY, [ROWS, receipt["message_id"]])
    superuser.execute("ANALYZE conversations_message")  # as autovacuum would within the minute
    erased = acme.call("POST", f"end-users/{end_user_id}/erasure/", {"ground": "subject_request"})
    assert (erased.status, erased.body["disposed_at"]) == (202, None)

    programs.beat()
    worker = programs.worker()
    for kill in (worker.kill_a_child, worker.kill):
        before = rows_of(end_user_id, superuser)
        eventually(lambda before=before: rows_of(end_user_id, superuser) < before, "rows are being deleted")
        kill()
        assert rows_of(end_user_id, superuser) > 0, "it was in the middle"
    programs.worker()
    eventually(lambda: counting.promised(superuser) == 0, "the disposal is finished")

    with acme.tenant("legal.requirement"):
        assert disposal.remaining(end_user_id) == {}
        record = ErasureRecord.objects.get(end_user_id=end_user_id)
    assert record.disposed_at is not None
    assert record.disposed_rows == {
        "conversations_message": ROWS,
        "conversations_conversation": 1,
        "privacy_enduser": 1,
        "privacy_enduseridentity": 1,
    }
    assert counting.events(superuser, acme.id)["end_user.disposed"] == 1
    assert verification.verify(acme.id).is_whole
