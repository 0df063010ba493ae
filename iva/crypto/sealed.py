"""What an instance holds once an encrypted value was opened or assigned: opaque to everything but its field.

Before that it holds the column's bytes, ciphertext, which say nothing and cost nothing to load.
"""

import weakref
from typing import Any, NoReturn


class Sealed:
    """An encrypted value. Everything by which a value usually gets out says no."""

    __slots__ = ("value",)

    value: Any

    def __repr__(self) -> str:
        return "[sealed]"

    def __format__(self, specification: str) -> str:
        return "[sealed]"

    def __deepcopy__(self, memo: dict[int, Any]) -> "Sealed":
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("an opened value is not pickled: it would leave its key's reach")

    def __iter__(self) -> NoReturn:
        raise TypeError("an encrypted value is read through its field")

    def __bytes__(self) -> NoReturn:
        raise TypeError("an encrypted value is read through its field")


class Opened(Sealed):
    """A value that was read, beside the bytes it was read from."""

    __slots__ = ("envelope",)

    def __init__(self, envelope: bytes, value: Any) -> None:
        self.envelope = envelope
        self.value = value


# `held = blank(Opened)`, then its two attributes, takes two thirds of the time of calling the class.
blank = object.__new__


class Assigned(Sealed):
    """A value that was assigned, and is sealed anew whenever its instance is saved.

    It remembers its instance, because only the instance knows the place a ciphertext is bound to, and what
    `bulk.seal` made ahead of a save: (ring, (subject id, row id), envelope).
    """

    __slots__ = ("ahead", "owner")

    def __init__(self, value: Any, owner: Any) -> None:
        self.value = value
        self.owner = weakref.ref(owner)
        self.ahead: tuple[Any, tuple[Any, Any], bytes] | None = None
