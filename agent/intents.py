"""What a message wants apart from knowledge: a greeting back, a person, one of the questions offered.

Every pattern is written as people spell it and matched on skeletons, so it holds for both scripts. Asking for a
person is recognized narrowly: "ажилтны цалин", "өөр оператор руу шилжих" and "хүнтэй хамтарч зээл авах" are
questions about something else.
"""

import re
from collections.abc import Sequence

from agent import normalizing

CONTACT_DISTANCE = 2
"""Words that may stand between "with a person" and "talk"."""


def _known(written: str) -> frozenset[str]:
    return frozenset(normalizing.skeletons(written))


_GREETINGS = _known("сайн байна байнуу уу мэнд мэндээ өдрийн оройн өглөөний амар амгалан сайнуу сайхан hi hello hey")
_GREETINGS |= _known("bna bn bnu bnuu sbnu snu snuu bainuu hello there good morning afternoon evening day")
_GREETING_CORE = _known("сайн мэнд амар байна сайнуу hi hello hey sbnu snu snuu morning afternoon evening bainuu bnuu bnu")
_POLITE = _known("та танд тандаа таа бүгд бүгдэд нарт маш их шүү дээ за аа ээ энэ өдрийн мэнд хүргэе админ admin")
_THANKS = _known("баярлалаа баярлаа баяралаа bayrlalaa bayarllaa баярласан гялайлаа талархлаа талархаж рахмат thanks thank thx")
_THANKED_FOR = _known("тусалсанд тусласанд хариулсанд зөвлөсөнд мэдээлэл өгсөнд ойлголоо зүгээр гоё ок ok okay за сайн you so much very")
_FAREWELLS = _known("баяртай bye goodbye баяртай")
_WISHES = _known("амжилт хүсье сайхан амраарай өдрийг өнгөрүүлээрэй дараа уулзъя сайн сууж байгаарай")
_ACKNOWLEDGED = _known("за ок ok okay oke okey ойлголоо зүгээр гоё мэдлээ medlee тийм болж болжээ")
_GLAD = frozenset("👍🙏❤♥😊🙂😀😁👌🥰😍💐🌹")

_PERSON = r"(?:хун|ажилтан|уператур|менежер|зувлух|мергежилтен|туслах ажилтан)"
_WITH_PERSON = re.compile(r"(?:хун|ажилтан|ажилтнуд|уператур|менежер|зувлух|мергежилтен|телер)т[аеу]и")
_CONTACT = re.compile(r"ар(?:и(?!г)|ж|ма|а$|уул)|хулбу|хулбиу|хулбуж|улз|чатл|харилцма|харилцуул|шуд")
_SUMMONED = re.compile(
    rf"\b{_PERSON} ?(?:т|руу?|лу|д)? ?(?:хулбуж|хулбуд|хулбуну|хулбугуч|хулбуч|хулбучих|дудаж|дудач|дудад|гарга|уруул)"
    r"|\b(?:ажилтан|ажилтанд|уператур|упературт|менежер|менежерт)(?: ру| лу)? (?:шилжул|хулбу|дуд|егч|угч)"
    rf"|\b(?:амид|амидаар|жинхен|будит) {_PERSON}"
    rf"|\bарих (?:боломжтуи )?{_PERSON}"
    rf"|^(?:аманд|танаид|тенд|енд)? ?{_PERSON} (?:баина|баига|бна|бнау|бну|бан|бга)(?: у)?(?: |$)"
)
_BARE = _known("оператор ажилтан менежер хүн operator human agent person representative manager хүнтэй ажилтантай оператортой")
_BARE_POLITE = _known("please a the an real live өгөөч хэрэгтэй яаралтай шууд надад байна want need i")
_ELSEWHERE = re.compile(r"\bур уператур|\bуператур(?:ин|ус|ут|ун)? (?:дугар|сул|сулж|сулих|хамаг)|\bсуких")
_UNWANTED = re.compile(r"\b(?:херегуи|херег гуи|хусехгуи|херег алга|болку)\b")
_ENGLISH_PERSON = re.compile(
    r"\b(?:talk|speak|chat|connect|transfer|get|give|put)\b(?: \w+){0,4} (?:human|person|someone|somebody|operator"
    r"|agent|representative|employee|manager)\b"
    r"|\b(?:real|live|actual) (?:human|person|agent|operator)\b"
    r"|\b(?:need|want) (?:a|an|the) (?:human|operator|representative|manager)\b"
)
_ENGLISH_UNWANTED = re.compile(r"\b(?:dont|don t|do not|no need|not) ")
