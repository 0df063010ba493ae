"""`/inbox/`: the list, what htmx asks of it, and its news."""

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
        if request.headers.get("HX-Target") == listing.MORE:
            further = listing.rows(request, wanted) | {"is_further": True}
            return render(request, "conversations/rows.html", further)
        return render(request, "conversations/inbox.html", listing.context(request, wanted))


@doors.member(polled=True, GET=Permission.CONVERSATIONS_READ)
def news(request: Asking) -> HttpResponse:
    """The list as it is now, for a page that shows it already."""
    with timezone.override(request.organization.time_zone):
        context = listing.context(request, listing.wanted_by(request))
        return render(request, "conversations/live_list.html", context)


urlpatterns = [
    path("inbox/", inbox, name="inbox"),
    path("inbox/news/", news, name="inbox-news"),
    *labels.urlpatterns,
    *conversation.urlpatterns,
    *acting.urlpatterns,
    *end_user.urlpatterns,
]
