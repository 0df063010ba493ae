"""What a member has typed and not sent yet: kept while they type, gone when it is sent or emptied."""

import uuid

from django.utils import timezone

from conversations.models import Conversation, Draft, Message, Note


def of(conversation: Conversation, member_id: uuid.UUID) -> Draft | None:
    """The member's draft in this conversation."""
    return Draft.objects.filter(conversation=conversation, member_id=member_id).first()


def keep(
    conversation: Conversation,
    member_id: uuid.UUID,
    body: str,
    *,
    is_note: bool,
    seen: uuid.UUID | None = None,
) -> bool:
    """Keep what is typed; empty text is no draft. The caller has locked the conversation's row.

    `seen` is the newest entry the page showed: False, and nothing kept, when the member has sent something
    since, because then this is what they sent, overtaken on its way. Raises KeyShredded.
    """
    if seen is not None and _has_sent_since(conversation, member_id, seen):
        return False
    draft = of(conversation, member_id)
    if not body.strip():
        discard(conversation, member_id)
        return True
    if draft is None:
        draft = Draft(conversation=conversation, end_user_id=conversation.end_user_id, member_id=member_id)
    draft.body, draft.is_note, draft.kept_at = body, is_note, timezone.now()
    draft.save()
    return True


def discard(conversation: Conversation, member_id: uuid.UUID) -> None:
    """The draft is sent, or not wanted any more."""
    Draft.objects.filter(conversation=conversation, member_id=member_id).delete()


def _has_sent_since(conversation: Conversation, member_id: uuid.UUID, seen: uuid.UUID) -> bool:
    return any(
        model.objects.filter(conversation=conversation, member_id=member_id, id__gt=seen).exists()
        for model in (Message, Note)
    )
