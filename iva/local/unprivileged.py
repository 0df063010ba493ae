"""Who the servers run as: ourselves, or, when we are root, a system user who owns nothing else."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

SYSTEM_USER = "iva-local"
SYSTEM_HOME = Path("/var/lib/iva-local")


@dataclass(frozen=True)
class Account:
    """A user of this machine by numbers, as `os.setuid` wants them."""

    uid: int
    gid: int

    @property
    def is_us(self) -> bool:
        return self.uid == os.geteuid()

    def owns(self, path: Path, mode: int = 0o700) -> Path:
        """Make `path` a folder of this account, closed to everybody else; returns it."""
        path.mkdir(mode=mode, exist_ok=True)
        path.chmod(mode)
        if not self.is_us:
            os.chown(path, self.uid, self.gid)
        return path

    def may_enter(self, folder: Path) -> bool:
        """Whether every folder down to `folder` lets this account through."""
        return self.is_us or all(self._passes(each) for each in (folder, *folder.parents))

    def _passes(self, folder: Path) -> bool:
        there = folder.stat()
        if there.st_uid == self.uid:
            return bool(there.st_mode & stat.S_IXUSR)
        if there.st_gid == self.gid:
            return bool(there.st_mode & stat.S_IXGRP)
        return bool(there.st_mode & stat.S_IXOTH)


def account() -> Account:
    """The account for the servers. PostgreSQL refuses to run as root, so root lends it another."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    return _found(SYSTEM_USER) or _created(SYSTEM_USER) or _nobody()


def _found(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_uid, entry.pw_gid)


def _created(name: str) -> Account | None:
    """The new system user; None where the machine has no `useradd` (some containers)."""
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if useradd is None:
        return None
    options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    subprocess.run(
        [useradd, *options, "--shell", "/usr/sbin/nologin", name], capture_output=True, check=False
    )
    return _found(name)


def _nobody() -> Account:
    found = _found("nobody")
    if found is None:
        raise NoUnprivilegedUser(
            "PostgreSQL does not run as root, and this machine has no other user to lend."
        )
    return found


class NoUnprivilegedUser(Exception):
    """We are root and there is neither `useradd` nor a user `nobody`."""
