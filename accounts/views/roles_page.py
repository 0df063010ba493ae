"""`/settings/roles/`: the table of roles, as it is in the code."""

from itertools import groupby
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from accounts import doors, roles
from accounts.doors import Asking
from accounts.role_words import AREAS, PERMISSION_NAMES, ROLE_MEANINGS, ROLE_NAMES
from accounts.roles import Permission, Role


@doors.member(GET=Permission.ORGANIZATION_READ)
def matrix(request: Asking) -> HttpResponse:
    """Who may do what; one's own role stands out."""
    context = {
        "roles": [(role, ROLE_NAMES[role], ROLE_MEANINGS[role]) for role in Role],
        "areas": _areas(),
        "own": request.acting.role,
    }
    return render(request, "accounts/settings/roles.html", context)


def _areas() -> list[tuple[Any, list[dict[str, Any]]]]:
    areas = groupby(roles.matrix(), key=lambda row: row[0].value.split(".")[0])
    return [
        (AREAS[area], [_row(permission, granted) for permission, granted in rows]) for area, rows in areas
    ]


def _row(permission: Permission, granted: list[bool]) -> dict[str, Any]:
    return {
        "name": PERMISSION_NAMES[permission],
        "cells": list(zip(Role, granted, strict=True)),
        "needs_step_up": permission in roles.STEP_UP,
    }


urlpatterns = [path("settings/roles/", matrix, name="settings-roles")]
