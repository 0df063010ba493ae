"""The platform's legal documents: drafted, approved by somebody else, published, announced (P91).

Whoever changes anything gives a fresh second factor first; the rules themselves are those of
`accounts.agreements`, which every other door keeps as well.
"""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone, translation
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts import agreements, announcing, doors
from accounts.agreements import Change, rendering
from accounts.agreements.texts import EFFECTIVE_DATE
from accounts.models import Kind, LegalDocument, Organization, Significance
from accounts.models.documents import LOCALES
from iva.operators import filters, labels
from iva.operators.columns import actor, coded, identity, moment, plain, state
from iva.operators.document_steps import standing, steps
from iva.operators.drafting_forms import DraftForm, PublicationForm, begun
from iva.operators.entering import operator
from iva.operators.figures import MOST_VISITED
from iva.operators.lists import ReadOnly

DRAFT, APPROVED = Q(approved_at=None), Q(approved_at__isnull=False, published_at=None)
OUT = Q(published_at__isnull=False)

REFUSED: dict[type[Exception], str | Promise] = {
    agreements.NotADraft: gettext_lazy("This version is not a draft any more."),
    agreements.OwnDraft: gettext_lazy("You drafted this version: somebody else has to approve it."),
    agreements.OwnApproval: gettext_lazy("You approved this version: somebody else has to publish it."),
    agreements.NotApproved: gettext_lazy(
        "Only approved versions are published, the privacy policy included."
    ),
    agreements.PolicyNotInOrder: gettext_lazy(
        "The privacy policy of these terms is older than the one in force."
    ),
    agreements.NotNewer: gettext_lazy("A version greater than this one has been published already."),
    agreements.SignificanceHidden: gettext_lazy(
        "The privacy policy brings a significant change, so the terms are significant as well."
    ),
}
"""What a refusal of the room is called, for people."""


class LegalDocumentAdmin(ReadOnly):
    title = gettext_lazy("Legal documents")
    icon = "document-text"
    hint = gettext_lazy("Version or id")
    template = "admin/document.html"
    listing_template = "admin/documents.html"
    words = ("version",)
    ordering = ("-drafted_at",)
    columns = (
        coded("kind", gettext_lazy("Document"), labels.KINDS, sorts=True),
        plain("version", gettext_lazy("Version")),
        coded("significance", gettext_lazy("Significance"), labels.SIGNIFICANCES),
        state(gettext_lazy("State"), lambda row: standing(row)),
        moment("drafted_at", gettext_lazy("Drafted"), sorts=True),
        moment("effective_at", gettext_lazy("Effective"), sorts=True),
    )
    more = (
        actor("drafted_by", gettext_lazy("Drafted by")),
        moment("approved_at", gettext_lazy("Approved")),
        actor("approved_by", gettext_lazy("Approved by")),
        moment("published_at", gettext_lazy("Published")),
        actor("published_by", gettext_lazy("Published by")),
        moment("superseded_at", gettext_lazy("Superseded")),
        identity("id", gettext_lazy("Id")),
        plain("digest", gettext_lazy("Digest")),
    )
    list_filter = (
        filters.coded("kind", gettext_lazy("Document"), labels.KINDS),
        filters.choice(
            "state",
            gettext_lazy("State"),
            {
                "draft": (gettext_lazy("Draft"), DRAFT),
                "approved": (gettext_lazy("Approved"), APPROVED),
                "published": (gettext_lazy("Published"), OUT & Q(superseded_at=None)),
                "superseded": (gettext_lazy("Superseded"), Q(superseded_at__isnull=False)),
            },
        ),
        filters.coded("significance", gettext_lazy("Significance"), labels.SIGNIFICANCES),
    )

    def get_urls(self) -> list[Any]:
        opens = self.admin_site.admin_view
        return [
            *super().get_urls(),
            path("draft/", opens(self.draft), name="draft-document"),
            path("<uuid:object_id>/text/", opens(self.text), name="document-text"),
            path("<uuid:object_id>/changes/", opens(self.changes), name="document-changes"),
            path("<uuid:object_id>/approval/", opens(self.approval), name="approve-document"),
            path("<uuid:object_id>/publication/", opens(self.publication), name="publish-document"),
            path("<uuid:object_id>/discarding/", opens(self.discarding), name="discard-document"),
        ]

    def heading(self, row: Any) -> str:
        return f"{labels.KINDS[row.kind]} {row.version}"

    # Reading

    def context_of(self, row: Any) -> dict[str, Any]:
        return {
            "steps": steps(row, agreements.edition(row)),
            "publication_form": PublicationForm(),
            "letters": _letters(row),
        } | {
            "visited": MOST_VISITED,
            "is_terms": row.kind == Kind.TERMS,
            "earliest": agreements.earliest(row) if row.published_at is None else None,
        }

    @method_decorator(require_safe)
    def text(self, request: HttpRequest, object_id: uuid.UUID) -> HttpResponse:
        """The version as people will read it."""
        document, locale = self._reading(request, object_id)
        shown = rendering.render(document.text(locale), _dated(document), locale)
        return self._page(request, document, "admin/document_text.html", locale, shown=shown)

    @method_decorator(require_safe)
    def changes(self, request: HttpRequest, object_id: uuid.UUID) -> HttpResponse:
        """What it says otherwise than the version before."""
        document, locale = self._reading(request, object_id)
        before = agreements.edition(document).predecessor
        paragraphs = [
            (paragraph.change, rendering.paragraph(paragraph.text, _dated(document), locale))
            for paragraph in agreements.diff(before, document, locale)
            if paragraph.change is not Change.EQUAL
        ]
        return self._page(
            request, document, "admin/document_changes.html", locale, before=before, paragraphs=paragraphs
        )

    def _reading(self, request: HttpRequest, object_id: uuid.UUID) -> tuple[LegalDocument, str]:
        if not self.has_view_permission(request):
            raise PermissionDenied
        document = self._found(object_id)
        self.remember(request, object_id)
        wanted = request.GET.get("locale", "")
        return document, wanted if wanted in LOCALES else (translation.get_language() or LOCALES[0])

    def _page(
        self, request: HttpRequest, document: LegalDocument, template: str, locale: str, **more: Any
    ) -> HttpResponse:
        context = self._framed(request, self.heading(document)) | {
            "row": document,
            "locale": locale,
            "locales": [(code, labels.LANGUAGES[code]) for code in LOCALES],
            **more,
        }
        return TemplateResponse(request, template, context)

    # Changing

    def draft(self, request: HttpRequest) -> HttpResponse:
        """A new version, begun from the newest one of its kind."""
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        self._must_be_permitted(request)
        if not request.visit.has_just_proved:  # type: ignore[attr-defined]
            return doors.to_step_up(request)
        if request.method != "POST":
            self.remember(request)
            return self._drafting(request, DraftForm(initial=begun(request.GET.get("kind", ""))), 200)
        form = DraftForm(request.POST)
        document = self._drafted(form, request) if form.is_valid() else None
        if document is None:
            return self._drafting(request, form, 422)
        messages.success(request, _("The draft is kept. Somebody else approves it."))
        return doors.go(request, self.address_of(document.pk))

    def approval(self, request: HttpRequest, object_id: uuid.UUID) -> HttpResponse:
        """Somebody else's yes to a draft."""
        return self._change(
            request,
            object_id,
            lambda document: agreements.approve(document, operator(request)),
            _("The version is approved."),
        )

    def discarding(self, request: HttpRequest, object_id: uuid.UUID) -> HttpResponse:
        """Throw a draft away."""
        return self._change(
            request,
            object_id,
            lambda document: agreements.discard(document, actor=operator(request)),
            _("The draft is gone."),
            to=reverse("admin:accounts_legaldocument_changelist"),
        )

    def publication(self, request: HttpRequest, object_id: uuid.UUID) -> HttpResponse:
        """Publish terms together with the privacy policy that is part of them."""
        form = PublicationForm(request.POST)
        if request.method == "POST" and not form.is_valid():
            return self.shown(request, object_id, 422, publication_form=form)
        return self._change(
            request,
            object_id,
            lambda document: agreements.publish(document, operator(request), form.moment()),
            _("The version is published."),
        )

    def _change(
        self,
        request: HttpRequest,
        object_id: uuid.UUID,
        act: Callable[[LegalDocument], object],
        done: str,
        to: str = "",
    ) -> HttpResponse:
        """One verb of the room, after a fresh factor; what it refuses is said on the page."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        self._must_be_permitted(request)
        document = self._found(object_id)
        if not request.visit.has_just_proved:  # type: ignore[attr-defined]
            return doors.to_step_up(request)
        try:
            act(document)
        except agreements.TooSoon as error:
            day = rendering.day(error.earliest, translation.get_language() or LOCALES[0])
            return self.shown(request, object_id, 409, wrong=_("Not before %(day)s.") % {"day": day})
        except tuple(REFUSED) as error:
            return self.shown(request, object_id, 409, wrong=REFUSED[type(error)])
        messages.success(request, done)
        return doors.go(request, to or self.address_of(object_id))

    def _drafted(self, form: DraftForm, request: HttpRequest) -> LegalDocument | None:
        given = form.cleaned_data
        written = {"mn": given["text_mn"], "en": given["text_en"]}
        kind, significance = Kind(given["kind"]), Significance(given["significance"])
        try:
            return agreements.draft(
                kind,
                given["version"],
                significance,
                written,
                given["privacy_policy"],
                actor=operator(request),
            )
        except agreements.NotAVersion:
            form.add_error("version", _("A version is three numbers, such as 1.2.0."))
        except agreements.NoPolicyNamed:
            form.add_error("privacy_policy", _("Terms name a privacy policy; a privacy policy names none."))
        except agreements.VersionIncomplete:
            missing = _("Both texts show where their date is filled in: %(mark)s")
            form.add_error(None, missing % {"mark": EFFECTIVE_DATE})
        except IntegrityError:
            form.add_error("version", _("There is such a version already."))
        return None

    def _drafting(self, request: HttpRequest, form: DraftForm, status: int) -> HttpResponse:
        context = self._framed(request, _("New version")) | {"form": form}
        return TemplateResponse(request, "admin/document_draft.html", context, status=status)

    def _must_be_permitted(self, request: HttpRequest) -> None:
        if not request.user.has_perm("accounts.change_legaldocument"):
            raise PermissionDenied

    def _found(self, object_id: uuid.UUID) -> LegalDocument:
        document = LegalDocument.objects.filter(pk=object_id).first()
        if document is None:
            raise Http404
        return document


def _letters(row: LegalDocument) -> announcing.Progress | None:
    """How far the letters about a significant version have come, in the first organizations."""
    if row.published_at is None or not row.is_significant or row.kind != Kind.TERMS:
        return None
    ids = Organization.objects.order_by("id").values_list("id", flat=True)[:MOST_VISITED]
    return announcing.progress(row, list(ids))


def _dated(document: LegalDocument) -> datetime:
    """The date a rendering shows: the real one, or for a draft today's."""
    return document.effective_at or timezone.now()
