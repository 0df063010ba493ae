"""What members do in a conversation: write, take over, assign, label, resolve, reopen.

Every address answers a plain form with a redirect to the conversation, and htmx with what has changed. Where
somebody else was faster, the page is shown as it is now, with a sentence that says so.
"""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.urls import path
from django.utils.translation import gettext as _

from accounts import doors
from accounts.doors import Asking
from accounts.people import NoSuchMember
from accounts.roles import Permission
from conversations import assigning, colleagues, drafts, handover, labelling, resolving, writing
from conversations.forms import (
    NOTE,
    AssigneeForm,
    ComposerForm,
    DraftForm,
    InChargeForm,
    LabelsForm,
    ResolutionForm,
)
from conversations.handover import ConversationClosed
from conversations.models import Conversation, Resolution
from conversations.resolving import AnotherIsOpen, ResolvedOtherwise
from conversations.views import conversation as pages
from conversations.views import listing
from conversations.writing import ColleagueReplied
from iva.problems import Problem

REPLIES = Permission.CONVERSATIONS_REPLY


@doors.member(POST=REPLIES)
def entry(request: Asking, conversation_id: uuid.UUID) -> HttpResponse:
    """Send a reply, or keep a note. What cannot be sent stays in the composer, and as a draft."""
    conversation = pages.hold(conversation_id)
    form = ComposerForm(request.POST)
    if not form.is_valid():
        return _refused(request, conversation, form, 422)
    given = form.cleaned_data
    try:
        if given["kind"] == NOTE:
            writing.note(conversation, given["body"], by=request.acting)
        else:
            writing.reply(conversation, given["body"], by=request.acting, seen=given["seen"])
    except ConversationClosed:
        wrong = _("This conversation has been resolved meanwhile. Your text is kept; reopen it to send.")
        return _overtaken(request, conversation, form, wrong)
    except ColleagueReplied as first:
        name = colleagues.names([first.member_id]).get(first.member_id) if first.member_id else None
        wrong = _("%(name)s has replied meanwhile. Read it, then send yours if it is still needed.")
        form.cleaned_data["seen"] = first.message_id
        return _overtaken(request, conversation, form, wrong % {"name": name or _("A colleague")})
    return _changed(request, conversation, composer=True)


@doors.member(POST=REPLIES)
def draft(request: Asking, conversation_id: uuid.UUID) -> HttpResponse:
    """Keep what is typed so far. Too long a text is not kept, and said so when it is sent."""
    conversation = pages.hold(conversation_id)
    form = DraftForm(request.POST)
    if not form.is_valid():
        return HttpResponse(_("Not kept: too long"), status=422)
    given = form.cleaned_data
    is_kept = drafts.keep(
        conversation,
        request.acting.membership_id,
        given["body"],
        is_note=given["kind"] == NOTE,
        seen=given["seen"],
    )
    said = _("Draft kept") if is_kept and given["body"].strip() else ""
    if request.headers.get("HX-Request"):
        return HttpResponse(said)
    return _changed(request, conversation)


@doors.member(POST=REPLIES)
def in_charge(request: Asking, conversation_id: uuid.UUID) -> HttpResponse:
    """People take over from the agent, or give back."""
    conversation = pages.hold(conversation_id)
    form, acting = InChargeForm(request.POST), request.acting
    if not form.is_valid():
        raise Problem("invalid", "Choose who is in charge.", 422)
    try:
        if form.cleaned_data["in_charge"] == "agent":
            handover.hand_back(conversation, actor=acting.actor)
        else:
            handover.hand_over(conversation, actor=acting.actor)
            if conversation.assignee_id is None:
                assigning.assign(conversation, acting.membership_id, by=acting)
    except ConversationClosed:
        messages.error(request, _("This conversation has been resolved meanwhile."))
    return _changed(request, conversation)


@doors.member(POST=REPLIES)
def assignee(request: Asking, conversation_id: uuid.UUID) -> HttpResponse:
    """Who takes care of it; empty for nobody."""
    conversation = pages.hold(conversation_id)
    form = AssigneeForm(request.POST)
    if not form.is_valid():
        raise Problem("invalid", "Choose one of your colleagues.", 422)
    try:
        assigning.assign(conversation, form.cleaned_data["assignee"], by=request.acting)
    except NoSuchMember:
        raise Problem("invalid", "Choose one of your colleagues.", 422) from None
    except ConversationClosed:
        messages.error(request, _("This conversation has been resolved meanwhile."))
    return _changed(request, conversation)


@doors.member(POST=REPLIES)
def labels(request: Asking, conversation_id: uuid.UUID) -> HttpResponse:
    """Exactly these labels."""
    conversation = pages.hold(conversation_id)
    form = LabelsForm(request.POST, known=labelling.labels())
    if not form.is_valid():
        raise Problem("invalid", "Choose from the labels there are.", 422)
    chosen = [uuid.UUID(label_id) for label_id in form.cleaned_data["label"]]
    labelling.put(conversation, chosen, by=request.acting)
    return _changed(request, conversation)


@doors.member(POST=REPLIES)
def resolution(request: Asking, conversation_id: uuid.UUID) -> HttpResponse:
    """End it, and say how it went."""
    conversation = pages.hold(conversation_id, alone=True)
    form = ResolutionForm(request.POST)
    if not form.is_valid():
        raise Problem("invalid", "Say how it ended.", 422)
    try:
        resolving.resolve(
            conversation, Resolution(form.cleaned_data["resolution"]), actor=request.acting.actor
        )
    except ResolvedOtherwise:
        messages.error(request, _("A colleague has resolved it already, in another way."))
    return _changed(request, conversation, composer=True)


@doors.member(POST=REPLIES)
def reopening(request: Asking, conversation_id: uuid.UUID) -> HttpResponse:
    """Take it up again; where the End User has another open one, that is shown."""
    conversation = pages.hold(conversation_id, alone=True)
    try:
        resolving.reopen(conversation, actor=request.acting.actor)
        if conversation.assignee_id is None:
            assigning.assign(conversation, request.acting.membership_id, by=request.acting)
    except AnotherIsOpen as other:
        messages.info(request, _("There is a newer open conversation with this person: here it is."))
        address = listing.address_of(listing.wanted_by(request), other.conversation_id)
        return doors.go(request, address)
    return _changed(request, conversation, composer=True)


def _changed(request: Asking, conversation: Conversation, *, composer: bool = False) -> HttpResponse:
    if not request.headers.get("HX-Request"):
        return doors.go(request, listing.address_of(listing.wanted_by(request), conversation.pk))
    fresh = pages.fresh_composer(request, conversation) if composer else None
    return pages.news(request, conversation, composer=fresh)


def _overtaken(request: Asking, conversation: Conversation, form: ComposerForm, wrong: str) -> HttpResponse:
    given = form.cleaned_data
    drafts.keep(conversation, request.acting.membership_id, given["body"], is_note=given["kind"] == NOTE)
    return _refused(request, conversation, form, 409, wrong)


def _refused(
    request: Asking, conversation: Conversation, form: ComposerForm, status: int, *wrong: str
) -> HttpResponse:
    composer = pages.composer_of(form, *wrong)
    if not request.headers.get("HX-Request"):
        return pages.page(request, conversation, composer=composer, status=status)
    answer = pages.news(request, conversation, composer=composer)
    answer.status_code = status
    return answer


urlpatterns = [
    path("inbox/<uuid:conversation_id>/messages/", entry, name="conversation-messages"),
    path("inbox/<uuid:conversation_id>/draft/", draft, name="conversation-draft"),
    path("inbox/<uuid:conversation_id>/in-charge/", in_charge, name="conversation-in-charge"),
    path("inbox/<uuid:conversation_id>/assignee/", assignee, name="conversation-assignee"),
    path("inbox/<uuid:conversation_id>/labels/", labels, name="conversation-labels"),
    path("inbox/<uuid:conversation_id>/resolution/", resolution, name="conversation-resolution"),
    path("inbox/<uuid:conversation_id>/reopening/", reopening, name="conversation-reopening"),
]
