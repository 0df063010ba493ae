"""System checks: what a programmer must not be able to forget (P2, P50)."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections, models
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.views import APIView

from accounts.doors import Opening
from accounts.scopes import EVERY_SCOPE
from iva import personal_data, tenancy
from iva.personal_data import PersonalData, Protection
from iva.tenancy import catalogue

_LEGAL = "/legal/<document:kind>/<semver:version>"
PUBLIC = frozenset({"/", "/healthz", "/readyz", "/metrics", "/api/openapi.yaml", "/api/docs/", "/legal/"})
PUBLIC |= {"/legal/feed.atom", "/legal/<document:kind>/", f"{_LEGAL}/"}
PUBLIC |= {f"{_LEGAL}.json", f"{_LEGAL}.txt", f"{_LEGAL}/changes/"}
"""Routes without a door, for everybody, that only read."""

DOCUMENT_VIEWS = (SpectacularAPIView, SpectacularSwaggerView)


@register(Tags.models)
def every_model_declares_its_personal_data(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """`personal_data = PersonalData(…)` or `None` on each model of ours; its fields exist."""
    return [
        message for model in apps.get_models() if personal_data.ours(model) for message in _declaration(model)
    ]


@register(Tags.urls)
def every_route_declares_its_scope(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Each method an API view answers has a scope; a view without one would admit nobody."""
    return [
        Error(f"{route} answers {method} without a scope", id="iva.E003")
        for route, view in api_views()
        for method in answered_methods(view)
        if getattr(view, "scopes", {}).get(method) not in EVERY_SCOPE
    ]


@register(Tags.urls)
def every_page_says_whom_it_opens_to(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A page of the dashboard stands behind a door of `accounts.doors`; the rest is public on purpose."""
    known = {route for route, _ in pages()} | {route for route, _ in api_views()} | PUBLIC
    return [
        Error(f"{route} says nothing of whom it opens to", id="iva.E006")
        for route, _ in routes()
        if route not in known and not route.startswith(("/admin/", "/api/docs/"))
    ]


@register(Tags.database)
def every_tenant_table_is_walled(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """The live database agrees with the plan: `manage.py check --database default`."""
    if not databases or "default" not in databases:
        return []
    with connections["default"].cursor() as cursor:
        return [Error(fault, id="iva.E004") for fault in catalogue.faults(cursor)]


def api_views() -> Iterator[tuple[str, type[APIView]]]:
    """Every API view with its route, the pages of the OpenAPI document left out."""
    for route, callback in routes():
        view = getattr(callback, "view_class", getattr(callback, "cls", None))
        if view is not None and issubclass(view, APIView) and not issubclass(view, DOCUMENT_VIEWS):
            yield route, view


def pages() -> Iterator[tuple[str, Opening]]:
    """Every page of the dashboard with whom it opens to."""
    for route, callback in routes():
        opening = getattr(callback, "opening", None)
        if opening is not None:
            yield route, opening


def routes() -> Iterator[tuple[str, Any]]:
    """Every route of the URL configuration with its callback."""
    yield from _walk("/", get_resolver(settings.ROOT_URLCONF).url_patterns)


def answered_methods(view: type[APIView]) -> list[str]:
    return [name.upper() for name in view.http_method_names if name != "options" and hasattr(view, name)]


def _walk(prefix: str, patterns: Any) -> Iterator[tuple[str, Any]]:
    for item in patterns:
        route = prefix + str(item.pattern)
        if isinstance(item, URLResolver):
            yield from _walk(route, item.url_patterns)
        elif isinstance(item, URLPattern):
            yield route, item.callback


def _declaration(model: type[models.Model]) -> Iterator[CheckMessage]:
    if not personal_data.declared(model):
        yield Error("the model does not say what personal data it holds", obj=model, id="iva.E001")
        return
    declaration: PersonalData | None = vars(model)["personal_data"]
    sealed = {field.name for field in model._meta.local_fields if getattr(field, "sealed", False)}
    declared = declaration.fields if declaration else {}
    encrypted = {name for name, protection in declared.items() if protection is Protection.ENCRYPTED}
    if sealed != encrypted:
        yield Error(f"declared as encrypted: {encrypted}, encrypted: {sealed}", obj=model, id="iva.E002")
    if unknown := set(declared) - {field.name for field in model._meta.local_fields}:
        yield Error(f"declared but not there: {unknown}", obj=model, id="iva.E002")
    if issubclass(model, tenancy.TenantModel) and model._meta.base_manager_name != "objects":
        yield Error("Meta must inherit from TenantModel.Meta", obj=model, id="iva.E005")
