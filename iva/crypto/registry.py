"""The numbers of tables and columns that stand in every ciphertext's associated data.

Names change, numbers do not: `registry.toml` maps today's names to numbers given once. A renamed model
or field keeps its number by renaming its line; a removed one leaves its number among the retired.
"""

import tomllib
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("registry.toml")
LARGEST = 2**32 - 1


class FieldNotRegistered(LookupError):
    """An encrypted field without a number: it cannot be sealed, because nothing could bind it."""


@dataclass(frozen=True)
class Table:
    """One model's number, its columns' numbers, and the numbers its removed columns had."""

    number: int
    columns: dict[str, int]
    retired: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Registry:
    """Every number in use ("app_label.Model" → Table) and every table number that was once."""

    tables: dict[str, Table]
    retired_tables: list[int]

    def numbers(self, label: str, column: str) -> tuple[int, int]:
        """(table number, column number). Raises FieldNotRegistered."""
        table = self.tables.get(label)
        if table is None or column not in table.columns:
            raise FieldNotRegistered(self.what_to_add(label, column))
        return table.number, table.columns[column]

    def what_to_add(self, label: str, column: str) -> str:
        """The line that would register a field, with the next free number."""
        table = self.tables.get(label)
        if table is not None:
            free = _next_free([*table.columns.values(), *table.retired])
            return f'iva/crypto/registry.toml, [tables."{label}"]: add {column} = {free} to columns'
        free = _next_free([*(known.number for known in self.tables.values()), *self.retired_tables])
        return (
            f'iva/crypto/registry.toml: add [tables."{label}"] number = {free}, columns = {{ {column} = 1 }}'
        )

    def faults(self) -> list[str]:
        """Numbers given twice, given again after their retirement, or out of range."""
        found = _clashes(
            "tables", {name: table.number for name, table in self.tables.items()}, self.retired_tables
        )
        for name, table in self.tables.items():
            found += _clashes(f"columns of {name}", table.columns, table.retired)
        return found


def read(path: Path = FILE) -> Registry:
    """Parse a registry file. Raises OSError, tomllib.TOMLDecodeError or KeyError when it is not one."""
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    tables = {name: _table(entry) for name, entry in content.get("tables", {}).items()}
    return Registry(tables, content.get("retired_tables", []))


@cache
def checked_in() -> Registry:
    """The registry that lies beside this module."""
    return read()


def _table(entry: dict[str, Any]) -> Table:
    return Table(entry["number"], dict(entry["columns"]), list(entry.get("retired", [])))


def _clashes(what: str, numbers: dict[str, int], retired: list[int]) -> list[str]:
    counted = Counter([*numbers.values(), *retired])
    twice = [
        f"{what}: number {number} stands {times} times" for number, times in counted.items() if times > 1
    ]
    odd = [number for number in counted if type(number) is not int or not 1 <= number <= LARGEST]
    return twice + [f"{what}: {number!r} is not a number from 1 to {LARGEST}" for number in odd]


def _next_free(numbers: list[int]) -> int:
    return max(numbers, default=0) + 1
