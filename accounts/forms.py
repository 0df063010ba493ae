"""What people type into the pages of accounts."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts import one_line
from accounts.addresses import AddressInvalid, normal_email, normal_phone
from accounts.passwords import PasswordRefused

LONGEST = 200
REFUSED = {
    "short": _("Use at least twelve characters. A sentence of your own is easy to remember."),
    "long": _("Use at most 128 characters."),
    "stolen": _("This password is on the lists of stolen ones. Choose another."),
    "repetitive": _("This repeats the same few characters. Choose another."),
    "row": _("This is a row of keys or letters. Choose another."),
    "personal": _("This is made of your own address. Choose another."),
}
"""What is wrong with a password, by the code of PasswordRefused."""
INVALID = {
    "email": _("This is not an e-mail address."),
    "phone": _("This is not a telephone number. With a country code it begins with +."),
}
"""What is wrong with an address, by the field of AddressInvalid."""
NOT_ONE_LINE = _("Write this in one line, without line breaks and control characters.")


def _new_password(label: Any) -> forms.CharField:
    """The browser may remember it; we send back what was typed, so that a mistake elsewhere costs nothing."""
    return forms.CharField(
        label=label,
        max_length=400,
        strip=False,
        help_text=_("At least twelve characters; a few words are good."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}, render_value=True),
    )


def _position(*, required: bool) -> forms.CharField:
    return OneLine(
        label=_("Your position"),
        max_length=LONGEST,
        required=required,
        widget=forms.TextInput(attrs={"autocomplete": "organization-title"}),
    )


def _accepted_for_organization() -> forms.BooleanField:
    return forms.BooleanField(
        label=_("I have read both documents and accept them for the organization."),
        error_messages={"required": _("An organization signs up by accepting both.")},
    )


class OneLine(forms.CharField):
    """A name, or whatever else stands in one line: no break, no control character."""

    widget = forms.TextInput

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            one_line.refuse_breaks(text)
        except one_line.NotOneLine:
            raise forms.ValidationError(NOT_ONE_LINE) from None
        return text


class EmailAddress(forms.CharField):
    """An e-mail address in its normal form."""

    widget = forms.EmailInput

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return normal_email(text)
        except AddressInvalid:
            raise forms.ValidationError(INVALID["email"]) from None


class PhoneNumber(forms.CharField):
    """A telephone number in E.164, Mongolian when no country is given."""

    widget = forms.TextInput

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return normal_phone(text) if text else None
        except AddressInvalid:
            raise forms.ValidationError(INVALID["phone"]) from None


class SignInForm(forms.Form):
    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username webauthn", "autofocus": True}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class PasswordForm(forms.Form):
    """The password again, before one's first second factor."""

    password = forms.CharField(
        label=_("Password"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )


class CodeForm(forms.Form):
    code = OneLine(
        label=_("Code"),
        max_length=40,
        help_text=_("Six digits from your authenticator app, or one of your recovery codes."),
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "inputmode": "text",
                "autofocus": True,
                "autocapitalize": "off",
                "spellcheck": "false",
            }
        ),
    )


class SignUpForm(forms.Form):
    """An organization and its responsible employee (P6, P17, P18)."""

    organization = OneLine(
        label=_("Organization"),
        max_length=LONGEST,
        widget=forms.TextInput(attrs={"autocomplete": "organization", "autofocus": True}),
    )
    name = OneLine(
        label=_("Your name"), max_length=LONGEST, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    position = _position(required=True)
    email = EmailAddress(
        label=_("E-mail address"),
        max_length=254,
        help_text=_("We send a link there to confirm it."),
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    phone = PhoneNumber(
        label=_("Phone"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
    )
    locale = forms.ChoiceField(label=_("Language of e-mails and pages"), choices=settings.LANGUAGES)
    accepted = _accepted_for_organization()


class InvitedForm(forms.Form):
    """Somebody new who was invited; their address is the invited one."""

    name = OneLine(
        label=_("Your name"),
        max_length=LONGEST,
        widget=forms.TextInput(attrs={"autocomplete": "name", "autofocus": True}),
    )
    position = _position(required=False)
    locale = forms.ChoiceField(label=_("Language of e-mails and pages"), choices=settings.LANGUAGES)
    password = _new_password(_("Password"))
    accepted = forms.BooleanField(
        label=_("I have read both documents and accept them."),
        error_messages={"required": _("IVA opens once both are accepted.")},
    )


class JoiningForm(forms.Form):
    """Somebody with a login who was invited: how this organization knows them."""

    name = OneLine(
        label=_("Your name, as this organization sees it"),
        max_length=LONGEST,
        widget=forms.TextInput(attrs={"autocomplete": "name", "autofocus": True}),
    )
    position = _position(required=False)


class FirstPasswordForm(forms.Form):
    """The password of whoever has just shown that they read the letter."""

    password = _new_password(_("Password"))


class ConfirmForm(FirstPasswordForm):
    """The same where an organization waits: who confirms accepts for it."""

    accepted = _accepted_for_organization()


class AddressForm(forms.Form):
    """Whose password was forgotten, or who still waits for a letter."""

    email = EmailAddress(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )


class NewPasswordForm(forms.Form):
    """A password instead of the one before."""

    password = _new_password(_("New password"))


class ChangePasswordForm(NewPasswordForm):
    """The same for somebody who has given no second factor just now: the present one is asked for."""

    old = forms.CharField(
        label=_("Present password"),
        max_length=400,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )
    field_order = ("old", "password")


class PasskeyNameForm(forms.Form):
    """What somebody calls a passkey."""

    name = OneLine(label=_("Name"), max_length=60)


def refuse_password(form: forms.Form, error: PasswordRefused, field: str = "password") -> None:
    """Say at the field why a password is too easy."""
    form.add_error(field, REFUSED[error.code])


class ProfileForm(forms.Form):
    name = OneLine(label=_("Name"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    position = OneLine(
        label=_("Position"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "organization-title"}),
    )
    phone = OneLine(
        label=_("Phone"),
        max_length=40,
        required=False,
        help_text=_("With the country's code; a Mongolian number also without."),
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel", "type": "tel"}),
    )


class AppearanceForm(forms.Form):
    locale = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    theme = forms.ChoiceField(
        label=_("Appearance"),
        choices=[("auto", _("As my system")), ("light", _("Light")), ("dark", _("Dark"))],
    )


class NewAddressForm(forms.Form):
    email = forms.CharField(
        label=_("New e-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "autofocus": True}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
