"""`/inbox/labels/`: an organization's labels."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _

from accounts import doors
from accounts.doors import Asking
from accounts.roles import Permission
from conversations import labelling
from conversations.forms import LabelForm
from conversations.labelling import NameTaken, NoSuchLabel, TooManyLabels
from conversations.models import Colour, Label
from iva.problems import Problem


@doors.member(GET=Permission.CONVERSATIONS_READ, POST=Permission.CONVERSATIONS_ASSIGN)
def labels(request: Asking) -> HttpResponse:
    """All of them; a new one."""
    form = LabelForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            labelling.make(given["name"], Colour(given["colour"]), by=request.acting)
        except NameTaken:
            form.add_error("name", _("There is a label of this name."))
        except TooManyLabels:
            form.add_error(None, _("These are as many labels as there can be. Remove one first."))
        else:
            messages.success(request, _("The label is there."))
            return doors.go(request, "labels")
    return _page(request, form)


@doors.member(GET=Permission.CONVERSATIONS_ASSIGN, POST=Permission.CONVERSATIONS_ASSIGN)
def label(request: Asking, label_id: uuid.UUID) -> HttpResponse:
    """Rename it, colour it, or take it away (`remove`)."""
    try:
        found = labelling.get(label_id)
    except NoSuchLabel:
        raise Problem("not_found", "The organization has no such label.", 404) from None
    if request.method == "POST" and "remove" in request.POST:
        labelling.remove(found, by=request.acting)
        messages.success(request, _("The label is gone, from every conversation."))
        return doors.go(request, "labels")
    form = LabelForm(request.POST or {"name": found.name, "colour": found.colour})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            labelling.change(found, given["name"], Colour(given["colour"]), by=request.acting)
        except NameTaken:
            form.add_error("name", _("There is a label of this name."))
        else:
            messages.success(request, _("The label is changed."))
            return doors.go(request, "labels")
    return _page(request, form, found)


def _page(request: Asking, form: LabelForm, changing: Label | None = None) -> HttpResponse:
    context = {
        "here": "inbox",
        "form": form,
        "labels": labelling.labels(),
        "changing": changing,
        "may_manage": request.acting.may(Permission.CONVERSATIONS_ASSIGN),
    }
    is_refused = request.method == "POST"
    return render(request, "conversations/labels.html", context, status=422 if is_refused else 200)


urlpatterns = [
    path("inbox/labels/", labels, name="labels"),
    path("inbox/labels/<uuid:label_id>/", label, name="label"),
]
