"""The demo: two organizations, their members and sixty days of conversation; never in production."""

from collections.abc import Iterator
from itertools import islice

from accounts import api_keys, organizations
from accounts.agreements import shelf
from accounts.models import Organization
from accounts.scopes import EVERY_SCOPE
from agent import knowledge
from channels_cfg import connecting
from channels_cfg.models import ChannelKind
from conversations import instructions, receiving, tasks
from conversations.models import Processing
from iva import demo_content, demo_credentials, demo_desk, demo_members, demo_past, tenancy
from iva.audit import anchors
from iva.audit.actors import SYSTEM
from iva.demo_credentials import Credentials
from iva.outbox import draining
from privacy import handles, subjects

CONVERSATIONS = 150
BATCH = 50
SEED = 20260101


def make(conversations: int = CONVERSATIONS) -> Credentials:
    """Create what is missing of the demo, and keep how to sign in to it. Raises NotADemoFolder."""
    shelf.publish_all()
    credentials = demo_credentials.load()
    for wanted in demo_content.ORGANIZATIONS:
        organization = Organization.objects.filter(slug=wanted.slug).first()
        if organization is None:
            organization = organizations.found(wanted.name, wanted.slug)
            credentials.api_keys[wanted.slug] = _furnish(organization, wanted, conversations)
            demo_credentials.save(credentials)
        for member in demo_members.missing(organization, credentials):
            credentials.members.append(member)
            demo_credentials.save(credentials)
    for operator in demo_members.missing_operators(credentials):
        credentials.operators.append(operator)
        demo_credentials.save(credentials)
    draining.drain(tasks.FULFIL, most_batches=10_000)
    for organization in Organization.objects.filter(slug__in=credentials.api_keys):
        demo_desk.tend(organization)
    for wanted in demo_content.ORGANIZATIONS:
        demo_past.spread(Organization.objects.get(slug=wanted.slug))
    anchors.anchor()
    return credentials


def _furnish(organization: Organization, wanted: demo_content.DemoOrganization, conversations: int) -> str:
    """Channel, knowledge and conversations; returns the token of an API key that may do everything."""
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
    """`count` conversations, turn by turn, each answered before the next is said."""
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
