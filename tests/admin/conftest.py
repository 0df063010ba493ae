"""Operators at work, and two organizations with something to hide."""

import uuid
from typing import Any, NamedTuple

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts import doors, operators, sign_ins
from accounts.models import LegalDocument, Notice, User
from accounts.people import Acting
from iva.audit.models import AuditEvent
from tests.agreements import documents
from tests.architecture import canary
from tests.cast import Party

PASSWORD = "correct horse battery staple"
REFERENCE = "SUP-1042"
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


def told(party: Party, user_id: uuid.UUID, document: LegalDocument) -> None:
    """A letter that nobody has sent yet, to an address that no page may show."""
    with party.tenant("account.manage"):
        Notice.objects.create(
            document_id=document.pk, user_id=user_id, locale="mn", email=canary.EMAIL, message_id="<1@iva>"
        )


def at_desk(user_id: uuid.UUID, *, proved: bool = True) -> Client:
    """A browser in which somebody has signed in and picked nothing."""
    proved_at = timezone.now() if proved else None
    sign_in = sign_ins.begin(user_id, browser="Firefox", from_address="203.0.113.9", proved_at=proved_at)
    browser = Client(raise_request_exception=False, headers={"Accept": "text/html"})
    session = browser.session
    session[doors.SIGN_IN] = str(sign_in.pk)
    session.save()
    browser.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    return browser


def pick(client: Client, party: Party, reference: str = REFERENCE) -> Any:
    address = f"/admin/accounts/organization/{party.id}/pick/"
    return client.post(address, {"reference": reference})


def trail(party: Party, *events: str) -> list[tuple[str, str]]:
    """What happened, and who did it, as the organization's own trail says."""
    with party.tenant("legal.requirement"):
        found = AuditEvent.objects.filter(event__in=events).order_by("sequence")
        return [(event.event, event.actor) for event in found]


@pytest.fixture
def operator(first: LegalDocument) -> User:
    return User.objects.get(pk=operators.appoint("operator@iva.example", PASSWORD, locale="en"))


@pytest.fixture
def lawyer(first: LegalDocument) -> User:
    """Another operator, who reads drafts."""
    return User.objects.get(pk=operators.appoint("lawyer@iva.example", PASSWORD, locale="en"))


@pytest.fixture
def signed_in(operator: User) -> Client:
    """A browser in which the operator has signed in and picked nothing."""
    return at_desk(operator.pk)


@pytest.fixture
def looking_at_acme(signed_in: Client, acme: Party) -> Client:
    assert pick(signed_in, acme).status_code == 303
    return signed_in


@pytest.fixture
def acmes(acme: Party, saraa: Acting, first: LegalDocument, work_is_done: Any) -> Life:
    documents.accepted(acme.id, saraa.user_id)
    told(acme, saraa.user_id, first)
    return live(acme, work_is_done)


@pytest.fixture
def globexes(globex: Party, dorj: Acting, first: LegalDocument, work_is_done: Any) -> Life:
    documents.accepted(globex.id, dorj.user_id)
    told(globex, dorj.user_id, first)
    return live(globex, work_is_done)
