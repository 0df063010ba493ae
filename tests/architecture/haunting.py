"""A deployment of its own in which words are planted, and everything fails while they are in flight."""

import json
import re
import socket
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlparse

import psycopg

from tests.architecture import canary
from tests.faults import counting
from tests.faults.house import House
from tests.faults.running import eventually
from tests.faults.together import together

ENTRY = {
    "title": canary.TITLE,
    "question": canary.QUESTION,
    "alternatives": [canary.ALTERNATIVE],
    "answer": canary.ANSWER,
}
SENDER = {
    "name": canary.NAME,
    "phone": canary.PHONE,
    "email": canary.EMAIL,
    "messenger_id": canary.MESSENGER_ID,
    "customer_number": canary.CUSTOMER_NUMBER,
}
MESSAGE = {"external_id": canary.EXTERNAL_ID, "sender": SENDER, "text": canary.SAID}
AUDIT_HEAD = "SELECT FROM iva_audit_audithead FOR UPDATE"
CONVERSATIONS = "SELECT FROM conversations_conversation FOR NO KEY UPDATE"
FAILING = [
    "INSERT INTO channels_cfg_channel (organization_id, id, kind, name, connected_at) SELECT organization_id,"
    " gen_random_uuid(), kind, name, now() FROM channels_cfg_channel WHERE %(planted)s <> ''",
    "UPDATE channels_cfg_channel SET name = repeat(%(planted)s, 20)",
    "SELECT %(planted)s::int",
    f"SELECT '{canary.SAID}'::uuid",
    f"SELECT {canary.OTHER_NAME}",
]


class Monitor:
    """Whatever reaches Valkey while it listens, as MONITOR tells it."""

    def __init__(self, url: str) -> None:
        place = urlparse(url)
        self._socket = socket.create_connection((place.hostname, place.port))
        self._socket.sendall(f"AUTH {place.password}\r\nMONITOR\r\n".encode())
        self._heard = bytearray()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while part := self._socket.recv(65_536):
            self._heard += part

    def ended(self) -> bytes:
        """Stop listening; what was heard."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()
        return bytes(self._heard)


def task_arguments(heard: bytes) -> bytes:
    """The bodies of the Celery messages in what MONITOR told, decoded."""
    bodies = re.findall(rb'\\"body\\": \\"([A-Za-z0-9+/=]+)\\"', heard)
    return b"\n".join(b64decode(body) for body in bodies)


class Haunting:
    """Plants the words through the API of a house and provokes failures with them.

    `met` says which status each kind of failure was answered with; 0 is no answer.
    """

    def __init__(self, house: House, logs: Path) -> None:
        self.house, self.logs = house, logs
        self.tenant = house.found("Acme")
        self.met: dict[str, set[int]] = {}

    def call(
        self, method: str, path: str, body: Any = None, *, raw: bytes | None = None, **headers: str
    ) -> tuple[int, Any]:
        """Status and body of an answer; the body of the request is JSON in plain UTF-8."""
        content = raw if body is None else json.dumps(body, ensure_ascii=False).encode()
        usual = {"Authorization": f"Bearer {self.tenant.token}", "Content-Type": "application/json"}
        connection = HTTPConnection(self.house.address, timeout=60)
        try:
            connection.request(method, f"/api/v1/{path}", content, usual | headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        except (OSError, HTTPException):
            return 0, None
        finally:
            connection.close()

    def attempt(self, what: str, *request: Any, raw: bytes | None = None, **headers: str) -> None:
        """A request that is meant to fail."""
        self.met.setdefault(what, set()).add(self.call(*request, raw=raw, **headers)[0])

    def plant(self) -> None:
        """A conversation with every kind of personal data in it, answered by the agent and by people."""
        assert self.call("POST", "knowledge/", ENTRY)[0] == 201
        status, receipt = self.call("POST", "messages/", MESSAGE)
        assert status == 201, receipt
        asked = MESSAGE | {"external_id": f"{canary.EXTERNAL_ID}-2", "text": canary.QUESTION}
        assert self.call("POST", "messages/batch/", {"messages": [asked]})[0] == 200
        path = f"conversations/{receipt['conversation_id']}/messages/"
        eventually(lambda: canary.ANSWER in str(self.call("GET", path)[1]), "the agent answers")
        assert self.call("POST", path, {"text": canary.ANSWERED})[0] == 201
        for kind in ("phone", "email", "messenger_id", "customer_number"):
            assert len(self.call("POST", "end-users/search/", {kind: SENDER[kind]})[1]["results"]) == 1
        assert self.call("POST", "end-users/search/", {"email": canary.SOUGHT})[0] == 200

    def erase_somebody(self) -> None:
        person = {"name": canary.OTHER_NAME, "email": f"erased-{canary.EMAIL}"}
        message = {"external_id": "erased", "sender": person, "text": canary.SHOUTED}
        end_user = self.call("POST", "messages/", message)[1]["end_user_id"]
        assert self.call("POST", f"end-users/{end_user}/erasure/", {"ground": "unlawful"})[0] == 200

    def send_rubbish(self) -> None:
        """The words where they do not belong."""
        word, words = canary.MESSENGER_ID, canary.MALFORMED
        self.attempt("host", "GET", "organization/", Host=f"{word}.example")
        self.attempt("token", "GET", "organization/", Authorization=f"Bearer {word}")
        self.attempt("headers", "GET", f"{word}/", **{"User-Agent": word, "X-Request-ID": f"{word} x"})
        for place in ("{}/", "conversations/{}/", "conversations/?cursor={}", "conversations/?state={}"):
            self.attempt("path", "GET", place.format(quote(words)))
        for path in ("messages/", "messages/batch/", "knowledge/", "end-users/search/"):
            for body in (words, [words], {words: 1}, {"text": [words]}):
                self.attempt("shape", "POST", path, body)
            self.attempt("malformed", "POST", path, raw=b'{"text": "' + words.encode())
            self.attempt("latin", "POST", path, raw=b'{"text": "\xff' + words.encode() + b'"}')
        self.attempt("handle", "POST", "messages/", MESSAGE | {"sender": {"phone": words}})
        self.attempt("time", "POST", "messages/", MESSAGE | {"sent_at": words})
        self.attempt("reused", "POST", "messages/", MESSAGE | {"text": canary.SHOUTED})
        self.attempt("NUL", "POST", "messages/", MESSAGE | {"text": f"{canary.SHOUTED}\x00"})

    def meet_in_parallel(self) -> None:
        """First contacts with one person at once: all but one meet a unique key."""
        for number in range(4):
            body = MESSAGE | {
                "external_id": f"parallel-{number}",
                "sender": {"email": f"{number}.{canary.EMAIL}", "name": canary.NAME},
            }
            together([lambda body=body: self.call("POST", "messages/", body)] * 8)

    def fail_statements(self) -> None:
        """Statements of the serving role fail with the words in their text and in their parameters."""
        with psycopg.connect(self.house.servers.app_url, autocommit=True) as db:
            db.execute(f"SET iva.organization_id = '{self.tenant.id}'")
            for statement in FAILING:
                parameters = {"planted": canary.SAID} if "%(planted)s" in statement else None
                with suppress(psycopg.Error):
                    db.execute(statement.encode(), parameters)
                    raise AssertionError(f"it did not fail: {statement}")

    def run_into(self, db: psycopg.Connection, limit: str) -> None:
        """Worker and web wait in vain for locked rows, for as long as the limit says."""
        db.execute(f"ALTER ROLE iva_app SET {limit} = '250ms'".encode())
        hang_up(db)
        failures = self.log("worker").count("promise failed")
        with self._held(CONVERSATIONS):
            asked = MESSAGE | {"external_id": limit, "text": canary.QUESTION}
            assert self.call("POST", "messages/", asked)[0] == 201
            eventually(lambda: self.log("worker").count("promise failed") > failures, "the worker fails")
        with self._held(AUDIT_HEAD):
            self._write_everything(limit)
        db.execute(f"ALTER ROLE iva_app RESET {limit}".encode())
        hang_up(db)

    def lose_connections(self, db: psycopg.Connection) -> None:
        """The server hangs up on requests that wait with the words in their hands."""
        with self._held(AUDIT_HEAD):
            writing = threading.Thread(target=self._write_everything, args=("hung up",))
            writing.start()
            while writing.is_alive():
                eventually(lambda: _waiting(db) > 0 or not writing.is_alive(), "a request waits")
                hang_up(db)

    def break_seals(self, db: psycopg.Connection) -> None:
        """One bit of everything said: reading fails without a word of it."""
        conversations = self.call("GET", "conversations/")[1]["results"]
        flipped = "set_bit(body_encrypted, 300, 1 - get_bit(body_encrypted, 300))"
        db.execute(f"UPDATE conversations_message SET body_encrypted = {flipped}".encode())
        for conversation in conversations:
            self.attempt("broken seal", "GET", f"conversations/{conversation['id']}/messages/")

    def log(self, program: str) -> str:
        return (self.logs / f"{program}.log").read_text(errors="replace")

    @contextmanager
    def _held(self, rows: str) -> Iterator[None]:
        with psycopg.connect(self.house.servers.superuser_url, dbname="iva") as holder:
            holder.execute(rows.encode())
            yield

    def _write_everything(self, why: str) -> None:
        fresh = MESSAGE | {"external_id": f"{canary.EXTERNAL_ID}-{why}"}
        self.attempt(why, "POST", "messages/", fresh)
        self.attempt(why, "POST", "messages/batch/", {"messages": [fresh]})
        self.attempt(why, "POST", "knowledge/", ENTRY)
        self.attempt(why, "POST", "end-users/search/", {"phone": canary.PHONE})


def hang_up(db: psycopg.Connection) -> None:
    """End every connection of the serving role."""
    db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'iva_app'")


def _waiting(db: psycopg.Connection) -> int:
    return counting.count(db, "pg_stat_activity WHERE usename = 'iva_app' AND wait_event_type = 'Lock'")
