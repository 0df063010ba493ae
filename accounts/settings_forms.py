"""What people type into the settings of an organization."""

import uuid
import zoneinfo
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import allow_list
from accounts.allow_list import Network, NetworkInvalid, TooManyNetworks
from accounts.forms import OneLine
from accounts.people import Acting
from accounts.role_words import ROLE_NAMES
from accounts.roles import Role
from accounts.scope_words import GROUPS, SCOPES
from accounts.scopes import NEEDS, Scope
from accounts.trail import Wanted
from accounts.trail_words import GROUP_NAMES, Group
from iva import tenancy

HERE_FIRST = ("Asia/Ulaanbaatar", "Asia/Hovd")
CONTINENTS = {
    "Africa",
    "America",
    "Antarctica",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
}
MOST_TYPED = 5_000
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)


def time_zones() -> list[tuple[str, str]]:
    """The zones of the IANA database that are named after places, Mongolia's in front."""
    others = sorted(zoneinfo.available_timezones() - set(HERE_FIRST))
    named = [*HERE_FIRST, *(name for name in others if name.partition("/")[0] in CONTINENTS), "UTC"]
    return [(name, name.replace("_", " ")) for name in named]


def role_choices(by: Acting, already: str | None = None) -> list[tuple[str, str]]:
    """The roles this member may hand out, and the one that somebody has already."""
    return [
        (role.value, str(name))
        for role, name in ROLE_NAMES.items()
        if by.may_hand_out(role) or role.value == already
    ]


def scope_choices(by: Acting) -> list[tuple[str, str]]:
    """What this member may let a key do: what they may do themselves."""
    return [(scope.value, str(said.name)) for scope, said in SCOPES.items() if by.may(NEEDS[scope])]


class OrganizationForm(forms.Form):
    name = OneLine(label=_("Name"), max_length=200, widget=forms.TextInput({"autocomplete": "off"}))
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=time_zones, help_text=_("Times on every page are shown in this zone.")
    )


class LeaveForm(forms.Form):
    confirmed = forms.BooleanField(label=_("I want to leave this organization."))


class InviteForm(forms.Form):
    email = forms.EmailField(
        label=_("E-mail address"), max_length=254, widget=forms.EmailInput({"autocomplete": "off"})
    )
    role = forms.ChoiceField(label=_("Role"))

    def __init__(self, by: Acting, data: Any = None) -> None:
        super().__init__(data, initial={"role": Role.SUPPORT_AGENT.value})
        self.fields["role"].choices = role_choices(by)  # type: ignore[attr-defined]


class MemberForm(forms.Form):
    role = forms.ChoiceField(label=_("Role"))
    is_responsible = forms.BooleanField(
        label=_("Responsible employee"),
        required=False,
        help_text=_("Answers for the organization and gets the notices about changes of the terms."),
    )

    def __init__(self, by: Acting, data: Any = None, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        self.fields["role"].choices = role_choices(by, self.initial.get("role"))  # type: ignore[attr-defined]


class SecurityForm(forms.Form):
    second_factor = forms.BooleanField(
        label=_("Demand a second factor of every member"),
        required=False,
        help_text=_(
            "Owners and administrators always need one. Everybody else sets one up at their next visit."
        ),
    )
    networks = forms.CharField(
        label=_("Allowed networks"),
        required=False,
        max_length=MOST_TYPED,
        widget=forms.Textarea({"rows": 6, "spellcheck": "false", "autocomplete": "off", "class": "code"}),
        help_text=_(
            "One a line, such as 203.0.113.0/24 or 2001:db8::/48; fifty at most. "
            "Applies to the dashboard and the API. Empty: from everywhere."
        ),
    )

    def clean_networks(self) -> list[Network]:
        try:
            return allow_list.parse(self.cleaned_data["networks"])
        except NetworkInvalid as error:
            raise forms.ValidationError(_network_refused(error)) from None
        except TooManyNetworks:
            raise forms.ValidationError(gettext("Fifty networks at most.")) from None


def _network_refused(error: NetworkInvalid) -> str:
    if error.meant:
        said = gettext("%(written)s is an address inside a network. Did you mean %(meant)s?")
    else:
        said = gettext("%(written)s is not a network.")
    return said % {"written": error.written[:60], "meant": error.meant}


class KeyForm(forms.Form):
    """Of `key_id` the key's own id is made: a form that is sent twice makes one key."""

    key_id = forms.UUIDField(widget=forms.HiddenInput)
    name = OneLine(
        label=_("Name"),
        max_length=100,
        help_text=_("Where the key will be used, for example «Call centre»."),
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label=_("What the key may do"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one.")},
    )
    lifetime = forms.ChoiceField(
        label=_("Expires"),
        choices=[
            ("90", _("After 90 days")),
            ("30", _("After 30 days")),
            ("365", _("After a year")),
            ("never", _("Never")),
        ],
    )

    def __init__(self, by: Acting, data: Any = None) -> None:
        super().__init__(data, initial={"key_id": tenancy.new_id()})
        self.fields["scopes"].choices = scope_choices(by)  # type: ignore[attr-defined]

    def expires_at(self) -> datetime | None:
        lifetime = self.cleaned_data["lifetime"]
        return None if lifetime == "never" else timezone.now() + timedelta(days=int(lifetime))

    def scope_groups(self) -> Iterator[tuple[Any, list[tuple[Scope, Any, Any, bool]]]]:
        """The scopes in their groups: code, name, meaning, and whether it is chosen."""
        chosen = set(self["scopes"].value() or [])
        offered = {code for code, _ in self.fields["scopes"].choices}  # type: ignore[attr-defined]
        for name, scopes in GROUPS:
            if theirs := [scope for scope in scopes if scope.value in offered]:
                yield name, [(scope, *SCOPES[scope], scope.value in chosen) for scope in theirs]


class RotateForm(forms.Form):
    """`key_id` as in `KeyForm`."""

    key_id = forms.UUIDField(widget=forms.HiddenInput)
    overlap = forms.ChoiceField(
        label=_("The old key works for"),
        choices=[("24", _("24 hours more")), ("1", _("One hour more")), ("168", _("Seven days more"))],
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"key_id": tenancy.new_id()})

    def given(self) -> timedelta:
        return timedelta(hours=int(self.cleaned_data["overlap"]))


class Day(forms.DateField):
    """A day that can be: at either end of the calendar there is no day before, or after, in some zone."""

    def __init__(self, label: Any) -> None:
        ends = {"min": FIRST_DAY.isoformat(), "max": LAST_DAY.isoformat()}
        super().__init__(label=label, required=False, widget=forms.DateInput({"type": "date"} | ends))

    def clean(self, value: Any) -> date | None:
        day = super().clean(value)
        if day is not None and not FIRST_DAY <= day <= LAST_DAY:
            raise forms.ValidationError(gettext("Choose a day of the years 2000 to 2099."))
        return day


class TrailForm(forms.Form):
    """Filters of the audit trail; days are whole days in the organization's zone, both included."""

    group = forms.ChoiceField(label=_("What"), required=False)
    member = forms.ChoiceField(label=_("Who"), required=False)
    since = Day(_("From"))
    until = Day(_("Until"))
    end_user = forms.UUIDField(
        label=_("End User id"),
        required=False,
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, data: Any, members: list[tuple[uuid.UUID, str]]) -> None:
        super().__init__(data)
        groups = [(group.value, name) for group, name in GROUP_NAMES.items()]
        self.fields["group"].choices = [("", _("Everything")), *groups]  # type: ignore[attr-defined]
        people = [(str(id), name) for id, name in members]
        self.fields["member"].choices = [("", _("Everybody")), *people]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any] | None:
        given = super().clean() or {}
        since, until = given.get("since"), given.get("until")
        if since and until and until < since:
            self.add_error("until", gettext("This day is before the other."))
        return given

    def wanted(self, zone: zoneinfo.ZoneInfo) -> Wanted:
        """What was asked for. Only after `is_valid()`."""
        given = self.cleaned_data
        return Wanted(
            since=given["since"] and datetime.combine(given["since"], time(), zone),
            until=given["until"] and datetime.combine(given["until"] + timedelta(days=1), time(), zone),
            group=Group(given["group"]) if given["group"] else None,
            member=uuid.UUID(given["member"]) if given["member"] else None,
            end_user=given["end_user"],
        )
