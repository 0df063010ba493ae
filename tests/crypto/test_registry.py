"""Numbers are given once: renames keep them, removals retire them."""

import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.checks import run_checks

from iva.crypto import aead, checks, registry
from iva.crypto.aead import Place, SealBroken
from iva.crypto.registry import FieldNotRegistered, Registry, Table

FILE = """
retired_tables = [7]

[tables."shop.Order"]
number = 1
columns = { note = 1, address = 3 }
retired = [2]

[tables."shop.Customer"]
number = 2
columns = { name = 1 }
"""


@pytest.fixture
def shop(tmp_path: Path) -> Registry:
    file = tmp_path / "registry.toml"
    file.write_text(FILE)
    return registry.read(file)


def test_a_field_has_the_number_its_line_says(shop: Registry) -> None:
    assert shop.numbers("shop.Order", "address") == (1, 3)
    assert shop.faults() == []


def test_an_unregistered_field_is_told_which_number_is_free(shop: Registry) -> None:
    with pytest.raises(FieldNotRegistered, match=r"add phone = 4 to columns"):
        shop.numbers("shop.Order", "phone")
    with pytest.raises(FieldNotRegistered, match=r"number = 8, columns = \{ name = 1 \}"):
        shop.numbers("shop.Parcel", "name")


def test_a_renamed_model_and_a_renamed_field_still_open_what_was_sealed(tmp_path: Path) -> None:
    cipher, row = aead.cipher(bytes(32)), uuid.UUID(int=5)

    def place(known: Registry, label: str, column: str) -> Place:
        return Place.at(uuid.UUID(int=1), uuid.UUID(int=2), *known.numbers(label, column), row)

    before = tmp_path / "before.toml"
    before.write_text(FILE)
    after = tmp_path / "after.toml"
    after.write_text(FILE.replace("shop.Order", "sales.Purchase").replace("note =", "remark ="))
    sealed = aead.seal(cipher, 1, place(registry.read(before), "shop.Order", "note"), b"leave at the door")
    renamed = registry.read(after)
    assert aead.open(cipher, place(renamed, "sales.Purchase", "remark"), sealed) == b"leave at the door"
    with pytest.raises(SealBroken):
        aead.open(cipher, place(renamed, "sales.Purchase", "address"), sealed)


@pytest.mark.parametrize(
    "changed, fault",
    [
        ({"b.B": Table(1, {"x": 1})}, "tables: number 1 stands 2 times"),
        ({"b.B": Table(7, {"x": 1})}, "tables: number 7 stands 2 times"),
        ({"b.B": Table(2, {"x": 1, "y": 1})}, "columns of b.B: number 1 stands 2 times"),
        ({"b.B": Table(2, {"x": 5}, [5])}, "columns of b.B: number 5 stands 2 times"),
        ({"b.B": Table(0, {"x": 1})}, "tables: 0 is not a number from 1 to 4294967295"),
        ({"b.B": Table(2**32, {"x": 1})}, "tables: 4294967296 is not a number from 1 to 4294967295"),
    ],
)
def test_a_number_given_twice_or_out_of_range_is_a_fault(changed: dict[str, Table], fault: str) -> None:
    known = Registry({"a.A": Table(1, {"x": 1}), **changed}, [7])
    assert known.faults() == [fault]


def test_the_checked_in_registry_names_exactly_the_encrypted_fields() -> None:
    assert [message for message in run_checks() if str(message.id).startswith("iva_crypto.")] == []
    assert checks.encrypted_fields_are_registered(None) == []


def test_a_forgotten_line_and_a_stale_line_fail_the_system_check(monkeypatch: pytest.MonkeyPatch) -> None:
    known = registry.checked_in()
    label, table = next(iter(known.tables.items()))
    (field, number), *others = table.columns.items()
    renamed = {"of_another_name": number, **dict(others)}
    changed = replace(known, tables={**known.tables, label: replace(table, columns=renamed)})
    monkeypatch.setattr(registry, "checked_in", lambda: changed)
    found = checks.encrypted_fields_are_registered(None)
    assert [message.id for message in found] == ["iva_crypto.E003", "iva_crypto.E004"]
    assert f"{label}.{field} has no number" in found[0].msg


def test_numbers_given_in_the_past_are_still_the_same() -> None:
    """The oldest lines, written down a second time. Add to this list; never change a line of it."""
    known = registry.checked_in()
    assert known.numbers("privacy.EndUser", "name") == (1, 1)
    assert known.numbers("privacy.EndUserIdentity", "handle") == (2, 1)
    assert known.numbers("conversations.Message", "body") == (3, 1)
    assert known.numbers("agent.KnowledgeEntry", "title") == (30, 1)
    assert known.numbers("agent.KnowledgeEntry", "question") == (30, 2)
    assert known.numbers("agent.KnowledgeEntry", "alternatives") == (30, 3)
    assert known.numbers("agent.KnowledgeEntry", "answer") == (30, 4)
