"""What members type and choose in the inbox."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms import OneLine
from conversations import labelling
from conversations.inbox import Sentiment, View
from conversations.models import Colour, Resolution
from conversations.receiving import LONGEST_BODY
from privacy.revealing import Reason

REPLY, NOTE = "reply", "note"
MOST_ROWS = 100
"""As many rows of a list as are refreshed at once."""


class FilterForm(forms.Form):
    """Which conversations; everything may be left out."""

    view = forms.ChoiceField(choices=View.choices, required=False)
    channel = forms.UUIDField(required=False)
    assignee = forms.UUIDField(required=False)
    label = forms.UUIDField(required=False)
    sentiment = forms.ChoiceField(choices=Sentiment.choices, required=False)
    rows = forms.IntegerField(required=False, min_value=0, max_value=MOST_ROWS)
    open = forms.UUIDField(required=False)


class ComposerForm(forms.Form):
    """A reply or a note. `seen` is the newest entry of the page it was written on."""

    kind = forms.ChoiceField(choices=[(REPLY, _("Reply")), (NOTE, _("Note"))])
    body = forms.CharField(
        max_length=LONGEST_BODY,
        label=_("Text"),
        error_messages={"required": _("Write something first.")},
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    seen = forms.UUIDField(required=False)


class DraftForm(forms.Form):
    """What is typed so far; nothing is required of it."""

    kind = forms.ChoiceField(choices=[(REPLY, REPLY), (NOTE, NOTE)], required=False)
    body = forms.CharField(max_length=LONGEST_BODY, required=False, strip=False)
    seen = forms.UUIDField(required=False)


class AssigneeForm(forms.Form):
    assignee = forms.UUIDField(required=False)


class LabelsForm(forms.Form):
    """All the labels a conversation is to have."""

    label = forms.TypedMultipleChoiceField(required=False)

    def __init__(self, *args: Any, known: list[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["label"].choices = [(str(label.pk), label.name) for label in known]  # type: ignore[attr-defined]


class ResolutionForm(forms.Form):
    resolution = forms.ChoiceField(choices=Resolution.choices)


class InChargeForm(forms.Form):
    in_charge = forms.ChoiceField(choices=[("people", "people"), ("agent", "agent")])


class RevealForm(forms.Form):
    """Why somebody has to see a handle."""

    reason = forms.ChoiceField(
        choices=Reason.choices,
        label=_("Reason"),
        error_messages={"required": _("Choose a reason first.")},
    )


class LabelForm(forms.Form):
    name = OneLine(max_length=labelling.LONGEST_NAME, label=_("Name"))
    colour = forms.ChoiceField(choices=Colour.choices, label=_("Colour"), initial=Colour.GREY)
