"""The operators' pages: metadata only, never plaintext; encrypted columns and blind indexes are left out."""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _

from accounts import organizations
from accounts.models import ApiKey, Organization, User
from agent.models import KnowledgeEntry
from billing.models import Usage
from channels_cfg.models import Channel
from conversations.models import Conversation, Message
from iva import tenancy
from iva.audit.models import AuditEvent
from iva.operator_site import operator, picked
from iva.outbox.models import Promise
from privacy.models import EndUser, ErasureRecord
from retention.models import LegalHold

ASKED = {"exact", "isempty", "isnull", "in", "gte", "lt"}


class ReadOnly(admin.ModelAdmin):
    """Looking is all there is."""

    actions = None

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """A query string may ask for what the page shows, so that no hidden column can be guessed."""
        shown = {str(name) for name in (*self.list_display, "id", "pk")}
        filters: list[Any] = list(self.list_filter)
        filtered = {item if isinstance(item, str) else str(item[0]) for item in filters}
        name, *how = lookup.split("__")
        return name in shown | filtered and set(how) <= ASKED and "\x00" not in str(value)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        return super().get_search_results(request, queryset, search_term.replace("\x00", ""))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Refused before anything is looked up: whether a row exists is nobody's business here."""
        raise PermissionDenied


class BehindTheWall(ReadOnly):
    """Rows of the picked organization, without their encrypted columns; nothing when none is picked."""

    show_full_result_count = False
    list_per_page = 50

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return picked(request) is not None and super().has_view_permission(request, obj)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = self.model._meta.local_fields
        return [
            field.name
            for field in fields
            if not getattr(field, "sealed", False) and field.get_internal_type() != "BinaryField"
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return self._inside(
            request, lambda: super(BehindTheWall, self).changelist_view(request, extra_context)
        )

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        view = super().changeform_view
        return self._inside(request, lambda: view(request, object_id, form_url, extra_context))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        view = super().history_view
        return self._inside(request, lambda: view(request, object_id, extra_context))

    def _inside(self, request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
        """Run and render the page in a transaction that sees the picked organization only."""
        organization_id = picked(request)
        if organization_id is None:
            return HttpResponseRedirect(reverse("admin:accounts_organization_changelist"))
        with tenancy.tenant(organization_id, purpose="support.technical"):
            response = view()
            if isinstance(response, TemplateResponse):
                response.render()
            return response


admin.site.unregister(Group)


@admin.register(Organization)
class OrganizationAdmin(ReadOnly):
    list_display = ("name", "slug", "founded_at", "suspended_at", "contract_ended_at")
    search_fields = ("name", "slug")
    list_filter = (
        ("suspended_at", admin.EmptyFieldListFilter),
        ("contract_ended_at", admin.EmptyFieldListFilter),
    )
    change_form_template = "admin/organization.html"

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.suspension)
        return [path("<uuid:organization_id>/suspension/", view, name="suspension"), *super().get_urls()]

    def suspension(self, request: HttpRequest, organization_id: uuid.UUID) -> HttpResponse:
        """Suspend or reinstate; both are audited in the organization's trail."""
        if request.method != "POST" or not request.user.has_perm("accounts.change_organization"):
            return HttpResponse(status=403)
        organization = get_object_or_404(Organization, pk=organization_id)
        page = HttpResponseRedirect(reverse("admin:accounts_organization_change", args=[organization_id]))
        if request.POST.get("confirmed") != "yes":
            messages.error(request, _("Nothing was changed: confirm that this organization is meant."))
            return page
        change = organizations.reinstate if organization.suspended_at else organizations.suspend
        change(organization, operator(request))
        done = _("%(name)s is suspended.") if organization.suspended_at else _("%(name)s is reinstated.")
        messages.success(request, done % {"name": organization.name})
        return page


@admin.register(User)
class UserAdmin(ReadOnly):
    list_display = ("email", "is_staff", "is_active", "last_login")
    search_fields = ("email",)
    exclude = ("password",)


@admin.register(Promise)
class PromiseAdmin(ReadOnly):
    list_display = ("work", "organization_id", "subject_id", "due_at", "attempts", "given_up_at")
    list_filter = ("work", ("given_up_at", admin.EmptyFieldListFilter))


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnly):
    list_display = ("action_time", "user", "content_type", "object_id", "action_flag")


@admin.register(ApiKey)
class ApiKeyAdmin(BehindTheWall):
    list_display = ("name", "issued_at", "expires_at", "revoked_at", "last_used_at")


@admin.register(Channel)
class ChannelAdmin(BehindTheWall):
    list_display = ("name", "kind", "connected_at", "disabled_at")


@admin.register(EndUser)
class EndUserAdmin(BehindTheWall):
    list_display = ("id", "first_seen_at", "erased_at")


@admin.register(Conversation)
class ConversationAdmin(BehindTheWall):
    list_display = (
        "id",
        "channel",
        "opened_at",
        "last_message_at",
        "handed_over_at",
        "closed_at",
        "resolution",
    )
    list_filter = ("resolution", ("closed_at", admin.EmptyFieldListFilter))
    list_select_related = ("channel",)


@admin.register(Message)
class MessageAdmin(BehindTheWall):
    list_display = ("id", "conversation_id", "author", "outcome", "kept_at")
    list_filter = ("author", "outcome")


@admin.register(KnowledgeEntry)
class KnowledgeEntryAdmin(BehindTheWall):
    list_display = ("id", "version", "published_at", "retired_at")


@admin.register(Usage)
class UsageAdmin(BehindTheWall):
    list_display = ("used_on", "meter", "count")


@admin.register(LegalHold)
class LegalHoldAdmin(BehindTheWall):
    list_display = ("matter", "subject_id", "placed_at", "released_at")


@admin.register(ErasureRecord)
class ErasureRecordAdmin(BehindTheWall):
    list_display = ("end_user_id", "ground", "unreadable_at", "disposed_at", "sealed_at")


@admin.register(AuditEvent)
class AuditEventAdmin(BehindTheWall):
    list_display = ("sequence", "event", "actor", "occurred_at", "ids")
    list_filter = ("event",)
