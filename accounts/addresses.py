"""The one normal form of a member's e-mail address and telephone number."""

import re
import unicodedata

import phonenumbers

LONGEST_EMAIL = 254
HOME_REGION = "MN"
_LABEL = r"[^@\s\x00-\x1f<>,;:\"()\[\]\\.]+"
EMAIL = re.compile(rf"[^@\s\x00-\x1f<>,;:\"()\[\]\\]{{1,64}}@{_LABEL}(\.{_LABEL})+")


class AddressInvalid(ValueError):
    """This cannot be such an address. Carries the field's name, never the value."""

    def __init__(self, field: str) -> None:
        self.field = field
        super().__init__(field)


def normal_email(text: str) -> str:
    """NFKC and lower case. Raises AddressInvalid.

    Nothing that could end a header or begin another address is let through.
    """
    address = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).strip().lower())
    if len(address) > LONGEST_EMAIL or not EMAIL.fullmatch(address):
        raise AddressInvalid("email")
    return address


def normal_phone(text: str) -> str:
    """E.164, Mongolian when no country is given. Raises AddressInvalid."""
    try:
        number = phonenumbers.parse(unicodedata.normalize("NFKC", text).strip(), HOME_REGION)
    except phonenumbers.NumberParseException:
        raise AddressInvalid("phone") from None
    if number.extension or not phonenumbers.is_valid_number(number):
        raise AddressInvalid("phone")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
