"""Encrypted model fields: `body` in Python, `body_encrypted` (bytea) in the database.

    class Message(TenantModel):
        body = EncryptedTextField(subject="end_user_id")

`message.body` decrypts on first touch, inside `tenant()`, and remembers. `subject` names the attribute that
holds the data subject's id; ORGANIZATION for what belongs to nobody else. NULL stays NULL, everything else
is encrypted, "" included. The database can neither compare nor sort what it cannot read: every lookup but
`isnull` is refused, and so is a plaintext that has no row (`QuerySet.update(body="…")`).

To move a row to another subject, read the value first and assign it again: `m.body = m.body`.
"""

import json
import uuid
from collections.abc import Callable
from typing import Any

from django.core.checks import CheckMessage
from django.db import models

from iva import tenancy
from iva.crypto import aead, field_checks, registry, ring
from iva.crypto.aead import InvalidTag, SealBroken
from iva.crypto.sealed import Assigned, Opened, Sealed, blank
from iva.tenancy import SealedFieldUsed, current

__all__ = [
    "ORGANIZATION",
    "EncryptedJSONField",
    "EncryptedTextField",
    "PlaintextWithoutRow",
    "Sealed",
    "SealedElsewhere",
]

ORGANIZATION = "organization_id"
SUFFIX = "_encrypted"


class PlaintextWithoutRow(TypeError):
    """A plaintext was to be written without an instance, so without a row to bind it to."""


class SealedElsewhere(ValueError):
    """An unopened ciphertext was to be inserted as another row, where it would not open."""


class _Plaintext:
    """The plaintext attribute of an encrypted field: opens on first touch and remembers.

    The way of an unopened value is written out in one function: a page of messages feels every call.
    """

    def __init__(self, field: "EncryptedField") -> None:
        self.field, self.attname = field, field.attname
        self.subject, self.decode = field.subject, field.decode

    def __get__(self, instance: models.Model | None, owner: type | None = None) -> Any:
        if instance is None:
            return self
        state = instance.__dict__
        try:
            held, subject, row = state[self.attname], state[self.subject].int, state["id"].int
        except (KeyError, AttributeError):
            held, subject, row = self._loaded(instance)
        if type(held) is not bytes:
            return None if held is None else held.value
        try:
            decrypt, prefix, bound_to = current().memo[self][held[:12]]  # type: ignore[union-attr]
        except (AttributeError, KeyError):
            decrypt, prefix, bound_to = self._opener(held)
        if bound_to != subject:
            raise SealBroken("the envelope belongs to another subject")
        try:
            content = decrypt(held[12:24], held[24:], prefix + row.to_bytes(16, "big"))
        except (InvalidTag, ValueError):
            raise SealBroken("the envelope was not sealed here, or was altered") from None
        state[self.attname] = opened = blank(Opened)
        opened.envelope = held
        opened.value = value = self.decode(content)
        return value

    def __set__(self, instance: models.Model, value: Any) -> None:
        as_it_is = value is None or isinstance(value, Sealed)
        instance.__dict__[self.attname] = value if as_it_is else Assigned(value, instance)

    def _opener(self, envelope: bytes) -> ring.Opener:
        """The ring's opener; its table for this column is left in the memo, where the next touch finds it."""
        active = ring.current()
        opener = active.opener(envelope, self.field)
        tenancy.active().memo[self] = active.table(self.field)
        return opener

    def _loaded(self, instance: models.Model) -> tuple[Any, int, int]:
        """The same for an instance whose fields are deferred: Django loads them now."""
        held = getattr(instance, self.attname)
        subject, row = self.field.bound_to(instance)
        return held, getattr(subject, "int", 0), getattr(row, "int", 0)


class EncryptedField(models.Field):
    """Base of the encrypted fields. Subclasses say how a value becomes bytes and back."""

    sealed = True
    empty_strings_allowed = False

    def __init__(self, *args: Any, subject: str, **kwargs: Any) -> None:
        self.subject = subject
        self._place: bytes | None = None
        super().__init__(*args, **kwargs)

    def encode(self, value: Any) -> bytes:
        raise TypeError("an encrypted field says how its values become bytes")

    decode: Callable[[bytes], Any]

    @property
    def place(self) -> bytes:
        """Table and column number, 8 bytes. Raises FieldNotRegistered."""
        if self._place is None:
            self._place = aead.column_bytes(*registry.checked_in().numbers(self.model._meta.label, self.name))
        return self._place

    def allows(self, purpose: str) -> bool:
        """Whether the model declares the purpose (P16)."""
        declaration = getattr(self.model, "personal_data", None)
        return declaration is None or declaration.allows(purpose)

    def seal(self, instance: models.Model, value: Any) -> bytes:
        """The envelope of a value for the instance's place.

        Raises KeyShredded, KeyUnknown, AnotherTenantActive, and TypeError without a subject.
        """
        active, (subject, row) = ring.current(), self.bound_to(instance)
        if getattr(instance, ORGANIZATION) != active.organization_id:
            raise tenancy.AnotherTenantActive("the row belongs to another organization")
        if not (isinstance(subject, uuid.UUID) and isinstance(row, uuid.UUID)):
            raise TypeError(f"{self} is bound to the UUIDs of its subject and its row")
        return active.seal(self.encode(value), self, subject, row.int)

    def bound_to(self, instance: models.Model) -> tuple[uuid.UUID, uuid.UUID]:
        """(subject id, row id). Reads the instance's dictionary, which is what a hundred messages feel."""
        state = instance.__dict__
        try:
            return state[self.subject], state["id"]
        except KeyError:
            return getattr(instance, self.subject), instance.pk

    def pre_save(self, instance: models.Model, add: bool) -> Any:
        """What is written for the instance: the bytes that were read, or a fresh envelope."""
        held = getattr(instance, self.attname)
        if isinstance(held, Assigned):
            return self._made_ahead(instance, held) or self._fresh(instance, held)
        if isinstance(held, Opened):
            return self._fresh(instance, held) if add or self._may_have_changed(held.value) else held
        if add and held is not None:
            raise SealedElsewhere(f"read {self} before inserting it as another row")
        return held

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        """The bytes of the column. `bulk_update` gives what the instance holds.

        Raises PlaintextWithoutRow, and SealBroken for bytes that are no envelope.
        """
        if value is None or hasattr(value, "as_sql"):
            return value
        if isinstance(value, Opened):
            return value.envelope
        if isinstance(value, Assigned) and (owner := value.owner()) is not None:
            return self.seal(owner, value.value)
        if isinstance(value, bytes):
            aead.key_id_of(value)
            return value
        raise PlaintextWithoutRow(
            f"{self}: save an instance; only it knows the row to bind the ciphertext to"
        )

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name == "isnull":
            return super().get_lookup(lookup_name)
        raise SealedFieldUsed(f"{self} is encrypted: only isnull can be asked of it")

    def get_transform(self, lookup_name: str) -> Any:
        raise SealedFieldUsed(f"{self} is encrypted: the database cannot look into it")

    def value_to_string(self, obj: models.Model) -> str:
        raise SealedFieldUsed(f"{self} is encrypted and is not serialized")

    def to_python(self, value: Any) -> Any:
        return value

    def formfield(self, *args: Any, **kwargs: Any) -> None:
        """No form shows it."""

    def get_attname(self) -> str:
        return self.name + SUFFIX

    def get_internal_type(self) -> str:
        return "BinaryField"

    def contribute_to_class(self, cls: Any, name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, name, _Plaintext(self))

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "subject": self.subject}

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        return [*super().check(**kwargs), *field_checks.faults(self)]

    def _may_have_changed(self, value: Any) -> bool:
        """Whether a value that was only read can have been altered in place."""
        return False

    def _fresh(self, instance: models.Model, held: Sealed) -> Opened:
        return Opened(self.seal(instance, held.value), None)

    def _made_ahead(self, instance: models.Model, held: Assigned) -> Opened | None:
        if held.ahead is None:
            return None
        made_in, place, envelope = held.ahead
        still = made_in is ring.current() and place == self.bound_to(instance) and made_in.holds(place[0].int)
        return Opened(envelope, None) if still else None


class EncryptedTextField(EncryptedField):
    """Text, as UTF-8."""

    def encode(self, value: Any) -> bytes:
        if not isinstance(value, str):
            raise TypeError(f"{self} takes a str")
        return value.encode()

    decode = staticmethod(bytes.decode)


class EncryptedJSONField(EncryptedField):
    """Anything JSON can say. What was read is sealed anew on save: it may have been altered in place."""

    def encode(self, value: Any) -> bytes:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()

    decode = staticmethod(json.loads)

    def _may_have_changed(self, value: Any) -> bool:
        return isinstance(value, dict | list)
