"""An operator at work, and two organizations with something to hide."""

import uuid
from typing import Any, NamedTuple

import pytest
from django.test import Client

from accounts.models import User
from tests.architecture import canary
from tests.cast import Party

PASSWORD = "correct horse battery staple"
MESSAGE = {
    "external_id": canary.EXTERNAL_ID,
    "sender": {
        "name": canary.NAME,
        "phone": canary.PHONE,
        "email": canary.EMAIL,
        "messenger_id": canary.MESSENGER_ID,
        "customer_number": canary.CUSTOMER_NUMBER,
    },
    "text": canary.SAID,
}
ENTRY = {
    "title": canary.TITLE,
    "question": canary.QUESTION,
    "alternatives": [canary.ALTERNATIVE],
    "answer": canary.ANSWER,
}


class Life(NamedTuple):
    """Ids of what an organization has."""

    conversation: uuid.UUID
    end_user: uuid.UUID
    message: uuid.UUID
    entry: uuid.UUID
    erasure: uuid.UUID


def live(party: Party, work_is_done: Any) -> Life:
    """Somebody asks and is answered, somebody else is erased."""
    entry = party.call("POST", "knowledge/", ENTRY).body["id"]
    receipt = party.call("POST", "messages/", MESSAGE).body
    gone = party.says(canary.SHOUTED, email=f"gone-{canary.EMAIL}").body["end_user_id"]
    work_is_done()
    erasure = party.call("POST", f"end-users/{gone}/erasure/", {"ground": "unlawful"}).body["id"]
    ids = (receipt["conversation_id"], receipt["end_user_id"], receipt["message_id"], entry, erasure)
    return Life(*map(uuid.UUID, ids))


@pytest.fixture
def operator(db: None) -> User:
    return User.objects.create_operator("operator@iva.example", PASSWORD)


@pytest.fixture
def signed_in(operator: User) -> Client:
    """A browser in which the operator has signed in and picked nothing."""
    client = Client(raise_request_exception=False)
    client.force_login(operator)
    return client


def pick(client: Client, party: Party) -> Any:
    return client.post(f"/admin/pick/{party.id}/")


@pytest.fixture
def looking_at_acme(signed_in: Client, acme: Party) -> Client:
    assert pick(signed_in, acme).status_code == 302
    return signed_in


@pytest.fixture
def acmes(acme: Party, work_is_done: Any) -> Life:
    return live(acme, work_is_done)


@pytest.fixture
def globexes(globex: Party, work_is_done: Any) -> Life:
    return live(globex, work_is_done)
