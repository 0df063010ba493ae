"""Lists of what is kept and what is gone: legal holds, erasures, the audit trail."""

import uuid

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from iva.audit.actors import ActorKind
from iva.operators import filters, labels
from iva.operators.columns import Column, about, actor, coded, identity, moment, plain
from iva.operators.lists import BehindTheWall, between


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
