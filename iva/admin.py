"""What the operators' pages show of each table: metadata only, never plaintext, no blind index, no secret."""

import uuid
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import Acceptance, ApiKey, LegalDocument, Membership, Notice, Organization, User
from agent.models import KnowledgeEntry
from billing.models import Usage
from channels_cfg.models import Channel
from conversations.models import Conversation, Message
from iva.audit.actors import ActorKind
from iva.audit.models import AuditEvent
from iva.models import Round
from iva.operators import filters, labels
from iva.operators.columns import Column, about, actor, coded, count, either, identity, moment, plain, state
from iva.operators.documents import LegalDocumentAdmin
from iva.operators.figures import periodic
from iva.operators.lists import BehindTheWall, ReadOnly, between
from iva.operators.organizations import OrganizationAdmin
from iva.operators.picking import picked
from iva.outbox.models import Promise
from privacy.models import EndUser, ErasureRecord
from retention.models import LegalHold

OPEN, NOT_OPEN = Q(ended_at=None), Q(ended_at__isnull=False)

admin.site.unregister(Group)
admin.site.register(Organization, OrganizationAdmin)


@admin.register(Promise)
class PromiseAdmin(ReadOnly):
    title = _("Work waiting")
    icon = "queue-list"
    hint = _("Id of the work, organization, message or erasure")
    ids = ("id", "organization_id", "subject_id")
    columns = (
        identity("id", _("Id")),
        coded("work", _("Work"), labels.WORK),
        state(_("State"), lambda row: promised(row)),
        identity("organization_id", _("Organization")),
        moment("due_at", _("Due"), sorts=True),
        count("attempts", _("Attempts"), sorts=True),
    )
    more = (
        identity("conversation_id", _("Conversation")),
        identity("subject_id", _("Message or erasure")),
        moment("leased_until", _("Taken until")),
        moment("given_up_at", _("Given up")),
    )
    list_filter = (
        filters.coded("work", _("Work"), labels.WORK),
        filters.choice(
            "state",
            _("State"),
            {
                "waiting": (_("Waiting"), Q(given_up_at=None, leased_until=None)),
                "taken": (_("Taken by a worker"), Q(given_up_at=None, leased_until__isnull=False)),
                "failed": (_("Failed before"), Q(given_up_at=None, attempts__gt=0)),
                "given_up": (_("Given up"), Q(given_up_at__isnull=False)),
            },
        ),
    )


def promised(row: Promise) -> tuple[str, Any]:
    if row.given_up_at is not None:
        return "bad", _("Given up")
    if row.leased_until is not None:
        return "accent", _("Taken by a worker")
    return ("warn", _("Failed before")) if row.attempts else ("", _("Waiting"))


@admin.register(Round)
class RoundAdmin(ReadOnly):
    title = _("Periodic work")
    icon = "clock"
    has_pages = False
    ids = ()
    words = ("task",)
    hint = _("Name of the task")
    columns = (
        coded("task", _("Task"), labels.TASKS),
        state(_("State"), lambda row: came_round(row)),
        moment("ended_at", _("Last round"), sorts=True),
        moment("succeeded_at", _("Last success"), sorts=True),
        plain("failure", _("Error")),
    )


def came_round(row: Round) -> tuple[str, Any]:
    look = {one.task: one.look for one in periodic()}.get(row.task, "")
    return look, {"bad": _("Failed"), "warn": _("Overdue")}.get(look, _("As planned"))


admin.site.register(LegalDocument, LegalDocumentAdmin)


@admin.register(User)
class OperatorAdmin(ReadOnly):
    """Logins that may open these pages. Who is behind an id the household knows; it is not shown here."""

    title = _("Operators")
    icon = "identification"
    hint = _("Id")
    columns = (
        identity("id", _("Id")),
        either("is_active", _("Active")),
        moment("joined_at", _("Since"), sorts=True),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(is_staff=True)


@admin.register(Membership)
class MembershipAdmin(BehindTheWall):
    """Memberships stand outside the wall, so the organization is named in the query."""

    title = _("Members")
    icon = "users"
    hint = _("Id of the membership or the person")
    ids = ("id", "user_id")
    columns = (
        identity("id", _("Membership")),
        identity("user_id", _("Person")),
        coded("role", _("Role"), labels.ROLES),
        moment("joined_at", _("Joined"), sorts=True),
        moment("ended_at", _("Ended")),
    )
    list_filter = (
        filters.coded("role", _("Role"), labels.ROLES),
        filters.choice("state", _("State"), {"open": (_("Active"), OPEN), "ended": (_("Ended"), NOT_OPEN)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        looked_at = picked(request)
        assert looked_at is not None, "lists behind the wall are opened inside it"
        return super().get_queryset(request).filter(organization_id=looked_at.organization.pk)


@admin.register(Channel)
class ChannelAdmin(BehindTheWall):
    title = _("Channels")
    icon = "chat-bubble-left-right"
    hint = _("Name or id")
    words = ("name",)
    columns = (
        plain("name", _("Name"), sorts=True),
        coded("kind", _("Kind"), labels.CHANNELS),
        moment("connected_at", _("Connected"), sorts=True),
        moment("disabled_at", _("Disabled")),
    )
    more = (identity("id", _("Id")),)
    list_filter = (
        filters.coded("kind", _("Kind"), labels.CHANNELS),
        filters.choice(
            "state",
            _("State"),
            {
                "enabled": (_("Enabled"), Q(disabled_at=None)),
                "disabled": (_("Disabled"), Q(disabled_at__isnull=False)),
            },
        ),
    )


@admin.register(ApiKey)
class ApiKeyAdmin(BehindTheWall):
    title = _("API keys")
    icon = "key"
    hint = _("Name or id")
    words = ("name",)
    columns = (
        plain("name", _("Name"), sorts=True),
        moment("issued_at", _("Issued"), sorts=True),
        moment("expires_at", _("Expires")),
        moment("revoked_at", _("Revoked")),
        moment("last_used_at", _("Last used")),
    )
    more = (
        identity("id", _("Id")),
        Column(_("Scopes"), lambda row: ", ".join(row.scopes), "scopes"),
    )
    list_filter = (
        filters.choice(
            "state",
            _("State"),
            {
                "open": (_("Not revoked"), Q(revoked_at=None)),
                "revoked": (_("Revoked"), Q(revoked_at__isnull=False)),
            },
        ),
    )


@admin.register(Conversation)
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


@admin.register(Message)
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


@admin.register(EndUser)
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


@admin.register(Notice)
class NoticeAdmin(BehindTheWall):
    """Letters about changed documents: what became of them, not where they went."""

    title = _("Deliveries")
    icon = "paper-airplane"
    hint = _("Id of the letter, document or person")
    ids = ("id", "document_id", "user_id")
    columns = (
        identity("id", _("Id")),
        identity("user_id", _("Person")),
        state(_("State"), lambda row: delivered(row)),
        count("attempts", _("Attempts")),
        moment("queued_at", _("Queued"), sorts=True),
        moment("sent_at", _("Sent")),
    )
    more = (
        identity("document_id", _("Document")),
        coded("locale", _("Language"), labels.LANGUAGES),
        moment("due_at", _("Due")),
        moment("leased_until", _("Taken until")),
        moment("handed_over_at", _("Handed to the mail server")),
        moment("failed_at", _("Failed")),
        coded("failure", _("Why"), labels.FAILURES),
        plain("message_id", _("Message-ID")),
    )
    list_filter = (
        filters.choice(
            "state",
            _("State"),
            {
                "sent": (_("Sent"), Q(sent_at__isnull=False, failed_at=None)),
                "waiting": (_("Waiting"), Q(sent_at=None, failed_at=None)),
                "failed": (_("Failed"), Q(failed_at__isnull=False)),
            },
        ),
        filters.coded("failure", _("Why"), labels.FAILURES),
        filters.period("queued_at", _("Queued since")),
    )


def delivered(row: Notice) -> tuple[str, Any]:
    if row.failed_at is not None:
        return "bad", labels.FAILURES.get(row.failure, _("Failed"))
    return ("good", _("Sent")) if row.sent_at else ("", _("Waiting"))


@admin.register(Acceptance)
class AcceptanceAdmin(BehindTheWall):
    title = _("Acceptances")
    icon = "check-badge"
    hint = _("Id of the acceptance, document or person")
    ids = ("id", "document_id", "user_id")
    columns = (
        identity("id", _("Id")),
        identity("user_id", _("Person")),
        identity("document_id", _("Document")),
        coded("method", _("How"), labels.METHODS),
        moment("accepted_at", _("Accepted"), sorts=True),
    )
    more = (coded("locale", _("Language"), labels.LANGUAGES), plain("digest", _("Digest")))
    list_filter = (
        filters.coded("method", _("How"), labels.METHODS),
        filters.period("accepted_at", _("Accepted since")),
    )


@admin.register(KnowledgeEntry)
class KnowledgeEntryAdmin(BehindTheWall):
    title = _("Knowledge")
    icon = "book-open"
    hint = _("Id")
    columns = (
        identity("id", _("Id")),
        plain("version", _("Version")),
        coded("language", _("Language"), labels.LANGUAGES),
        moment("published_at", _("Published"), sorts=True),
        moment("retired_at", _("Retired")),
    )
    list_filter = (
        filters.choice(
            "state",
            _("State"),
            {
                "published": (_("Published"), Q(retired_at=None)),
                "retired": (_("Retired"), Q(retired_at__isnull=False)),
            },
        ),
    )


@admin.register(Usage)
class UsageAdmin(BehindTheWall):
    title = _("Usage")
    icon = "chart-bar"
    hint = _("Id")
    columns = (
        plain("used_on", _("Day"), sorts=True),
        coded("meter", _("Meter"), labels.METERS),
        count("count", _("Count"), sorts=True),
    )
    more = (identity("id", _("Id")),)
    list_filter = (filters.coded("meter", _("Meter"), labels.METERS),)


@admin.register(LegalHold)
class LegalHoldAdmin(BehindTheWall):
    title = _("Legal holds")
    icon = "scale"
    hint = _("Matter, id of the hold or the End User")
    ids = ("id", "subject_id")
    words = ("matter",)
    columns = (
        plain("matter", _("Matter"), sorts=True),
        identity("subject_id", _("End User")),
        actor("placed_by", _("Placed by")),
        moment("placed_at", _("Placed"), sorts=True),
        moment("released_at", _("Released")),
    )
    more = (identity("id", _("Id")),)
    list_filter = (
        filters.choice(
            "state",
            _("State"),
            {
                "in_force": (_("In force"), Q(released_at=None)),
                "released": (_("Released"), Q(released_at__isnull=False)),
            },
        ),
    )


@admin.register(ErasureRecord)
class ErasureRecordAdmin(BehindTheWall):
    title = _("Erasures")
    icon = "trash"
    hint = _("Id of the erasure or the End User")
    ids = ("id", "end_user_id")
    columns = (
        identity("end_user_id", _("End User")),
        coded("ground", _("Ground"), labels.GROUNDS),
        moment("unreadable_at", _("Unreadable"), sorts=True),
        moment("disposed_at", _("Disposed of")),
        moment("sealed_at", _("Sealed")),
    )
    more = (
        identity("id", _("Id")),
        actor("requested_by", _("Requested by")),
        Column(_("Rows disposed of"), lambda row: str(sum(row.disposed_rows.values())), "disposed_rows"),
    )
    list_filter = (filters.coded("ground", _("Ground"), labels.GROUNDS),)


@admin.register(AuditEvent)
class AuditEventAdmin(BehindTheWall):
    title = _("Audit trail")
    icon = "clipboard-document-list"
    hint = _("Id of anything, or an actor such as operator:019aa…")
    ordering = ("-sequence",)
    columns = (
        plain("sequence", _("No.")),
        coded("event", _("Event"), labels.EVENTS),
        actor("actor", _("Who")),
        moment("occurred_at", _("When")),
        Column(_("What about"), lambda row: about(row), "about"),
    )
    more = (identity("id", _("Id")),)
    list_filter = (
        filters.coded("event", _("Event"), labels.EVENTS),
        filters.choice(
            "by",
            _("Who"),
            {
                code: (label, Q(actor=code) | Q(actor__startswith=f"{code}:"))
                for code, label in labels.ACTORS.items()
            },
        ),
        filters.period("occurred_at", _("Since")),
    )

    def sought(self, term: str) -> Q:
        """Events with this id, of this actor, or about this id."""
        try:
            whole = uuid.UUID(term.rpartition(":")[2])
        except ValueError:
            bounds = between(term)
            return Q(pk__range=bounds) if bounds else Q(actor=term)
        actors = [f"{kind.value}:{whole}" for kind in ActorKind]
        return Q(pk=whole) | Q(actor__in=actors) | Q(ids__contains=f'"{whole}"')
