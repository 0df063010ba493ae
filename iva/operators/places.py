"""Where operators can go: the lists, in the order in which they are registered."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from iva.operators.lists import BehindTheWall


class Place(NamedTuple):
    label: str | Promise
    icon: str
    address: str
    is_here: bool


def of_the_platform(registry: Mapping[Any, Any], request: HttpRequest) -> list[Place]:
    overview = reverse("admin:index")
    first = Place(_("Overview"), "squares-2x2", overview, request.path == overview)
    return [first, *_places(registry, request, behind=False)]


def of_the_picked(registry: Mapping[Any, Any], request: HttpRequest) -> list[Place]:
    return list(_places(registry, request, behind=True))


def _places(registry: Mapping[Any, Any], request: HttpRequest, *, behind: bool) -> Iterator[Place]:
    for model, shown in registry.items():
        if isinstance(shown, BehindTheWall) is behind and shown.has_view_permission(request):
            address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
            yield Place(shown.title, shown.icon, address, request.path.startswith(address))
