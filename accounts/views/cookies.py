"""`/cookies/`: every cookie there is, and one's choice about the optional ones (P30)."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import cookie_guard, cookies, doors, throttling
from accounts.cookies import Category, Choice, UnknownCategory
from iva import problems

GPC_SINCE = "2026-11-22"
"""When what `/.well-known/gpc.json` says last changed."""

NAMES = {
    Category.NECESSARY: gettext_lazy("Strictly necessary"),
    Category.PREFERENCES: gettext_lazy("Preferences"),
    Category.STATISTICS: gettext_lazy("Statistics"),
}


@doors.anybody("GET", "POST")
def cookie_page(request: HttpRequest) -> HttpResponse:
    """The registry, and the choice: made, changed, or taken back."""
    if request.method == "POST":
        throttling.count_sign_in(f"cookies:{throttling.address(request.META)}")
        return _revoke(request) if "revoke" in request.POST else _choose(request)
    choice, gpc = cookie_guard.choice_of(request), cookie_guard.asks_for_privacy(request)
    context = {
        "registry": [(cookie, NAMES[cookie.category]) for cookie in cookies.REGISTRY],
        "optional": [(category, NAMES[category]) for category in cookies.optional()],
        "accepted": cookies.accepted(choice, gpc=gpc),
        "choice": choice,
        "is_current": choice is not None and choice.registry == cookies.version(),
        "gpc": gpc,
        "version": cookies.version(),
    }
    return render(request, "accounts/cookies.html", context)


@doors.anybody("GET")
def gpc(request: HttpRequest) -> HttpResponse:
    """IVA abides by Global Privacy Control (W3C GPC 4)."""
    return JsonResponse({"gpc": True, "lastUpdate": GPC_SINCE})


def _choose(request: HttpRequest) -> HttpResponse:
    before = cookie_guard.choice_of(request)
    try:
        choice = cookies.choose(
            request.POST.getlist("accept"),
            visitor_id=before.visitor_id if before else None,
            gpc=cookie_guard.asks_for_privacy(request),
        )
    except UnknownCategory:
        return problems.page(request, 422, "invalid", _("There are no cookies of this kind."))
    response = doors.go(request, "cookies", **_language(request))
    response.set_cookie(
        cookies.CHOICE_COOKIE,
        cookies.written(choice),
        max_age=int(cookies.CHOICE_LASTS.total_seconds()),
        **_attributes(),
    )
    return _without_refused(request, response, choice)


def _revoke(request: HttpRequest) -> HttpResponse:
    choice = cookie_guard.choice_of(request)
    if choice is not None:
        cookies.revoke(choice.visitor_id)
    response = doors.go(request, "cookies", **_language(request))
    response.set_cookie(cookies.CHOICE_COOKIE, "", max_age=0, **_attributes())
    return _without_refused(request, response, None)


def _without_refused(request: HttpRequest, response: HttpResponse, choice: Choice | None) -> HttpResponse:
    """Optional cookies that are there and no longer wanted go at once."""
    taken = cookies.accepted(choice, gpc=cookie_guard.asks_for_privacy(request))
    for cookie in cookies.REGISTRY:
        if cookie.category not in {Category.NECESSARY, *taken} and cookie.name in request.COOKIES:
            response.set_cookie(cookie.name, "", max_age=0, **_attributes())
    return response


def _attributes() -> dict[str, Any]:
    return {"secure": cookies.CHOICE_COOKIE.startswith("__Host-"), "httponly": True, "samesite": "Lax"}


def _language(request: HttpRequest) -> dict[str, str]:
    return {"lang": request.GET["lang"]} if "lang" in request.GET else {}


urlpatterns = [
    path("cookies/", cookie_page, name="cookies"),
    path(".well-known/gpc.json", gpc, name="gpc"),
]
