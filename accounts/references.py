"""Why an operator did something: the number of a ticket or a case, which goes into an audit trail."""

import re

REFERENCE = re.compile(r"(?=.*[0-9])[a-z0-9][a-z0-9._-]{2,39}")


class NotAReference(ValueError):
    """A reason is the number of a ticket or a case: letters, digits, dots and dashes, no words."""


def read(text: str) -> str:
    """The code of a reference as it is written down. Raises NotAReference."""
    code = text.strip().lower()
    if not REFERENCE.fullmatch(code):
        raise NotAReference
    return code
