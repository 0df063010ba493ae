"""`/legal/`: the documents for everybody: pages, plain text, JSON; every version for good (P1, P92, P95)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path, register_converter
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.feedgenerator import Atom1Feed
from django.utils.http import http_date
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from accounts import agreements, doors, provider
from accounts.agreements import Edition, State, rendering
from accounts.models.documents import LOCALES, Kind, LegalDocument
from iva import problems
from iva.headers import LINKS

FEED_LINK = ', </legal/feed.atom>; rel="alternate"; type="application/atom+xml"'
HTML, JSON, TEXT = "text/html", "application/json", "text/plain"


class KindConverter:
    regex = "|".join(Kind.values)

    def to_python(self, value: str) -> Kind:
        return Kind(value)

    def to_url(self, value: Kind) -> str:
        return Kind(value).value


class VersionConverter:
    regex = r"[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(KindConverter, "document")
register_converter(VersionConverter, "semver")


@dataclass(frozen=True)
class Asked:
    """What a request wants: which language, which form."""

    request: HttpRequest
    locale: str
    form: str

    def answer(self, template: str, context: dict[str, Any], machine: Callable[[], Any]) -> HttpResponse:
        """The page, or what a machine reads instead of it."""
        if self.form == JSON:
            return JsonResponse(machine(), json_dumps_params={"ensure_ascii": False})
        others = [locale for locale in LOCALES if locale != self.locale]
        shared = {
            "locale": self.locale,
            "others": others,
            "provider": provider.provider(self.locale),
            "kinds": list(Kind),
        }
        return render(self.request, f"accounts/legal/{template}.html", shared | context)


def legal_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Reads language and form from the request; adds what every one of these pages says in its headers."""

    @require_safe
    def page(request: HttpRequest, *args: Any, form: str | None = None, **kwargs: Any) -> HttpResponse:
        asked = Asked(request, doors.language_of(request), form or _form(request))
        with translation.override(asked.locale):
            try:
                response = view(asked, *args, **kwargs)
            except Http404:
                if asked.form == HTML:
                    raise
                response = problems.respond(404, "not_found", "There is nothing here.")
        response["Content-Language"] = asked.locale
        response["Link"] = LINKS + FEED_LINK
        patch_vary_headers(response, ["Accept", "Accept-Language"])
        return response

    return page


@legal_page
def every_version(asked: Asked) -> HttpResponse:
    """All versions that were ever published, the newest first."""
    lists = {kind: list(reversed(agreements.editions(kind))) for kind in Kind}
    context = {"lists": [(kind, [_shown(edition, asked.locale) for edition in lists[kind]]) for kind in Kind]}
    return asked.answer(
        "list",
        context,
        lambda: {
            "provider": provider.identity(),
            "documents": [_summary(edition) for kind in Kind for edition in lists[kind]],
        },
    )


@legal_page
def in_effect(asked: Asked, kind: Kind) -> HttpResponse:
    """The version that counts now."""
    try:
        current = agreements.current()
    except agreements.NothingInEffect:
        raise Http404 from None
    document = current.terms if kind is Kind.TERMS else current.privacy_policy
    return _document(asked, _edition(kind, document.version))


@legal_page
def version_page(asked: Asked, kind: Kind, version: str) -> HttpResponse:
    """One version, for good."""
    return _document(asked, _edition(kind, version))


@legal_page
def changes(asked: Asked, kind: Kind, version: str) -> HttpResponse:
    """What is different from the version before."""
    edition = _edition(kind, version)
    before = edition.predecessor
    paragraphs = agreements.diff(before, edition.document, asked.locale) if before else []
    shown = [
        (part.change, rendering.paragraph(part.text, edition.effective_at, asked.locale))
        for part in paragraphs
    ]
    response = asked.answer(
        "changes",
        _shown(edition, asked.locale) | {"before": before, "paragraphs": shown},
        lambda: {
            **_summary(edition),
            "since": before and before.version,
            "language": asked.locale,
            "paragraphs": [part._asdict() for part in paragraphs],
        },
    )
    return _with_dates(response, edition)


@legal_page
def feed(asked: Asked) -> HttpResponse:
    """Every version as it was published, for whoever wants to be told (P92; Atom, RFC 4287)."""
    root = settings.IVA_SITE_URL or asked.request.build_absolute_uri("/").rstrip("/")
    atom = Atom1Feed(
        title=gettext("The documents of IVA"),
        link=f"{root}/legal/",
        description="",
        language=asked.locale,
        feed_url=f"{root}/legal/feed.atom",
        author_name=provider.provider(asked.locale).name,
        feed_guid=f"{root}/legal/",
    )
    every = [edition for kind in Kind for edition in agreements.editions(kind)]
    for edition in sorted(every, key=lambda edition: _moment(edition.document), reverse=True):
        _enter(atom, root, edition, asked.locale)
    return HttpResponse(atom.writeString("utf-8"), content_type="application/atom+xml; charset=utf-8")


def _enter(atom: Atom1Feed, root: str, edition: Edition, locale: str) -> None:
    document = edition.document
    titles = {Kind.TERMS: gettext("Terms of Service"), Kind.PRIVACY_POLICY: gettext("Privacy Policy")}
    address = f"{root}/legal/{document.kind}/{document.version}/"
    atom.add_item(
        title=f"{titles[Kind(document.kind)]} {document.version}",
        link=address,
        description=f"{gettext('Effective date')}: {rendering.day(edition.effective_at, locale)}",
        unique_id=address,
        pubdate=_moment(document),
        updateddate=edition.since or _moment(document),
    )


def _document(asked: Asked, edition: Edition) -> HttpResponse:
    document, locale = edition.document, asked.locale
    if asked.form == TEXT:
        response = HttpResponse(_plain(edition, locale), content_type="text/plain; charset=utf-8")
        return _with_dates(response, edition)
    body = rendering.render(document.text(locale), edition.effective_at, locale)
    response = asked.answer(
        "document",
        _shown(edition, locale) | {"body": body, "sha256": document.sha256(locale)},
        lambda: {
            **_summary(edition),
            "language": locale,
            "sha256": document.sha256(locale),
            "text": document.text(locale),
            "provider": provider.identity(),
        },
    )
    return _with_dates(response, edition)


def _edition(kind: Kind, version: str) -> Edition:
    """A published version with its texts. Raises Http404."""
    for edition in agreements.editions(kind):
        if edition.document.version == version:
            return edition
    raise Http404


def _plain(edition: Edition, locale: str) -> str:
    """The text as it is, but for its effective date."""
    return rendering.dated(edition.document.text(locale), edition.effective_at, locale)


def _shown(edition: Edition, locale: str) -> dict[str, Any]:
    """What every page says about a version."""
    document = edition.document
    return {
        "document": document,
        "kind": Kind(document.kind),
        "edition": edition,
        "effective_on": rendering.day(edition.effective_at, locale),
        "published_on": rendering.day(_moment(document), locale),
        "is_waiting": edition.state is State.PUBLISHED,
        "is_superseded": edition.state is State.SUPERSEDED,
    }


def _summary(edition: Edition) -> dict[str, Any]:
    document = edition.document
    return {
        "kind": document.kind,
        "version": document.version,
        "significance": document.significance,
        "state": edition.state.value,
        "digest": document.digest,
        "privacy_policy": _policy_of(document),
        "published_at": _stamp(document.published_at),
        "effective_at": _stamp(edition.effective_at),
        "superseded_at": _stamp(document.superseded_at),
        "url": f"/legal/{document.kind}/{document.version}/",
        "changes_url": f"/legal/{document.kind}/{document.version}/changes/",
    }


def _policy_of(document: LegalDocument) -> dict[str, str] | None:
    policy = document.privacy_policy
    return {"version": policy.version, "digest": policy.digest} if policy else None


def _with_dates(response: HttpResponse, edition: Edition) -> HttpResponse:
    """`Last-Modified` is when it took effect, or was published while it waits: never in the future."""
    changed = edition.since or _moment(edition.document)
    response["Last-Modified"] = http_date(changed.timestamp())
    response["Effective-Date"] = _stamp(edition.effective_at) or ""
    return response


def _moment(document: LegalDocument) -> datetime:
    return document.published_at or timezone.now()


def _stamp(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat(timespec="seconds") if moment else None


def _form(request: HttpRequest) -> str:
    return request.get_preferred_type([HTML, JSON, TEXT]) or HTML


urlpatterns = [
    path("", every_version, name="legal"),
    path("feed.atom", feed, {"form": HTML}, name="legal-feed"),
    path("<document:kind>/", in_effect, name="legal-in-effect"),
    path("<document:kind>/<semver:version>/", version_page, name="legal-version"),
    path("<document:kind>/<semver:version>.json", version_page, {"form": JSON}),
    path("<document:kind>/<semver:version>.txt", version_page, {"form": TEXT}),
    path("<document:kind>/<semver:version>/changes/", changes, name="legal-changes"),
]
