"""Integrators' systems under load: they repeat a delivery, with the same id, until it is acknowledged."""

import json
import threading
import time
import uuid
from collections import Counter
from http.client import HTTPConnection, HTTPException
from typing import Any

from tests.faults.running import PATIENCE

QUESTION = "Картаа гээчихлээ яах вэ?"
ENTRY = {
    "title": "Карт хаах",
    "question": "Картаа гээсэн бол яах вэ?",
    "alternatives": ["kartaa geechihlee", "карт алга болсон"],
    "answer": "1800-1234 дугаарт залгаж картаа хаалгана уу.",
}
PEOPLE = 12
ACKNOWLEDGED = (200, 201)


class Integrator:
    """Calls the API of one web server with one API key, over one connection at a time."""

    def __init__(self, address: str, token: str) -> None:
        self._address = address
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._connection = HTTPConnection(address, timeout=60)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and body, or 0 and the name of the error when there was no answer.

        A server may close a connection between two requests; like every HTTP library we then open another.
        """
        content = None if body is None else json.dumps(body)
        for last in (False, True):
            try:
                self._connection.request(method, f"/api/v1/{path}", content, self._headers | headers)
                response = self._connection.getresponse()
                return response.status, json.loads(response.read())
            except (OSError, HTTPException) as error:
                self._connection.close()
                if last or not isinstance(error, ConnectionError):
                    return 0, type(error).__name__
        raise AssertionError("unreachable")

    def close(self) -> None:
        self._connection.close()


def message(external_id: str, person: int, text: str = QUESTION) -> dict[str, Any]:
    """What the integrator posts when End User number `person` writes."""
    return {"external_id": external_id, "sender": {"phone": f"99{person:06d}"}, "text": text}


class Load:
    """Several integrators who post until they are told to stop. Use as `with Load(…) as load:`.

    `undelivered` are the ids they gave up on, `unreachable` the errors where there was no answer at all;
    `pause` is how long each rests between two deliveries.
    """

    def __init__(
        self, address: str, token: str, *, wave: str = "", integrators: int = 4, pause: float = 0.1
    ) -> None:
        self.acknowledged: dict[str, uuid.UUID] = {}
        self.undelivered: list[str] = []
        self.statuses: Counter[int] = Counter()
        self.unreachable: Counter[str] = Counter()
        self._wave, self._pause = wave, pause
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._post, args=(Integrator(address, token), number))
            for number in range(integrators)
        ]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Let everybody finish the delivery they are at."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _post(self, integrator: Integrator, number: int) -> None:
        count = 0
        while not self._stop.is_set():
            count += 1
            self._deliver(integrator, f"{self._wave}-{number}-{count}", (number + count) % PEOPLE)
        integrator.close()

    def _deliver(self, integrator: Integrator, external_id: str, person: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            status, body = integrator.call("POST", "messages/", message(external_id, person))
            if status:
                self.statuses[status] += 1
            else:
                self.unreachable[body] += 1
            if status in ACKNOWLEDGED:
                self.acknowledged[external_id] = uuid.UUID(body["message_id"])
                time.sleep(self._pause)
                return
            time.sleep(0.05)
        self.undelivered.append(external_id)
