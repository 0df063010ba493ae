"""A message that arrives in the moment in which its conversation is ended."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import psycopg

from conversations import reading, resolving, tasks
from conversations.models import Resolution
from iva.audit.actors import SYSTEM
from iva.outbox import draining
from tests.cast import Party
from tests.faults.posting import QUESTION, message
from tests.faults.running import PATIENCE, eventually
from tests.faults.together import in_a_thread, somebody_waits


def test_it_opens_another_conversation_and_is_answered(knowing: Party, superuser: psycopg.Connection) -> None:
    first = knowing.call("POST", "messages/", message("m-1", 1)).body
    draining.drain(tasks.FULFIL)
    ended, commit = threading.Event(), threading.Event()

    def end() -> None:
        with knowing.tenant():
            conversation = reading.get_for_update(uuid.UUID(first["conversation_id"]))
            resolving.resolve(conversation, Resolution.ANSWERED, actor=SYSTEM)
            ended.set()
            commit.wait(PATIENCE)

    with ThreadPoolExecutor(2) as threads:
        ending = in_a_thread(threads, end)
        assert ended.wait(PATIENCE)
        posting = in_a_thread(threads, lambda: knowing.call("POST", "messages/", message("m-2", 1)))
        try:
            eventually(lambda: posting.done() or somebody_waits(superuser), "the message is kept, or waits")
        finally:
            commit.set()
    ending.result()
    second = posting.result()
    draining.drain(tasks.FULFIL)

    assert second.status == 201
    assert second.body["conversation_id"] != first["conversation_id"]
    path = f"conversations/{second.body['conversation_id']}/messages/"
    reply, question = knowing.call("GET", path).body["results"]
    assert (question["text"], reply["author"]) == (QUESTION, "agent")
