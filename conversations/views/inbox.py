"""`/inbox/`: the list, and what htmx asks of it."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone

from accounts import doors
from accounts.doors import Asking
from accounts.roles import Permission
from conversations.views import acting, conversation, end_user, labels, listing


@doors.member(GET=Permission.CONVERSATIONS_READ)
def inbox(request: Asking) -> HttpResponse:
    """The conversations of a view, or only the part of the list that htmx asks for."""
    wanted = listing.wanted_by(request)
    with timezone.override(request.organization.time_zone):
        match request.headers.get("HX-Target"):
            case listing.MORE:
                further = listing.rows(request, wanted) | {"is_further": True}
                return render(request, "conversations/rows.html", further)
            case listing.TARGET:
                return render(request, "conversations/live_list.html", listing.context(request, wanted))
        return render(request, "conversations/inbox.html", listing.context(request, wanted))


urlpatterns = [
    path("inbox/", inbox, name="inbox"),
    *labels.urlpatterns,
    *conversation.urlpatterns,
    *acting.urlpatterns,
    *end_user.urlpatterns,
]
