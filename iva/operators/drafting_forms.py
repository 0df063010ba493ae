"""What operators type when they draft and publish a legal document."""

import zoneinfo
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.agreements.texts import EFFECTIVE_DATE
from accounts.forms import OneLine
from accounts.models import Kind, LegalDocument
from iva.operators import labels
from iva.operators.lists import HOME_ZONE

LONGEST_TEXT = 400_000


class DraftForm(forms.Form):
    kind = forms.ChoiceField(label=gettext_lazy("Document"), choices=list(labels.KINDS.items()))
    version = OneLine(
        label=gettext_lazy("Version"),
        max_length=20,
        help_text=gettext_lazy("Three numbers, such as 1.2.0; greater than every published one."),
    )
    significance = forms.ChoiceField(
        label=gettext_lazy("Significance"),
        choices=list(labels.SIGNIFICANCES.items()),
        help_text=gettext_lazy(
            "A significant version is announced to every responsible employee before it takes effect."
        ),
    )
    privacy_policy = forms.ModelChoiceField(
        label=gettext_lazy("Privacy policy that is part of the terms"),
        queryset=LegalDocument.objects.none(),
        required=False,
        empty_label=gettext_lazy("none: this is a privacy policy"),
    )
    text_mn = forms.CharField(label=gettext_lazy("Text in Mongolian"), max_length=LONGEST_TEXT, strip=False)
    text_en = forms.CharField(label=gettext_lazy("Text in English"), max_length=LONGEST_TEXT, strip=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        policies = LegalDocument.objects.filter(kind=Kind.PRIVACY_POLICY, superseded_at=None)
        chosen: Any = self.fields["privacy_policy"]
        chosen.queryset = policies.defer("text_mn", "text_en").order_by("-drafted_at")
        chosen.label_from_instance = lambda document: document.version
        for name in ("text_mn", "text_en"):
            self.fields[name].widget = forms.Textarea(attrs={"rows": 18, "spellcheck": "true"})
            self.fields[name].help_text = _("Markdown. %(mark)s is where the date is filled in.") % {
                "mark": EFFECTIVE_DATE
            }


class PublicationForm(forms.Form):
    effective_on = forms.DateField(
        label=gettext_lazy("Effective on"),
        required=False,
        help_text=gettext_lazy("Empty: as soon as it may."),
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    def moment(self) -> datetime | None:
        """Midnight of that day at the platform's seat."""
        day = self.cleaned_data["effective_on"]
        zone = zoneinfo.ZoneInfo(HOME_ZONE)
        return datetime(day.year, day.month, day.day, tzinfo=zone) if day else None


def begun(kind: str) -> dict[str, Any]:
    """A form that begins with the newest texts, so that only what changes is typed."""
    wanted = kind if kind in Kind.values else Kind.TERMS.value
    newest = LegalDocument.objects.filter(kind=wanted).order_by("drafted_at").last()
    if newest is None:
        return {"kind": wanted}
    return {
        "kind": wanted,
        "text_mn": newest.text_mn,
        "text_en": newest.text_en,
        "privacy_policy": newest.privacy_policy_id,
    }
