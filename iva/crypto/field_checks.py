"""What an encrypted field cannot be: compared, sorted, unique, or without anything to be bound to."""

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Error
from django.core.exceptions import FieldDoesNotExist
from django.db import models

USES = (
    ("primary_key", "a primary key"),
    ("unique", "unique"),
    ("db_index", "indexed"),
    ("db_column", "in a column of another name"),
)


def faults(field: Any) -> list[CheckMessage]:
    """The faults of one encrypted field, as Django's system checks report them."""
    return [Error(fault, obj=field, id="iva_crypto.E001") for fault in _faults(field, field.model)]


def _faults(field: Any, model: type[models.Model]) -> Iterator[str]:
    yield from (f"an encrypted field cannot be {what}" for option, what in USES if getattr(field, option))
    if field.has_default():
        yield "an encrypted field cannot have a default: it would be the same in every row"
    if field.name in _compared(model) or field.attname in _compared(model):
        yield "an encrypted field cannot be part of an index, a constraint or an ordering"
    for name in (field.subject, "organization_id", "id"):
        if not isinstance(_column(model, name), models.UUIDField):
            yield f"an encrypted field is bound to {name}, which has to be a UUID of the same row"


def _compared(model: type[models.Model]) -> set[str]:
    """The names of fields that the database is to compare."""
    options = model._meta
    groups: list[Any] = [
        *options.unique_together,
        *(getattr(index, "fields", []) for index in options.indexes),
    ]
    groups += [getattr(constraint, "fields", []) for constraint in options.constraints]
    groups.append([name.lstrip("-") for name in options.ordering or () if isinstance(name, str)])
    groups.append(
        [options.get_latest_by] if isinstance(options.get_latest_by, str) else options.get_latest_by or []
    )
    return {name for group in groups for name in group}


def _column(model: type[models.Model], name: str) -> Any:
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    return field.target_field if isinstance(field, models.ForeignKey) else field
