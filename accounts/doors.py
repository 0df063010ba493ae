"""What every page of the dashboard does the same way: who is it, where may they go, one transaction, answer.

A view says who it opens to, once, and `iva.checks` finds those that say nothing:

    @anybody                                        signing in, signing up
    @signed_in                                      one's own profile; opens its own transactions
    @member(GET=Permission.X, POST=Permission.Y)    an organization's pages, in a transaction of its
    @member(polled=True, GET=Permission.X)          what its pages fetch by themselves
    operate(request, called)                        the operators' pages (`iva.operators`)

The session names the organization (DESIGN 3); what somebody is to it is asked with every request.
"""

import functools
import math
import uuid
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.middleware.csrf import rotate_token
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect
from rest_framework.exceptions import Throttled

from accounts import admitting, agreements, household, people, sign_ins, signing_in, throttling, usage
from accounts.admitting import AddressNotAllowed
from accounts.agreements import NothingToContinue, Where
from accounts.models import Organization
from accounts.people import Acting, NoSuchMember
from accounts.roles import NotPermitted, Permission, StepUpNeeded, needs_second_factor
from accounts.sign_ins import SignInEnded, Visit
from iva import problems, tenancy

SIGN_IN, ORGANIZATION = "sign_in", "organization"
"""What a session holds: ids of a sign-in and of the organization somebody works for."""

View = Callable[..., HttpResponse]


class Asking(HttpRequest):
    """A request as the views behind these doors get it."""

    visit: Visit
    acting: Acting
    organization: Organization
    opening: "Opening"


class Opening:
    """Who a page opens to; `permissions` by method, empty for pages that ask for none.

    `is_polled`: pages ask for it by themselves, and opening it is nobody's activity.
    """

    def __init__(
        self,
        to: str,
        methods: frozenset[str],
        permissions: dict[str, Permission],
        *,
        is_polled: bool = False,
    ) -> None:
        self.to, self.methods, self.permissions, self.is_polled = to, methods, permissions, is_polled

    @property
    def answered(self) -> list[str]:
        """What `Allow` names: where there is GET there is HEAD (RFC 9110, 9.3.2)."""
        return sorted(self.methods | ({"HEAD"} if "GET" in self.methods else set()))


def anybody(*methods: str) -> Callable[[View], View]:
    """A page for everybody, in the language they ask for. `@anybody("GET", "POST")`."""

    def decorate(view: View) -> View:
        def open_(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            with translation.override(language_of(request)):
                return _answer(request, functools.partial(view, request, *args, **kwargs))

        return _door(view, open_, Opening("anybody", frozenset(methods), {}))

    return decorate


def signed_in(*methods: str) -> Callable[[View], View]:
    """A page for whoever is signed in, of whatever organization or none; it opens its own transactions."""

    def decorate(view: View) -> View:
        def open_(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return _to_visitor(request, functools.partial(view, request, *args, **kwargs), _inside)

        return _door(view, open_, Opening("signed_in", frozenset(methods), {}))

    def _inside(asking: Asking, called: Callable[[], HttpResponse]) -> HttpResponse:
        if not asking.visit.is_verified:
            return go(asking, "confirm-again")
        with household.at_home():
            _note(asking, asking.visit.user_id)
        return _answer(asking, called)

    return decorate


def member(
    purpose: str = tenancy.SERVICE_OPERATE,
    *,
    own_transactions: bool = False,
    polled: bool = False,
    **permissions: Permission,
) -> Callable[[View], View]:
    """A page of the organization one works for: a permission for each method it answers.

    The view runs in one transaction that sees this organization only; what it raises rolls everything back.
    `polled` is for what pages fetch by themselves and for nothing else: it keeps no sign-in alive, is no use
    of the platform and accepts nothing. That a request is of this kind is never the request's own word.
    """

    def decorate(view: View) -> View:
        def open_(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return _to_visitor(request, functools.partial(view, request, *args, **kwargs), _outside)

        opening = Opening("member", frozenset(permissions), permissions, is_polled=polled)
        return _door(view, open_, opening)

    def _outside(asking: Asking, called: Callable[[], HttpResponse]) -> HttpResponse:
        return _answer(asking, functools.partial(_inside, asking, called))

    def _inside(asking: Asking, called: Callable[[], HttpResponse]) -> HttpResponse:
        if (elsewhere := _enter(asking)) is not None:
            return elsewhere
        asking.acting.require(permissions[asking.method or ""])
        with tenancy.tenant(asking.organization.pk, purpose):
            _note(asking, asking.acting.membership_id)
            if not own_transactions:
                return called()
        return called()

    return decorate


def operate(request: HttpRequest, called: Callable[[], HttpResponse]) -> HttpResponse:
    """Answer with a page of the operators', if an operator asks who gave a second factor this time."""
    return _to_visitor(request, called, _operate)


def _operate(asking: Asking, called: Callable[[], HttpResponse]) -> HttpResponse:
    if not asking.visit.is_operator:
        detail = translation.gettext("These pages are for the operators of the platform.")
        return problems.page(asking, 403, "not_permitted", detail)
    if asking.visit.proved_at is None:
        return go(asking, "enroll", next=_shown_page(asking))
    return _answer(asking, called)


def begin(request: HttpRequest, user_id: uuid.UUID, *, second_factor: bool, mark: str | None = None) -> None:
    """Sign somebody in, all factors given: a new session under a new key, so that none can be fixed.

    `mark` is that of the password that was given. Raises SignInRefused when it, or the factors, have changed
    meanwhile.
    """
    proved_at = timezone.now() if second_factor else None
    browser, address = request.headers.get("User-Agent", ""), throttling.address(request.META)
    with household.at_home():
        signing_in.hold(user_id, mark, second_factor=second_factor)
        sign_in = sign_ins.begin(user_id, browser=browser, from_address=address, proved_at=proved_at)
        if not second_factor:
            signing_in.enter_without_code(user_id)
    request.session.flush()
    request.session[SIGN_IN] = str(sign_in.pk)
    request.session.set_expiry(int(sign_ins.LONGEST.total_seconds()))
    rotate_token(request)
    organizations = people.memberships_of(user_id)
    if len(organizations) == 1:
        request.session[ORGANIZATION] = str(organizations[0].organization_id)


def proved(request: HttpRequest) -> None:
    """A second factor has just been given: remember it, under a new session key."""
    sign_ins.prove(cast(Asking, request).visit.sign_in_id)
    renew(request)


def renew(request: HttpRequest) -> None:
    """The same session under a new key: whoever knew the old one is outside."""
    request.session.cycle_key()
    rotate_token(request)


def leave(request: HttpRequest) -> None:
    """End the sign-in of this session, and the session."""
    visit = _visit(request)
    if visit is not None:
        sign_ins.end(visit.user_id, visit.sign_in_id)
    request.session.flush()


def work_for(request: HttpRequest, organization_id: uuid.UUID) -> None:
    """From now on this session is about that organization. Raises NoSuchMember."""
    people.enter(cast(Asking, request).visit.user_id, organization_id)
    request.session[ORGANIZATION] = str(organization_id)


def visitor(request: HttpRequest) -> Visit | None:
    """Who it is, on a page that is for everybody."""
    return _visit(request)


def where(request: HttpRequest) -> Where:
    """From where a request comes, for what has to be evidence."""
    return Where(throttling.address(request.META), request.headers.get("User-Agent"))


def language_of(request: HttpRequest) -> str:
    """`?lang=`, or what the browser prefers; Mongolian where neither says anything we have."""
    known = [code for code, _ in settings.LANGUAGES]
    wanted = request.GET.get("lang") or translation.get_language() or ""
    return wanted if wanted in known else settings.LANGUAGE_CODE


def next_page(request: HttpRequest, otherwise: str = "home") -> str:
    """Where `next` leads, if that is a page of ours."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) and wanted.startswith("/")
    return wanted if ours else reverse(otherwise)


def id_or_none(text: str) -> uuid.UUID | None:
    """An id that a form or an address carries; None for what is none."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def go(request: HttpRequest, target: str, **query: str) -> HttpResponse:
    """See other: for a browser, or for htmx, which would follow a redirect inside the page."""
    address = target if target.startswith("/") else reverse(target)
    address += f"?{urlencode(query)}" if query else ""
    if request.headers.get("HX-Request"):
        return HttpResponseClientRedirect(address)
    response = HttpResponseRedirect(address)
    response.status_code = 303
    return response


def to_sign_in(request: HttpRequest) -> HttpResponse:
    return go(request, "sign-in", next=_shown_page(request))


def to_step_up(request: HttpRequest) -> HttpResponse:
    """A second factor first, then back to the page that was shown, from where a form is sent once more."""
    if request.method == "POST":
        messages.info(request, translation.gettext("Confirm that it is you, then do it once more."))
    return go(request, "step-up", next=_shown_page(request))


def _door(view: View, open_: View, opening: Opening) -> View:
    @functools.wraps(view)
    def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "HEAD" and "GET" in opening.methods:
            request.method = "GET"
        if request.method not in opening.methods:
            return HttpResponseNotAllowed(opening.answered)
        cast(Asking, request).opening = opening
        return open_(request, *args, **kwargs)

    door.opening = opening  # type: ignore[attr-defined]
    # What only reads says 405 to a form from anywhere, and not that the form has expired.
    door.csrf_exempt = opening.methods == {"GET"}  # type: ignore[attr-defined]
    return door


def _to_visitor(
    request: HttpRequest,
    called: Callable[[], HttpResponse],
    inside: Callable[[Asking, Callable[[], HttpResponse]], HttpResponse],
) -> HttpResponse:
    """Let in whoever is signed in, in their language; send everybody else to sign in."""
    visit = _visit(request)
    if visit is None:
        return to_sign_in(request)
    with translation.override(visit.locale):
        return inside(cast(Asking, request), called)


def _visit(request: HttpRequest) -> Visit | None:
    try:
        sign_in_id = uuid.UUID(request.session[SIGN_IN])
        visit = sign_ins.see(sign_in_id, is_active=_is_active(request))
    except (KeyError, ValueError):
        return None
    except SignInEnded:
        request.session.flush()
        return None
    cast(Asking, request).visit = visit
    return visit


def _is_active(request: HttpRequest) -> bool:
    """False for what a page does by itself, polling or listening: nobody is using anything."""
    opening: Opening | None = getattr(request, "opening", None)
    return opening is None or not opening.is_polled


def _enter(request: Asking) -> HttpResponse | None:
    """Put `acting` and `organization` on the request, or say where the person has to go first."""
    visit = request.visit
    if not visit.is_verified:
        return go(request, "confirm-again")
    try:
        organization_id = uuid.UUID(request.session[ORGANIZATION])
        acting = people.enter(visit.user_id, organization_id, visit.proved_at)
    except (KeyError, ValueError, NoSuchMember):
        request.session.pop(ORGANIZATION, None)
        return go(request, "organizations")
    admitting.admit(organization_id, request.META, acting.actor, door="dashboard")
    request.organization, request.acting = Organization.objects.get(pk=organization_id), acting
    is_demanded = request.organization.demands_second_factor
    if visit.proved_at is None and needs_second_factor(acting.role, is_demanded):
        return go(request, "enroll", next=_shown_page(request))
    return _unless_agreed(request)


def _note(request: Asking, subject_id: uuid.UUID) -> None:
    """A page was opened by somebody; what pages fetch by themselves does not count."""
    match = request.resolver_match
    if _is_active(request) and match is not None:
        usage.note(
            subject_id,
            match.url_name or match.route,
            ip_address=throttling.address(request.META),
            browser=request.headers.get("User-Agent", ""),
        )


def _unless_agreed(request: Asking) -> HttpResponse | None:
    """Without what counts now accepted, nothing opens but the legal pages (P7); using on is written (P96)."""
    organization_id, user_id = request.organization.pk, request.visit.user_id
    standing = agreements.standing(organization_id, user_id)
    if not standing.is_open:
        return go(request, "agreements", next=_shown_page(request))
    if standing.notice_id is not None and _is_active(request):
        try:
            agreements.continue_using(
                organization_id,
                user_id,
                locale=request.visit.locale,
                where=where(request),
                actor=household.oneself(user_id),
            )
        except NothingToContinue:
            return None
    return None


def _answer(request: HttpRequest, called: Callable[[], HttpResponse]) -> HttpResponse:
    try:
        return called()
    except StepUpNeeded:
        return to_step_up(request)
    except SignInEnded:
        return go(request, "sign-in", next=_shown_page(request))
    except NotPermitted as error:
        detail = translation.gettext("Your role does not allow this.")
        return problems.page(request, 403, "not_permitted", detail, permission=error.permission.value)
    except AddressNotAllowed:
        detail = translation.gettext("This organization cannot be used from the network you are in.")
        return problems.page(request, 403, "address_not_allowed", detail)
    except Throttled as error:
        return _wait(request, error)
    except Exception as error:
        answer = problems.page_of(request, error)
        if answer is None:
            raise
        return answer


def patience(error: Throttled) -> str:
    """What somebody is told who has to wait."""
    minutes = math.ceil(_seconds(error) / 60)
    if isinstance(error, throttling.TooManyLetters | throttling.TooManyInvitations):
        return str(error.said) % {"minutes": minutes}
    if minutes == 1:
        return translation.gettext("Too many tries. Please try again in a minute.")
    said = translation.gettext(
        "Too many tries. Please try again later, in %(minutes)s minutes at the latest."
    )
    return said % {"minutes": minutes}


def not_yet(response: HttpResponse, error: Throttled) -> HttpResponse:
    """The same page, as the answer to who has to wait (RFC 6585 4)."""
    response.status_code = 429
    response["Retry-After"] = str(_seconds(error))
    return response


def _wait(request: HttpRequest, error: Throttled) -> HttpResponse:
    return not_yet(problems.page(request, 429, "throttled", patience(error)), error)


def _seconds(error: Throttled) -> int:
    return max(1, int(getattr(error, "wait", None) or 1))


def _shown_page(request: HttpRequest) -> str:
    """The page the person sees: for htmx and forms not the address of the request itself."""
    if request.method == "GET" and not request.headers.get("HX-Request"):
        return request.get_full_path()
    shown = request.headers.get("HX-Current-URL") or request.headers.get("Referer") or ""
    here = f"{request.scheme}://{request.get_host()}"
    return shown.removeprefix(here) if shown.startswith(here + "/") else reverse("home")
