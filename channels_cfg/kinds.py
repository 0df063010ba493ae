"""What the kinds of channels are called."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from channels_cfg.models import ChannelKind

KIND_NAMES: dict[ChannelKind, Promise] = {
    ChannelKind.API: _("API"),
    ChannelKind.WEBCHAT: _("Web chat"),
    ChannelKind.MESSENGER: _("Messenger"),
    ChannelKind.VOICE: _("Voice"),
}
