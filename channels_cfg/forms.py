"""What people type about channels."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms import OneLine


class ChannelForm(forms.Form):
    name = OneLine(
        label=_("Name"),
        max_length=100,
        help_text=_("Your own word for it, for example «Website» or «Core system»."),
        widget=forms.TextInput({"autocomplete": "off"}),
    )
