"""Whether a message asks for a person.

Recognized narrowly, because a wrong guess costs a person's time: "ажилтны цалин", "өөр оператор руу шилжих"
and "хүнтэй хамтарч зээл авах" are questions about something else. Words are written as in books and compared
as skeletons, so both scripts are understood.
"""

import re
from collections.abc import Sequence

from agent import normalizing

WORDS_BETWEEN = 2
"""Words that may stand between "with a person" and "talk"."""

LONGEST_CALL = 4
"""Words of a message that is nothing but a call for a person."""


def _known(written: str) -> frozenset[str]:
    return frozenset(normalizing.skeletons(written))


def _beginnings(written: str) -> tuple[str, ...]:
    return tuple(normalizing.skeletons(written))


_STAFF = _known("ажилтан оператор менежер зөвлөх мэргэжилтэн")
_STAFF_TO = _known("ажилтанд операторт менежерт зөвлөхөд мэргэжилтэнд хүнд")
_PERSON = _STAFF | _known("хүн ажилтнууд операторууд")
_WITH = _known("хүнтэй ажилтантай ажилтнуудтай оператортой менежертэй зөвлөхтэй мэргэжилтэнтэй теллертэй")
_WITH |= {with_ + own for with_ in _WITH for own in _known("гаа гээ гоо")}
_TALK = _beginnings("яри ярж ярма холбог холбож холбоо уулз чатл харилцма")
_TALK_ONLY = _known("ярья ярий ярьё yariy yarya")
_TOWARDS = _known("руу рүү луу лүү")
_SUMMON = _beginnings("холбож холбоод холбоно холбооч холбоорой дуудаж дуудаач дуудаад дуудна гаргаж өгөөч")
_PASS_ON = _beginnings("шилжүүл")
_REAL = _known("амьд жинхэнэ бодит ярих хариулах")
_PRESENT = _known("байна байгаа бна бн байна bn")
_ASKING = _known("уу юу")
_PRESENT_ASKING = _known("байнуу бну бнуу bnu bnuu байгаауу")
_CALL = _PERSON | _WITH | _known("human operator agent person representative manager")
_CALL_POLITE = _known("please a the an real live өгөөч хэрэгтэй яаралтай шууд надад байна need want i bna bn")
_ANOTHER = _known("өөр өмнөх хуучин аль")
_NUMBER = _beginnings("дугаар")
_UNWANTED = _known("хэрэггүй хүсэхгүй хэрэгггүй")
_NOT = normalizing.skeleton("гүй")

_ENGLISH = re.compile(
    r"\b(?:talk|speak|chat|connect|transfer|pass|get|give|put)\b(?: \w+){0,3}"
    r" (?:human|person|someone|somebody|operator|agent|representative|employee|manager)\b"
    r"|\b(?:real|live|actual) (?:human|person|agent|operator)\b"
    r"|\b(?:human|person|someone|operator|agent)\b(?: \w+){0,2} (?:talk|speak) (?:to|with)\b"
    r"|\b(?:need|want) (?:a|an|the) (?:human|operator|representative)\b"
)
_ENGLISH_UNWANTED = re.compile(r"\b(?:don t|dont|do not|no need|can i be|become)\b")


def asks_for_person(text: str) -> bool:
    """Whether the End User wants to go on with a human being."""
    words = normalizing.words(text)
    skeletons = [normalizing.skeleton(word) for word in words]
    if not _UNWANTED.isdisjoint(skeletons):
        return False
    return _is_call(skeletons) or _in_mongolian(skeletons) or _in_english(" ".join(words))


def _is_call(skeletons: Sequence[str]) -> bool:
    said = set(skeletons)
    return len(skeletons) <= LONGEST_CALL and bool(said & _CALL) and said <= _CALL | _CALL_POLITE


def _in_mongolian(skeletons: Sequence[str]) -> bool:
    checks = (_talk_with, _summoned, _a_real_one, _is_there)
    return any(check(skeletons, position) for position in range(len(skeletons)) for check in checks)


def _talk_with(skeletons: Sequence[str], position: int) -> bool:
    """ "хүнтэй яримаар байна", "оператортой шууд холбогдъё"; not "хүнтэй ярихгүй"."""
    if skeletons[position] not in _WITH:
        return False
    following = skeletons[position + 1 : position + 2 + WORDS_BETWEEN]
    return any(
        word in _TALK_ONLY or (word.startswith(_TALK) and not word.endswith(_NOT)) for word in following
    )


def _summoned(skeletons: Sequence[str], position: int) -> bool:
    """ "операторт холбож өгөөч", "ажилтан руу шилжүүлээч"; not "өөр оператор руу шилжүүлэх"."""
    if skeletons[position] not in _PERSON | _STAFF_TO or (position and skeletons[position - 1] in _ANOTHER):
        return False
    rest = skeletons[position + 1 :]
    if rest and rest[0] in _TOWARDS:
        rest = rest[1:]
    if not rest:
        return False
    if any(word.startswith(_NUMBER) for word in skeletons):
        return False
    staff = skeletons[position] in _STAFF | _STAFF_TO - _known("хүнд")
    return rest[0].startswith(_SUMMON) or (staff and rest[0].startswith(_PASS_ON))


def _a_real_one(skeletons: Sequence[str], position: int) -> bool:
    """ "амьд хүн", "ярих хүн"."""
    return position > 0 and skeletons[position] in _PERSON and skeletons[position - 1] in _REAL


def _is_there(skeletons: Sequence[str], position: int) -> bool:
    """ "хүн байна уу", "оператор бнуу"."""
    following = skeletons[position + 1 : position + 3]
    if skeletons[position] not in _PERSON or position > 1 or not following:
        return False
    return following[0] in _PRESENT_ASKING or (
        following[0] in _PRESENT and len(following) == 2 and following[1] in _ASKING
    )


def _in_english(normalized: str) -> bool:
    return bool(_ENGLISH.search(normalized)) and not _ENGLISH_UNWANTED.search(normalized)
