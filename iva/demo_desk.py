"""The demo's members at work: what they took over, answered, labelled, noted, resolved or left half typed."""

import itertools
from collections.abc import Iterator, Sequence

from django.utils import timezone

from accounts import people, roles
from accounts.models import Organization
from accounts.people import Acting
from accounts.roles import Permission, Role
from conversations import assigning, delivering, drafts, handover, labelling, reading, resolving, writing
from conversations.models import Colour, Conversation, Label, Message, Resolution
from iva import tenancy
from iva.demo_content import desk

TENDED = 24
"""Conversations that people have touched, of each organization."""


def tend(organization: Organization) -> None:
    """Work for a while as the members there are; once, and not at all where nobody may answer."""
    with tenancy.tenant(organization.pk):
        staff = [acting for acting in _staff(organization) if acting.may(Permission.CONVERSATIONS_REPLY)]
        leads = [acting for acting in staff if acting.may(Permission.CONVERSATIONS_ASSIGN)]
        if not leads or Label.objects.exists():
            return
        _fetch()
        labels = [labelling.make(name, Colour(colour), by=leads[0]) for name, colour in desk.LABELS]
        for number, conversation in enumerate(_chosen()):
            _tend_one(number, conversation, staff, labels)


def _tend_one(
    number: int, conversation: Conversation, staff: Sequence[Acting], labels: Sequence[Label]
) -> None:
    by = staff[number % len(staff)]
    if number % 4 == 0:
        labelling.put(conversation, [labels[number // 4 % len(labels)].pk], by=by)
    match number % 6:
        case 0:
            handover.hand_over(conversation, actor=by.actor)
        case 1 | 2:
            writing.reply(conversation, desk.REPLIES[number % len(desk.REPLIES)], by=by)
        case 3:
            writing.reply(conversation, desk.REPLIES[number % len(desk.REPLIES)], by=by)
            writing.note(conversation, desk.NOTES[number % len(desk.NOTES)], by=by)
        case 4:
            handover.hand_over(conversation, actor=by.actor)
            assigning.put_in_charge(conversation, by.membership_id, by=by)
            drafts.keep(conversation, by.membership_id, desk.DRAFT, is_note=False)
        case 5:
            writing.reply(conversation, desk.REPLIES[number % len(desk.REPLIES)], by=by)
            resolving.resolve(conversation, Resolution.ANSWERED, actor=by.actor)


def _fetch() -> None:
    """The organization's own system has read what the agent answered."""
    for conversation in reading.living():
        delivering.take(Message.objects.filter(conversation=conversation))


def _chosen() -> list[Conversation]:
    """The newest that are with people, then the newest with the agent, each locked."""
    living = reading.living().filter(closed_at=None).order_by("-last_message_at", "-id")
    waiting = living.filter(handed_over_at__isnull=False)[: TENDED // 2]
    others = living.filter(handed_over_at=None)[:TENDED]
    return list(itertools.islice(itertools.chain(waiting, others), TENDED))


def _staff(organization: Organization) -> Iterator[Acting]:
    """Whoever may answer, supervisors and support agents before owners."""
    found = [
        Acting(membership.pk, membership.user_id, organization.pk, Role(membership.role), timezone.now())
        for membership, _ in people.members()
    ]
    order = list(reversed(roles.Role))
    yield from sorted(found, key=lambda acting: order.index(acting.role))
