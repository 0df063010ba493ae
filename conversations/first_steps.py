"""The first steps of a new organization, each read from what is really there: nobody ticks anything off."""

from dataclasses import dataclass
from enum import StrEnum

from accounts import agreements, factors, household
from accounts.models import Invitation, Membership
from accounts.people import Acting
from agent.models import KnowledgeEntry
from channels_cfg.models import Channel
from conversations import instructions
from conversations.models import ChecklistDismissal, Conversation, Processing
from iva import tenancy


class Step(StrEnum):
    """What to do, in the order in which it makes sense."""

    DOCUMENTS = "documents"
    SECOND_FACTOR = "second_factor"
    CHANNEL = "channel"
    KNOWLEDGE = "knowledge"
    COLLEAGUE = "colleague"
    SENTIMENT = "sentiment"
    MESSAGE = "message"


@dataclass(frozen=True)
class Progress:
    """Every step, and whether it is done."""

    steps: dict[Step, bool]

    @property
    def done(self) -> int:
        return sum(self.steps.values())

    @property
    def is_complete(self) -> bool:
        return all(self.steps.values())


def progress(acting: Acting) -> Progress | None:
    """How far the organization has come; None when all is done or the member does not want to see it.

    Opens transactions of its own: some of it belongs to the person, some to the organization.
    """
    with tenancy.tenant(acting.organization_id):
        if ChecklistDismissal.objects.filter(membership_id=acting.membership_id).exists():
            return None
        done = _of_organization(acting)
    done |= _of_person(acting)
    found = Progress({step: done[step] for step in Step})
    return None if found.is_complete else found


def dismiss(acting: Acting) -> None:
    """This member does not want to see them any more; inside `tenant()`."""
    ChecklistDismissal.objects.get_or_create(membership_id=acting.membership_id)


def _of_organization(acting: Acting) -> dict[Step, bool]:
    members = Membership.objects.filter(organization_id=acting.organization_id, ended_at=None)
    others = members.exclude(pk=acting.membership_id)
    invited = Invitation.objects.filter(accepted_at=None, revoked_at=None)
    return {
        Step.CHANNEL: Channel.objects.filter(disabled_at=None).exists(),
        Step.KNOWLEDGE: KnowledgeEntry.objects.filter(retired_at=None).exists(),
        Step.COLLEAGUE: others.exists() or invited.exists(),
        Step.SENTIMENT: instructions.current(Processing.SENTIMENT) is not None,
        Step.MESSAGE: Conversation.objects.exists(),
    }


def _of_person(acting: Acting) -> dict[Step, bool]:
    with household.at_home():
        has_factor = factors.is_enrolled(acting.user_id)
    agreed = agreements.standing(acting.organization_id, acting.user_id).is_open
    return {Step.DOCUMENTS: agreed, Step.SECOND_FACTOR: has_factor}
