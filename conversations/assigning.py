"""Who takes care of a conversation."""

import uuid

from accounts.people import Acting, NoSuchMember
from accounts.roles import Permission
from conversations import colleagues, live
from conversations.handover import ConversationClosed
from conversations.models import Conversation
from iva.audit import log as audit
from iva.audit.events import Event


def assign(conversation: Conversation, membership_id: uuid.UUID | None, *, by: Acting) -> None:
    """Put a member in charge of a conversation whose row the caller has locked, or nobody (None).

    Whoever may reply can take one for themselves and give back what is theirs; the rest is for those who
    assign. Raises NotPermitted, ConversationClosed, and NoSuchMember for somebody who cannot reply.
    """
    if conversation.closed_at is not None:
        raise ConversationClosed
    if membership_id == conversation.assignee_id:
        return
    by.require(_needed(conversation, membership_id, by))
    if membership_id is not None and not colleagues.can_reply(membership_id):
        raise NoSuchMember
    put_in_charge(conversation, membership_id, by=by)


def put_in_charge(conversation: Conversation, membership_id: uuid.UUID | None, *, by: Acting) -> None:
    """The same without asking whether it may be."""
    conversation.assignee_id = membership_id
    conversation.save(update_fields=["assignee_id"])
    audit.record(
        Event.CONVERSATION_ASSIGNED, actor=by.actor, conversation=conversation.pk, assignee=membership_id
    )
    live.announce(conversation.pk)


def _needed(conversation: Conversation, membership_id: uuid.UUID | None, by: Acting) -> Permission:
    takes = membership_id == by.membership_id and conversation.assignee_id is None
    gives_back = membership_id is None and conversation.assignee_id == by.membership_id
    return Permission.CONVERSATIONS_REPLY if takes or gives_back else Permission.CONVERSATIONS_ASSIGN
