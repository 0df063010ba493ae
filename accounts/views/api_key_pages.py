"""`/settings/api-keys/`: what integrators sign in with. A token is shown once, in the answer that made it.

It goes into no session, message or address. Sending the form again, with the back button or by reloading,
makes no second key and shows no token: the form carries an id, of which the id of the key is made.
"""

import uuid
from typing import NamedTuple

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from accounts import api_keys, doors
from accounts.api_keys import AlreadyIssued, AlreadyRotated, NoSuchKey
from accounts.doors import Asking
from accounts.models import ApiKey
from accounts.people import Acting
from accounts.roles import Permission
from accounts.scope_words import SCOPES
from accounts.scopes import Scope, needed
from accounts.settings_forms import KeyForm, RotateForm
from iva.personal_data import Purpose

PURPOSE = Purpose.ACCOUNT_MANAGE


class Row(NamedTuple):
    """A key as the list shows it."""

    key: ApiKey
    hint: str
    scopes: list[Promise]
    has_ended: bool
    may_rotate: bool


@doors.member(PURPOSE, GET=Permission.API_KEYS_READ)
def keys(request: Asking) -> HttpResponse:
    """Every key, those that open doors first."""
    rows = sorted((_row(key, request.acting) for key in api_keys.newest()), key=lambda row: row.has_ended)
    context = {"rows": rows, "may_manage": request.acting.may(Permission.API_KEYS_MANAGE)}
    return render(request, "accounts/settings/api_keys.html", context)


@doors.member(PURPOSE, GET=Permission.API_KEYS_MANAGE, POST=Permission.API_KEYS_MANAGE)
def create(request: Asking) -> HttpResponse:
    """Make a key; its token is in the answer and nowhere else."""
    form = KeyForm(request.acting, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        scopes, actor = [Scope(scope) for scope in given["scopes"]], request.acting.actor
        try:
            key, token = api_keys.issue(
                given["name"], scopes, actor=actor, expires_at=form.expires_at(), id=given["key_id"]
            )
        except AlreadyIssued:
            return _shown_before(request)
        return _show(request, key, token)
    status = 422 if form.is_bound else 200
    return render(request, "accounts/settings/api_key_new.html", {"form": form}, status=status)


@doors.member(PURPOSE, GET=Permission.API_KEYS_MANAGE, POST=Permission.API_KEYS_MANAGE)
def rotate(request: Asking, api_key_id: uuid.UUID) -> HttpResponse:
    """A new key beside the old one, which ends after the chosen overlap."""
    old = _named(api_key_id)
    for permission in needed(map(Scope, old.scopes)):
        request.acting.require(permission)
    form = RotateForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        new_id, actor = form.cleaned_data["key_id"], request.acting.actor
        try:
            new, token = api_keys.rotate(old.pk, form.given(), actor=actor, id=new_id)
        except (AlreadyRotated, AlreadyIssued):
            return _shown_before(request)
        except NoSuchKey:
            form.add_error(None, _("This key has ended. Create a new one instead."))
        else:
            return _show(request, new, token, old=_named(old.pk))
    context = {"form": form, "key": old, "hint": api_keys.hint(old)}
    status = 422 if form.is_bound else 200
    return render(request, "accounts/settings/api_key_rotate.html", context, status=status)


@doors.member(PURPOSE, POST=Permission.API_KEYS_MANAGE)
def revoke(request: Asking, api_key_id: uuid.UUID) -> HttpResponse:
    """End a key, within five seconds everywhere."""
    api_keys.revoke(_named(api_key_id), actor=request.acting.actor)
    messages.success(request, _("The key opens nothing any more."))
    return doors.go(request, "settings-api-keys")


def _named(key_id: uuid.UUID) -> ApiKey:
    try:
        return api_keys.named(key_id)
    except NoSuchKey:
        raise Http404 from None


def _show(request: Asking, key: ApiKey, token: str, old: ApiKey | None = None) -> HttpResponse:
    context = {"key": key, "token": token, "old": old}
    response = render(request, "accounts/settings/api_key_token.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _shown_before(request: Asking) -> HttpResponse:
    messages.error(
        request, _("This key was made a moment ago. Its token was shown then and is kept nowhere.")
    )
    return doors.go(request, "settings-api-keys")


def _row(key: ApiKey, acting: Acting) -> Row:
    scopes = [Scope(scope) for scope in key.scopes if scope in set(Scope)]
    has_ended = api_keys.has_ended(key)
    may_rotate = not has_ended and not key.replaced_by_id and all(map(acting.may, needed(scopes)))
    return Row(key, api_keys.hint(key), [SCOPES[scope].name for scope in scopes], has_ended, may_rotate)


urlpatterns = [
    path("settings/api-keys/", keys, name="settings-api-keys"),
    path("settings/api-keys/new/", create, name="new-api-key"),
    path("settings/api-keys/<uuid:api_key_id>/rotate/", rotate, name="rotate-api-key"),
    path("settings/api-keys/<uuid:api_key_id>/revoke/", revoke, name="revoke-api-key"),
]
