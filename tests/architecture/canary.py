"""Words that stand nowhere else in the world, and every form in which they could have leaked."""

import base64
import hashlib
import unicodedata
from collections.abc import Iterable, Iterator
from urllib.parse import quote

SAID = "Хөвчлөрөндий zhverqolupta"
ANSWERED = "Бүлжмүүрхэй quvnelthorpex"
SHOUTED = "Цармындолгор vexmuqorilta"
NAME = "Өрвөлзүүдэй Klovnbrisqet"
OTHER_NAME = "Ёнхдормол"
PHONE = "+97689043717"
EMAIL = "zhavqelorim@pruxthovna.example"
MESSENGER_ID = "psid-uxqveltharondi"
CUSTOMER_NUMBER = "QVX-7720-РҮЖ"
EXTERNAL_ID = "wamid.ЖүвлэнQzorvathul"
TITLE = "Шөвгөрдэн trolvexumqa"
QUESTION = "Гүрвэлзэх plimqorvathe яах вэ"
ALTERNATIVE = "Дөнжилхэг vortqemblusha"
ANSWER = "Эрхлүүштэй nomvrequalix"
SOUGHT = "sought-zhulqavremto@example.com"
MALFORMED = "Хэвтгэйлж xulvormaqente"
PLANTED = [
    *SAID.split(),
    *ANSWERED.split(),
    *SHOUTED.split(),
    *NAME.split(),
    OTHER_NAME,
    PHONE,
    PHONE.removeprefix("+976"),
    EMAIL,
    MESSENGER_ID,
    CUSTOMER_NUMBER,
    CUSTOMER_NUMBER.replace("-", ""),
    EXTERNAL_ID,
    *TITLE.split(),
    *QUESTION.split()[:2],
    *ALTERNATIVE.split(),
    *ANSWER.split(),
    SOUGHT,
    *MALFORMED.split(),
]
CONTROL = "Тольруулагч visiblekwontrol"


def needles(words: Iterable[str]) -> list[bytes]:
    """Every byte string by which one of the words would betray itself."""
    return sorted({needle for word in words for form in _spellings(word) for needle in _encodings(form)})


def found(wanted: Iterable[bytes], content: bytes) -> list[bytes]:
    """Those that stand in the content."""
    return [needle for needle in wanted if needle in content]


def _spellings(word: str) -> set[str]:
    """As it was written, and as case folding and normal forms would make it."""
    return {word, word.lower(), word.upper(), word.casefold(), unicodedata.normalize("NFD", word)}


def _encodings(text: str) -> Iterator[bytes]:
    raw = text.encode()
    yield raw
    yield text.encode("utf-16-le")
    yield text.encode("utf-16-be")
    yield quote(text).encode()
    for escaped in (_in_json(text), repr(raw)[2:-1], "".join(f"\\{byte:03o}" for byte in raw)):
        yield escaped.encode()
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    yield from _in_base64(raw)
    for digest in (hashlib.md5, hashlib.sha1, hashlib.sha256):
        yield digest(raw).digest()
        yield digest(raw).hexdigest().encode()


def _in_json(text: str) -> str:
    return "".join(char if char.isascii() else f"\\u{ord(char):04x}" for char in text)


def _in_base64(raw: bytes) -> Iterator[bytes]:
    """The middle of it in each of the three ways in which it can be aligned."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw)
        whole = encoded[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
        yield whole
        yield whole.replace(b"+", b"-").replace(b"/", b"_")
