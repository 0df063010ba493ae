"""Rooms are where something happens; requests and responses stay at the doors (DESIGN 1, 2)."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = ["accounts", "agent", "billing", "channels_cfg", "conversations", "privacy", "retention"]
GROUND = ["iva/audit", "iva/crypto", "iva/outbox", "iva/tenancy"]
DOORS = {
    "api.py",
    "admin.py",
    "banner.py",
    "views.py",
    "urls.py",
    "posting.py",
    "legal_pages.py",
    "live_pages.py",
    "doors.py",
    "navigation.py",
    "cookie_guard.py",
    "authentication.py",
    "permissions.py",
    "throttling.py",
}
ROOMS = [
    path
    for folder in [*APPS, *GROUND]
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path.name not in DOORS and not {"migrations", "views"} & set(path.parts)
]


@pytest.mark.parametrize("room", ROOMS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_neither_requests_nor_responses(room: Path) -> None:
    tree = ast.parse(room.read_text(encoding="utf-8"))
    imported = {
        name
        for node in ast.walk(tree)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    }
    assert not [name for name in imported if name.startswith(("django.http", "rest_framework"))]


def test_there_are_rooms() -> None:
    assert len(ROOMS) > 60
