"""What a member is told of the End User they talk with: the card beside the conversation."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from conversations.models import Conversation
from iva.audit import log as audit
from iva.audit.actors import Actor
from iva.audit.events import Event
from iva.crypto import bulk
from privacy import masking, subjects
from retention import holds

EARLIER = 10


@dataclass(frozen=True)
class MaskedHandle:
    """A handle as it is shown before anybody has said why they need it."""

    id: uuid.UUID
    kind: str
    masked: str


@dataclass(frozen=True)
class Card:
    """An End User as the organization's members see them."""

    id: uuid.UUID
    name: str | None
    first_seen_at: datetime
    handles: list[MaskedHandle]
    earlier: list[Conversation]
    is_held: bool


def card(conversation: Conversation, *, actor: Actor) -> Card:
    """The card of this conversation's End User, handles masked; looking at it is audited."""
    end_user = subjects.get(conversation.end_user_id)
    handles = subjects.handles_of(end_user)
    bulk.reveal(handles, "handle")
    audit.record(Event.END_USER_READ, actor=actor, end_user=end_user.pk)
    return Card(
        end_user.pk,
        end_user.name,
        end_user.first_seen_at,
        [MaskedHandle(one.pk, one.kind, masking.mask(one.kind, one.handle)) for one in handles],
        _earlier(conversation),
        holds.is_held(end_user.pk),
    )


def _earlier(conversation: Conversation) -> list[Conversation]:
    """The End User's other conversations, the newest first."""
    others = Conversation.objects.filter(end_user_id=conversation.end_user_id).exclude(pk=conversation.pk)
    return list(others.select_related("channel").order_by("-last_message_at", "-id")[:EARLIER])
