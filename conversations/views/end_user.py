"""`/inbox/<id>/handles/<id>/`: one handle in full, for a reason, in this response and nowhere else."""

import uuid
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from accounts import doors
from accounts.doors import Asking
from accounts.roles import Permission
from conversations.forms import RevealForm
from conversations.models import Conversation
from conversations.views import conversation as pages
from iva.problems import Problem
from privacy import revealing
from privacy.revealing import NoSuchHandle, Reason


@doors.member(POST=Permission.END_USERS_REVEAL)
def handle(request: Asking, conversation_id: uuid.UUID, handle_id: uuid.UUID) -> HttpResponse:
    """Reveal it once a reason is given."""
    conversation = pages.find(conversation_id)
    try:
        identity = revealing.find(conversation.end_user_id, handle_id)
    except NoSuchHandle:
        raise Problem("not_found", "The End User has no such handle.", 404) from None
    shown: dict[str, Any] = {"handle_id": identity.pk}
    form, status = RevealForm(request.POST), 422
    if form.is_valid():
        reason = Reason(form.cleaned_data["reason"])
        shown["revealed"] = revealing.reveal(identity, reason, actor=request.acting.actor)
        status = 200
    else:
        shown["reason_errors"] = form.errors["reason"]
    answer = _answer(request, conversation, status, shown)
    answer["Cache-Control"] = "no-store"
    return answer


def _answer(request: Asking, conversation: Conversation, status: int, shown: dict[str, Any]) -> HttpResponse:
    if not request.headers.get("HX-Request"):
        return pages.page(request, conversation, status=status, **shown)
    context = pages.head(request, conversation) | {"reasons": Reason, **shown}
    context["card"] = pages.card_of(request, conversation)
    return render(request, "conversations/card.html", context, status=status)


urlpatterns = [
    path("inbox/<uuid:conversation_id>/handles/<uuid:handle_id>/", handle, name="conversation-handle")
]
