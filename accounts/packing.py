"""The package of a member's own data: one ZIP of open formats (P83, P86).

index.html           everything, to be read; the newest rows of each section
data/<place>/<model>.json   one section each, whole (`schema.json`)
schema.json          JSON Schema (2020-12) of a section
manifest.json        what is in the package: SHA-256, size and number of rows of every file
"""

import hashlib
import io
import json
import re
import uuid
import zipfile
from datetime import UTC, datetime
from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone, translation

from accounts import my_data, naming, provider
from accounts.my_data import Section

FORMAT = "iva-own-data/1"
SHOWN = 200

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "What IVA keeps about a member in one place, of one kind",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "format": {"const": FORMAT},
        "model": {"type": "string", "description": "the name of the table in IVA"},
        "title": {"type": "string"},
        "place": {"type": "string", "description": "the login at IVA, or the name of an organization"},
        "controller": {"type": "string"},
        "category": {"type": "string"},
        "purposes": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        "retention": {"type": "string"},
        "recipients": {"type": "array", "items": {"type": "string"}},
        "source": {"type": "string"},
        "withheld": {"type": "array", "items": {"type": "string"}, "description": "kept, but not copied out"},
        "is_whole": {"type": "boolean", "description": "false when there were more rows than a file holds"},
        "rows": {"type": "array", "items": {"type": "object"}, "description": "moments are ISO 8601, UTC"},
    },
}
SCHEMA["required"] = list(SCHEMA["properties"])


def pack(person_id: uuid.UUID, locale: str) -> bytes:
    """The package as the bytes of a ZIP, in this language. Raises NotReachable."""
    with translation.override(locale):
        return _packed(person_id, locale)


def _packed(person_id: uuid.UUID, locale: str) -> bytes:
    made_at, listed, shown = timezone.now(), [], []
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        for section in my_data.everything(person_id):
            listed.append(_put(archive, _path(section), as_json(section), len(section.rows)))
            shown.append(naming.section(section, most=SHOWN))
        context = {"sections": shown, "made_at": made_at, "provider": provider.provider(locale)}
        page = render_to_string("accounts/my_data_file.html", context | {"locale": locale})
        listed.append(_put(archive, "index.html", page))
        listed.append(_put(archive, "schema.json", json.dumps(SCHEMA, indent=2)))
        manifest = json.dumps(_manifest(made_at, listed), ensure_ascii=False, indent=2)
        archive.writestr("manifest.json", manifest)
    return package.getvalue()


def as_json(section: Section) -> str:
    """One section as `SCHEMA` describes it."""
    told = naming.section(section, most=0)
    content = {
        "format": FORMAT,
        "model": section.model,
        "title": told.title,
        "place": told.place,
        "controller": told.controller,
        "category": section.declaration.category.value,
        "purposes": [section.declaration.purpose.value, *map(str, section.declaration.further_purposes)],
        "retention": section.declaration.retention.value,
        "recipients": told.recipients,
        "source": told.source,
        "withheld": list(section.withheld),
        "is_whole": section.is_whole,
        "rows": section.rows,
    }
    return json.dumps(content, ensure_ascii=False, indent=2)


def _put(archive: zipfile.ZipFile, path: str, text: str, rows: int | None = None) -> dict[str, Any]:
    content = text.encode()
    archive.writestr(path, content)
    entry = {"path": path, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    return entry if rows is None else entry | {"rows": rows}


def _path(section: Section) -> str:
    organization = section.place.organization
    place = organization.slug if organization else "login"
    return f"data/{place}/{re.sub('[^a-z]+', '-', section.model.lower())}.json"


def _manifest(made_at: datetime, listed: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "made_at": made_at.astimezone(UTC).isoformat(timespec="seconds"),
        "provider": provider.identity(),
        "files": listed,
    }
