"""The letters that the product has sent, as the files of `IVA_MAIL_FOLDER`."""

import re
from email import message_from_bytes, policy
from pathlib import Path

from tests.faults.running import eventually


def link_to(folder: Path, email: str) -> str:
    """The one link in the one letter to this address, once it has come."""
    found: list[str] = []

    def has_come() -> bool:
        found.extend(_links(folder, email))
        return bool(found)

    eventually(has_come, f"a letter comes to {email}")
    assert len(set(found)) == 1, found
    return found[0]


def _links(folder: Path, email: str) -> list[str]:
    letters = (
        message_from_bytes(path.read_bytes(), policy=policy.default) for path in folder.glob("[!.]*.eml")
    )
    ours = [letter for letter in letters if email in str(letter["To"])]
    texts = [body.get_content() for letter in ours if (body := letter.get_body(("plain",)))]
    return [link for text in texts for link in re.findall(r"https?://\S+/(?:confirm|invitations)/\S*", text)]
