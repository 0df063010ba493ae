"""Lists of an organization's people: memberships, letters to them, what they accepted. Ids, never names."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import Notice
from iva.operators import filters, labels
from iva.operators.columns import coded, count, identity, moment, plain, state
from iva.operators.lists import BehindTheWall
from iva.operators.picking import picked

OPEN, NOT_OPEN = Q(ended_at=None), Q(ended_at__isnull=False)


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
