"""What IVA writes to people while `make run` has no mail server: files, and a few lines at the terminal.

The links in them open logins, so the folder is its developer's alone; a server refuses to have one.
"""

from __future__ import annotations

import email
import email.policy
import re
from pathlib import Path

_LINK = re.compile(r"https?://\S+(?:\?token=|/invitations/)\S+")


class Letterbox:
    """A folder of letters; those that lie there already are not news."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen = self._there()

    def news(self) -> list[str]:
        """A few lines for each letter that has come since: to whom, about what, its link or its file."""
        new = sorted(self._there() - self._seen, key=lambda path: path.stat().st_mtime)
        self._seen |= set(new)
        return [_told(path) for path in new]

    def _there(self) -> set[Path]:
        return set(self.folder.glob("[!.]*.eml")) if self.folder.is_dir() else set()


def _told(path: Path) -> str:
    letter = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    links = _LINK.findall(str(letter.get_content()))
    return "\n".join([f"to {letter['To']}: {letter['Subject']}", f"  {links[0] if links else path}"])
