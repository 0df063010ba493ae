"""The demo: two organizations that talk with their customers, made once, never in production.

The API tokens are shown again at every `make run`, so they are kept in a file of mode 0600 in the data
folder. A real organization's tokens are shown once and kept nowhere.
"""

import json
import os
import secrets
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from django.conf import settings

from accounts import api_keys, organizations
from accounts.agreements import shelf
from accounts.models import Organization, User
from accounts.scopes import EVERY_SCOPE
from agent import knowledge
from channels_cfg import connecting
from channels_cfg.models import ChannelKind
from conversations import instructions, receiving, tasks
from conversations.models import Processing
from iva import demo_content, demo_desk, demo_past, tenancy
from iva.audit import anchors
from iva.audit.actors import SYSTEM
from iva.outbox import draining
from privacy import handles, subjects

OPERATOR = "operator@example.com"
CONVERSATIONS = 150
BATCH = 50
SEED = 20260101


class NotADemoFolder(RuntimeError):
    """The demo writes its credentials to a folder that has to be named."""


def make(conversations: int = CONVERSATIONS) -> dict[str, str]:
    """Create what is missing of the demo. Returns {who: credential}."""
    shelf.publish_all()
    credentials = _load()
    for wanted in demo_content.ORGANIZATIONS:
        if not Organization.objects.filter(slug=wanted.slug).exists():
            credentials[wanted.slug] = _found(wanted, conversations)
            _save(credentials)
    if not User.objects.filter(email=OPERATOR).exists():
        credentials[OPERATOR] = secrets.token_urlsafe(12)
        User.objects.create_operator(OPERATOR, credentials[OPERATOR])
        _save(credentials)
    draining.drain(tasks.FULFIL, most_batches=10_000)
    for organization in Organization.objects.filter(slug__in=credentials):
        demo_desk.tend(organization)
    for wanted in demo_content.ORGANIZATIONS:
        demo_past.spread(Organization.objects.get(slug=wanted.slug))
    anchors.anchor()
    return credentials


def credentials() -> dict[str, str]:
    """The credentials of a demo that has been made."""
    return _load()


def _found(wanted: demo_content.DemoOrganization, conversations: int) -> str:
    organization = organizations.found(wanted.name, wanted.slug)
    with tenancy.tenant(organization.pk):
        connecting.connect(ChannelKind.API, "API", actor=SYSTEM)
        instructions.give(Processing.SENTIMENT, is_on=True, actor=SYSTEM)
        for entry in wanted.knowledge:
            knowledge.publish(
                entry.title, entry.question, list(entry.alternatives), entry.answer, actor=SYSTEM
            )
        _, token = api_keys.issue("demo", EVERY_SCOPE, actor=SYSTEM)
    _converse(organization, wanted, conversations)
    return token


def _converse(organization: Organization, wanted: demo_content.DemoOrganization, count: int) -> None:
    """A few hundred conversations, turn by turn, each answered before the next is said."""
    talks = list(demo_content.conversations(wanted, count, SEED))
    for turn in range(max(len(talk.turns) for talk in talks)):
        inbound = (
            receiving.InboundMessage(_sender(talk.sender), talk.turns[turn], f"demo-{number}-{turn}")
            for number, talk in enumerate(talks)
            if turn < len(talk.turns)
        )
        while batch := list(islice(inbound, BATCH)):
            receiving.receive(organization.pk, None, batch, actor=SYSTEM)
        draining.drain(tasks.FULFIL, most_batches=10_000)


def _sender(known: dict[str, str]) -> subjects.Sender:
    return subjects.Sender(tuple(_handles(known)), known.get("name"))


def _handles(known: dict[str, str]) -> Iterator[handles.Handle]:
    for kind in handles.HandleKind:
        if known.get(kind.value):
            yield handles.normalize(kind, known[kind.value])


def _path() -> Path:
    if not settings.IVA_DEMO_CREDENTIALS_PATH:
        raise NotADemoFolder("IVA_DEMO_CREDENTIALS_PATH is not set; `make run` sets it.")
    return Path(settings.IVA_DEMO_CREDENTIALS_PATH)


def _load() -> dict[str, str]:
    return json.loads(_path().read_text()) if _path().exists() else {}


def _save(found: dict[str, str]) -> None:
    descriptor = os.open(_path(), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(found, file, indent=2)
