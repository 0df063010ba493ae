"""Letters on a developer's machine are shown once, with the link that is in them."""

from email.message import EmailMessage
from pathlib import Path

from iva.local.letterbox import Letterbox

LINK = "http://localhost:8000/confirm/?token=ivc_x"
INVITATION = "http://localhost:8000/invitations/ivi_x/"


def dropped(folder: Path, name: str, body: str) -> Path:
    letter = EmailMessage()
    letter["To"], letter["Subject"] = "bat@example.com", "Хаягаа баталгаажуулна уу"
    letter.set_content(body)
    (folder / name).write_bytes(letter.as_bytes())
    return folder / name


def test_news_are_told_once_and_what_lay_there_before_is_none(tmp_path: Path) -> None:
    dropped(tmp_path, "old.eml", LINK)
    box = Letterbox(tmp_path)
    assert box.news() == []
    dropped(tmp_path, "new.eml", f"Сайн байна уу,\n\n{LINK}\n")
    dropped(tmp_path, "invitation.eml", f"Нээнэ үү:\n{INVITATION}\n")
    without = dropped(tmp_path, "without.eml", "no link")
    dropped(tmp_path, ".unfinished.eml", LINK)
    told = "\n".join(box.news())
    assert "to bat@example.com: Хаягаа баталгаажуулна уу\n  " + LINK in told
    assert f"  {INVITATION}" in told
    assert str(without) in told
    assert told.count("to bat@example.com") == 3
    assert box.news() == []


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert Letterbox(tmp_path / "mail").news() == []
