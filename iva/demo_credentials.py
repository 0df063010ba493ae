"""The demo's credentials: one file of mode 0600, read again at every `make run`.

A real organization's tokens and passwords are shown once and kept nowhere.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from django.conf import settings


class NotADemoFolder(RuntimeError):
    """The demo writes its credentials to a folder that has to be named."""


@dataclass(frozen=True, slots=True)
class MemberCredential:
    """How one demo member, or operator, signs in.

    `authenticator` is the secret of their app, None without one. Operators belong to no `organization`.
    """

    organization: str
    role: str
    email: str
    password: str
    authenticator: str | None = None


@dataclass(slots=True)
class Credentials:
    """API keys by the organization's short name; operators and members in the order they were made."""

    api_keys: dict[str, str] = field(default_factory=dict)
    operators: list[MemberCredential] = field(default_factory=list)
    members: list[MemberCredential] = field(default_factory=list)

    def of(self, organization: str) -> Iterator[MemberCredential]:
        return (member for member in self.members if member.organization == organization)


def load() -> Credentials:
    """What has been kept; empty before the demo is made. Raises NotADemoFolder."""
    path = _path()
    if not path.exists():
        return Credentials()
    kept = json.loads(path.read_text())
    if "api_keys" not in kept:
        return _from_the_first_format(kept)
    operators, members = ([MemberCredential(**one) for one in kept[who]] for who in ("operators", "members"))
    return Credentials(kept["api_keys"], operators, members)


def save(credentials: Credentials) -> None:
    """Written beside and moved into place: a run that is stopped loses no password."""
    path = _path()
    unfinished = path.with_suffix(".new")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(credentials), file, indent=2)
    unfinished.replace(path)


def _from_the_first_format(kept: dict[str, str]) -> Credentials:
    """A flat list, as the first demos kept it; its operator's login is gone with the old admin."""
    return Credentials({who: secret for who, secret in kept.items() if "@" not in who})


def _path() -> Path:
    if not settings.IVA_DEMO_CREDENTIALS_PATH:
        raise NotADemoFolder("IVA_DEMO_CREDENTIALS_PATH is not set; `make run` sets it.")
    return Path(settings.IVA_DEMO_CREDENTIALS_PATH)
