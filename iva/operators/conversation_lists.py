"""Lists of conversations, messages and End Users: ids, states and times, never what anybody wrote."""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from iva.operators import filters, labels
from iva.operators.columns import coded, identity, moment
from iva.operators.lists import BehindTheWall


class ConversationAdmin(BehindTheWall):
    title = _("Conversations")
    icon = "inbox"
    hint = _("Id of the conversation or the End User")
    ids = ("id", "end_user_id")
    columns = (
        identity("id", _("Id")),
        coded("resolution", _("Resolution"), labels.RESOLUTIONS),
        moment("opened_at", _("Opened")),
        moment("last_message_at", _("Last message")),
        moment("handed_over_at", _("Handed over")),
        moment("closed_at", _("Closed")),
    )
    more = (
        identity("end_user_id", _("End User")),
        identity("channel_id", _("Channel")),
        moment("first_response_at", _("First response")),
    )
    list_filter = (
        filters.choice(
            "state",
            _("State"),
            {
                "open": (_("Open"), Q(closed_at=None, handed_over_at=None)),
                "handed_over": (_("Handed over"), Q(closed_at=None, handed_over_at__isnull=False)),
                "closed": (_("Closed"), Q(closed_at__isnull=False)),
            },
        ),
        filters.coded("resolution", _("Resolution"), labels.RESOLUTIONS),
        filters.period("opened_at", _("Opened since")),
    )


class MessageAdmin(BehindTheWall):
    title = _("Messages")
    icon = "envelope"
    hint = _("Id of the message, conversation or End User")
    ids = ("id", "conversation_id", "end_user_id")
    columns = (
        identity("id", _("Id")),
        identity("conversation_id", _("Conversation")),
        coded("author", _("Author"), labels.AUTHORS),
        coded("outcome", _("Outcome"), labels.OUTCOMES),
        moment("kept_at", _("Kept")),
    )
    more = (
        identity("end_user_id", _("End User")),
        identity("channel_id", _("Channel")),
        moment("sent_at", _("Written, says the channel")),
        identity("in_reply_to", _("In reply to")),
    )
    list_filter = (
        filters.coded("author", _("Author"), labels.AUTHORS),
        filters.coded("outcome", _("Outcome"), labels.OUTCOMES),
    )


class EndUserAdmin(BehindTheWall):
    title = _("End Users")
    icon = "user-group"
    hint = _("Id")
    columns = (
        identity("id", _("Id")),
        moment("first_seen_at", _("First seen")),
        moment("erased_at", _("Erased")),
    )
    list_filter = (
        filters.choice(
            "state",
            _("State"),
            {
                "kept": (_("Kept"), Q(erased_at=None)),
                "erased": (_("Erased"), Q(erased_at__isnull=False)),
            },
        ),
    )
