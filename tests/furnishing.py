"""What an organization has, one of each: the ids that pages are asked for, by the name of the parameter."""

import uuid

from accounts import invitations
from accounts.people import Acting
from accounts.roles import Role
from conversations import labelling
from conversations.models import Colour
from privacy import subjects
from tests.cast import Party


def of(party: Party, owner: Acting) -> dict[str, uuid.UUID | str]:
    """Real ids of this organization for every parameter of every route behind the members' doors."""
    party.says("Сайн байна уу?")
    conversation = party.call("GET", "conversations/").body["results"][0]
    with party.tenant("account.manage"):
        invitation, _ = invitations.invite("bat@example.com", Role.AUDITOR, by=owner)
    with party.tenant():
        label = labelling.make("Гомдол", Colour.RED, by=owner)
        handle = subjects.handles_of(subjects.get(uuid.UUID(conversation["end_user_id"])))[0]
    return {
        "invitation_id": invitation.pk,
        "conversation_id": conversation["id"],
        "end_user_id": conversation["end_user_id"],
        "membership_id": owner.membership_id,
        "channel_id": party.channel.pk,
        "api_key_id": party.key.pk,
        "label_id": label.pk,
        "handle_id": handle.pk,
    }
