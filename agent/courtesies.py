"""Greetings, thanks and goodbyes: messages to be answered politely, and openings to look past."""

import re
from collections.abc import Sequence
from enum import StrEnum

from agent import normalizing

LONGEST_COURTESY = 8
"""Words of a message that is nothing but a courtesy."""


class Courtesy(StrEnum):
    """What kind of politeness a message is."""

    GREETING = "greeting"
    THANKS = "thanks"
    FAREWELL = "farewell"
    WHO_ARE_YOU = "who_are_you"


def _known(*written: str) -> frozenset[str]:
    return frozenset(normalizing.skeletons(" ".join(written)))


_WRITTEN_OPENINGS = """
    сайн байна уу, сайн байцгаана уу, сайн сууж байна уу, сайн байнуу, сайн бна уу, сайн бну, сайн уу, сайнуу
    сбну, снуу, sain bn uu, sain bnu, байна уу, бна уу, бну, амар байна уу, хөөе
    сайхан амарсан уу, сайн амарсан уу, амарсан уу, сн бнуу, сн бну, сн байна уу, sn bnu, sn bnuu, юу байна
    сонин сайхан юу байна, сонин юутай, тавтай юу
    өдрийн мэнд, оройн мэнд, өглөөний мэнд, мэнд хүргэе, мэнд, мэндээ
    good morning, good afternoon, good evening, hello there, hello, hi there, hi, hey
"""
_OPENINGS = [tuple(normalizing.skeletons(opening)) for opening in re.split(r"[,\n]", _WRITTEN_OPENINGS)]
_OPENINGS = [opening for opening in _OPENINGS if opening]
_OPENINGS.sort(key=len, reverse=True)

_WRITTEN_WHO = """
    чи хэн бэ, та хэн бэ, хэн бэ, чи хүн үү, та хүн үү, хүн үү, чи робот уу, та робот уу, робот уу, бот уу
    та бот уу, чи бот уу, та хүн үү робот уу, чи хүн үү робот уу, хүн үү робот уу, та хиймэл оюун уу
    чи хиймэл оюун уу, хиймэл оюун уу, та хэнтэй ярьж байна, би хэнтэй ярьж байна
    таны нэр хэн бэ, нэр чинь хэн бэ
    who are you, what are you, are you a robot, are you a bot, are you human, are you a human, are you real
    are you an ai, is this a bot, am i talking to a bot, am i talking to a human, what is your name
"""
_WHO = {tuple(normalizing.skeletons(asked)) for asked in re.split(r"[,\n]", _WRITTEN_WHO)} - {()}

_THANKS = _known(
    "баярлалаа баярлаа баярллаа bayrlalaa bayrllaa гялайлаа талархаж талархлаа рахмат thanks thank thx"
)
_ACKNOWLEDGED = _known("за заа ок ok okay oke ойлголоо ойлгосон зүгээр гоё мэдлээ болж болжээ great")
_FAREWELL = _known("баяртай bye goodbye")
_POLITE = _known(
    "та танд тандаа бүгд бүгдэд нарт нар маш их шүү дээ аа ээ энэ сайхан юм байна л бна bn мэндээ",
    "тусалсанд тусласанд хариулсанд зөвлөсөнд мэдээлэл өгсөнд амжилт хүсье амраарай өдрийг өнгөрүүлээрэй",
    "дараа уулзъя сайн сууж байгаарай урьдчилаад админ",
    "so much very you for your the help have a nice day good everyone all",
)
_GLAD = frozenset("👍🙏❤♥😊🙂😀😁👌🥰😍💐🌹")


def courtesy(text: str) -> Courtesy | None:
    """The politeness a message consists of; None when it says anything else."""
    skeletons = normalizing.skeletons(text)
    if not skeletons:
        return Courtesy.THANKS if _GLAD.intersection(text[: normalizing.LONGEST_TEXT]) else None
    if len(skeletons) > LONGEST_COURTESY:
        return None
    rest = _after_openings(skeletons)
    if not rest:
        return Courtesy.GREETING
    if tuple(rest) in _WHO:
        return Courtesy.WHO_ARE_YOU
    if not set(rest) <= _THANKS | _ACKNOWLEDGED | _FAREWELL | _POLITE:
        return None
    return _kind(set(rest), opened=len(rest) < len(skeletons))


def without_opening(text: str) -> str:
    """The words of `text` after its greeting; the greeting itself where nothing follows."""
    words = normalizing.words(text)
    rest = _after_openings([normalizing.skeleton(word) for word in words])
    return " ".join(words[len(words) - len(rest) :] if rest else words)


def _kind(said: set[str], *, opened: bool) -> Courtesy | None:
    if said & _THANKS:
        return Courtesy.THANKS
    if said & _FAREWELL:
        return Courtesy.FAREWELL
    if said & _ACKNOWLEDGED:
        return Courtesy.THANKS
    return Courtesy.GREETING if opened else None


def _after_openings(skeletons: Sequence[str]) -> Sequence[str]:
    for opening in _OPENINGS:
        if tuple(skeletons[: len(opening)]) == opening:
            return _after_openings(skeletons[len(opening) :])
    return skeletons
