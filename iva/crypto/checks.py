"""System checks: every encrypted field has its number, and no number is given twice."""

from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error

from iva.crypto import registry


def registry_is_whole(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """No number stands twice, none is given again after it was retired."""
    return [Error(fault, id="iva_crypto.E002") for fault in registry.checked_in().faults()]


def encrypted_fields_are_registered(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Registry and models name the same encrypted fields."""
    numbers = registry.checked_in()
    named = {(label, column) for label, table in numbers.tables.items() for column in table.columns}
    existing = {
        (model._meta.label, field.name)
        for model in apps.get_models()
        for field in model._meta.local_fields
        if getattr(field, "sealed", False)
    }
    missing = [
        Error(f"{label}.{name} has no number", hint=numbers.what_to_add(label, name), id="iva_crypto.E003")
        for label, name in sorted(existing - named)
    ]
    stale = [
        Error(
            f"{label}.{name} does not exist",
            hint="rename the line, or retire its number",
            id="iva_crypto.E004",
        )
        for label, name in sorted(named - existing)
    ]
    return [*missing, *stale]
