"""Offering up to three stored questions, and understanding which one the End User meant."""

import re

from agent import normalizing

_OFFERED = re.compile(r"^(\d)\. (.+)$", re.MULTILINE)
LONGEST_CHOICE = 4
"""Words of a message that is nothing but a choice."""


def _known(written: str) -> frozenset[str]:
    return frozenset(normalizing.skeletons(written))


_ORDINALS = [
    _known("1 нэг нэгдүгээр эхний эхнийх эхнийхийг нэгийг нэг дэх first one"),
    _known("2 хоёр хоёрдугаар хоёрдох хоёр дахь хоёрыг дундах second two") - _known("дахь"),
    _known("3 гурав гуравдугаар гурав дахь гуравыг сүүлийн сүүлийнх third three last") - _known("дахь"),
]
_FILLERS = _known(
    "р ыг ийг г дэх дахь дугаар дугаарыг нь асуулт байна юм үү the option number please за тийм dugaar"
)
_YES = _known("тийм тиймээ мөн зөв за yes yeah ok ок")
_NO = _known("биш үгүй аль нь ч алинч алин no none not of them these neither өөр юм байна")
_NO_CORE = _known("биш үгүй no none neither өөр")


def offered(text: str) -> list[str]:
    """The questions that a reply of the agent offered, in their order."""
    return [question for _, question in _OFFERED.findall(text)]


def listed(questions: list[str]) -> str:
    """Questions as numbered lines, which `offered` reads back."""
    return "\n".join(f"{number}. {_one_line(question)}" for number, question in enumerate(questions, start=1))


def chosen(text: str, questions: list[str]) -> str | None:
    """Which of the offered questions a message picks by its number or by saying yes to the only one."""
    skeletons = normalizing.skeletons(text)
    if not skeletons or len(skeletons) > LONGEST_CHOICE:
        return None
    if len(questions) == 1 and _YES.issuperset(skeletons):
        return questions[0]
    said = set(skeletons) - _FILLERS
    for ordinal, question in zip(_ORDINALS, questions, strict=False):
        if said and said <= ordinal:
            return question
    return None


def is_none_of_them(text: str) -> bool:
    """Whether a message turns down everything that was offered."""
    said = set(normalizing.skeletons(text))
    return bool(said & _NO_CORE) and said <= _NO


def _one_line(question: str) -> str:
    return " ".join(question.split())
