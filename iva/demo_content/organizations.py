"""The demo organizations, read from the TOML files beside this module."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

FILES = ("acme_bank.toml", "globex_mobile.toml")


@dataclass(frozen=True, slots=True)
class DemoEntry:
    """One entry of a demo knowledge base. `key` names it in tests."""

    key: str
    title: str
    question: str
    alternatives: tuple[str, ...]
    answer: str


@dataclass(frozen=True, slots=True)
class DemoOrganization:
    """A demo organization. `said` are messages of its End Users that no entry holds word for word."""

    slug: str
    name: str
    latin_name: str
    customer_prefix: str
    knowledge: tuple[DemoEntry, ...]
    said: tuple[str, ...]
    complaints: tuple[str, ...]
    unanswerable: tuple[str, ...]


def _read(name: str) -> DemoOrganization:
    content = tomllib.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    return DemoOrganization(
        slug=content["slug"],
        name=content["name"],
        latin_name=content["latin_name"],
        customer_prefix=content["customer_prefix"],
        knowledge=tuple(
            DemoEntry(**entry | {"alternatives": tuple(entry["alternatives"])})
            for entry in content["knowledge"]
        ),
        said=tuple(content["said"]),
        complaints=tuple(content["complaints"]),
        unanswerable=tuple(content["unanswerable"]),
    )


ORGANIZATIONS: list[DemoOrganization] = [_read(name) for name in FILES]
