"""`manage.py personal_data`: the inventory of personal data, from the declarations on the models (P2, P3)."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from iva import personal_data


class Command(BaseCommand):
    help = "Print which model holds which personal data, why, for how long and how it is protected."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object a line")

    def handle(self, *args: Any, json: bool, **options: Any) -> None:
        for entry in personal_data.inventory():
            self.stdout.write(_line(entry) if json else _paragraph(entry))


def _described(entry: personal_data.Entry) -> dict[str, Any]:
    declaration = entry.declaration
    return {
        "model": entry.model._meta.label,
        "subject": declaration.subject,
        "category": declaration.category,
        "sensitive": declaration.sensitive,
        "purposes": [declaration.purpose, *declaration.further_purposes],
        "retention": declaration.retention,
        "erasure": declaration.erasure,
        "fields": dict(declaration.fields),
    }


def _line(entry: personal_data.Entry) -> str:
    return json.dumps(_described(entry), default=str)


def _paragraph(entry: personal_data.Entry) -> str:
    found = _described(entry)
    fields = (
        ", ".join(f"{name} ({how})" for name, how in found.pop("fields").items()) or "ids, times and states"
    )
    rest = " · ".join(f"{key} {value}" for key, value in found.items() if key not in ("model", "purposes"))
    purposes = ", ".join(found["purposes"])
    return f"{found['model']}\n    {rest}\n    purposes {purposes}\n    fields {fields}"
