"""Lists of an organization's ways in and of what it knows and uses: no secret, no text."""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from iva.operators import filters, labels
from iva.operators.columns import Column, coded, count, identity, moment, plain
from iva.operators.lists import BehindTheWall


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
