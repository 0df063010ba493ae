"""Members write: replies that the End User gets, and notes that they never see."""

import uuid

from accounts.people import Acting
from conversations import assigning, drafts, handover, live, replying
from conversations.handover import ConversationClosed
from conversations.models import Author, Conversation, Message, Note
from iva.audit import log as audit
from iva.audit.events import Event


class ColleagueReplied(Exception):
    """Another member has replied since the page was shown. Carries who, and the newest of it."""

    def __init__(self, member_id: uuid.UUID | None, message_id: uuid.UUID) -> None:
        self.member_id, self.message_id = member_id, message_id
        super().__init__(str(message_id))


def reply(conversation: Conversation, body: str, *, by: Acting, seen: uuid.UUID | None = None) -> Message:
    """Answer the End User as a member, in a conversation whose row the caller has locked.

    Whoever replies takes over from the agent, and takes care of what nobody took care of. `seen` is the
    newest entry the member has seen: the same text sent twice from one page is sent once, and a colleague's
    reply that came meanwhile is read before another one goes out. Raises ConversationClosed,
    ColleagueReplied and KeyShredded.
    """
    if conversation.closed_at is not None:
        raise ConversationClosed
    for newer in _replies_since(conversation, seen):
        if newer.member_id != by.membership_id:
            raise ColleagueReplied(newer.member_id, newer.pk)
        if newer.body == body:
            return newer
    message = replying.reply(
        conversation, body, author=Author.MEMBER, actor=by.actor, member_id=by.membership_id
    )
    handover.hand_over(conversation, actor=by.actor)
    if conversation.assignee_id is None:
        assigning.put_in_charge(conversation, by.membership_id, by=by)
    drafts.discard(conversation, by.membership_id)
    return message


def note(conversation: Conversation, body: str, *, by: Acting) -> Note:
    """Tell colleagues something; possible after the end of a conversation too. Raises KeyShredded."""
    written: Note = Note.objects.create(
        conversation=conversation,
        end_user_id=conversation.end_user_id,
        member_id=by.membership_id,
        body=body,
    )
    drafts.discard(conversation, by.membership_id)
    audit.record(Event.NOTE_WRITTEN, actor=by.actor, conversation=conversation.pk, note=written.pk)
    live.announce(conversation.pk)
    return written


def _replies_since(conversation: Conversation, seen: uuid.UUID | None) -> list[Message]:
    if seen is None:
        return []
    newer = Message.objects.filter(conversation=conversation, author=Author.MEMBER, id__gt=seen)
    return list(newer.order_by("-id")[:10])
