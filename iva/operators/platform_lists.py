"""Lists of the platform: work that waits, tasks that come round, operators."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from iva import rounds
from iva.models import Round
from iva.operators import filters, labels
from iva.operators.columns import coded, count, either, identity, moment, plain, state
from iva.operators.figures import coming
from iva.operators.lists import ReadOnly
from iva.outbox.models import Promise


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
    look = coming(row.task, row).look if row.task in rounds.expected() else ""
    return look, {"bad": _("Failed"), "warn": _("Overdue")}.get(look, _("As planned"))


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
