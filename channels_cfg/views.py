"""`/settings/channels/`: the ways in which End Users reach the organization."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _

from accounts import doors
from accounts.doors import Asking
from accounts.roles import Permission
from channels_cfg import connecting
from channels_cfg.connecting import ChannelNameTaken, NoSuchChannel
from channels_cfg.forms import ChannelForm
from channels_cfg.kinds import KIND_NAMES
from channels_cfg.models import ChannelKind


@doors.member(GET=Permission.CHANNELS_READ, POST=Permission.CHANNELS_MANAGE)
def channels(request: Asking) -> HttpResponse:
    """What is connected; those who may, connect another API channel."""
    form = ChannelForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            connecting.connect(ChannelKind.API, form.cleaned_data["name"], actor=request.acting.actor)
        except ChannelNameTaken:
            form.add_error("name", _("You call another channel by this name."))
        else:
            messages.success(request, _("The channel is connected."))
            return doors.go(request, "settings-channels")
    context = {
        "form": form,
        "channels": [(channel, KIND_NAMES[ChannelKind(channel.kind)]) for channel in connecting.connected()],
        "may_manage": request.acting.may(Permission.CHANNELS_MANAGE),
    }
    return render(request, "channels_cfg/channels.html", context, status=422 if form.is_bound else 200)


@doors.member(POST=Permission.CHANNELS_MANAGE)
def disable(request: Asking, channel_id: uuid.UUID) -> HttpResponse:
    """Take nothing in through it from now on."""
    try:
        connecting.disable(connecting.named(channel_id), actor=request.acting.actor)
    except NoSuchChannel:
        raise Http404 from None
    messages.success(request, _("The channel takes nothing in any more."))
    return doors.go(request, "settings-channels")


urlpatterns = [
    path("settings/channels/", channels, name="settings-channels"),
    path("settings/channels/<uuid:channel_id>/disable/", disable, name="disable-channel"),
]
