"""A few hundred conversations: questions, complaints, thanks, nonsense, and calls for a person."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from iva.demo_content.organizations import DemoOrganization
from iva.demo_content.people import RETURNING, Sender, sender
from iva.demo_content.typing_habits import casual

__all__ = ["DemoConversation", "Sender", "conversations"]

GREETINGS = (
    "Сайн байна уу",
    "Сайн байна уу?",
    "sain bnu",
    "Сайн уу",
    "Өдрийн мэнд",
    "sain bainuu",
    "Hi",
    "Мэнд",
)
THANKS = (
    "Баярлалаа",
    "за баярлалаа",
    "bayrlalaa",
    "Маш их баярлалаа танд",
    "Ойлголоо, баярлалаа",
    "ok",
    "👍",
    "🙏",
)
CALLS_FOR_A_PERSON = (
    "хүнтэй ярих",
    "Оператортой холбож өгөөч",
    "ажилтантай яримаар байна",
    "huntei yarimaar bna",
    "operator",
    "Амьд хүн байна уу",
    "Ажилтан руу шилжүүлээч",
    "operatort holboj uguuch",
)
ELSEWHERE = (
    "Маргааш цаг агаар ямар байх бол",
    "Нэг сайхан онигоо яриад өгөөч",
    "chi robot uu",
    "Хөлбөмбөг хэд хэд болсон бэ",
    "Бууз хэдэн минут жигнэх вэ",
    "Хамгийн хол од аль вэ",
    "sain kino sanal bolgooch",
    "asdfgh",
    "???",
    "Гэрийн даалгавар хийгээд өгөөч",
    "mongol uls heden aimagtai ve",
)
ENGLISH = (
    "Hello, do you speak English?",
    "Can I get help in English please",
    "What is the weather like today",
)
REPLIES_OF_PEOPLE = (
    "Сайн байна уу, хүлээлгэсэнд уучлаарай. Би одоо шалгаад өгье.",
    "Шалгалаа, асуудал шийдэгдсэн байна. Өөр асуух зүйл байна уу?",
    "Хүсэлтийг тань бүртгэж авлаа, өнөөдөртөө багтаан шийдвэрлэнэ.",
    "Уучлаарай, манай талаас алдаа гарсан байна. Одоо зассан.",
)
"""What members of the organization write to whoever asked for them."""

Script = Callable[[DemoOrganization, random.Random], list[str]]


@dataclass(frozen=True, slots=True)
class DemoConversation:
    """What one End User says, turn by turn; the agent's replies go in between."""

    sender: Sender
    turns: list[str]


def conversations(organization: DemoOrganization, count: int, seed: int) -> Iterator[DemoConversation]:
    """`count` conversations, the same for the same seed. Some End Users come back with further ones."""
    dice = random.Random(f"{organization.slug} {seed}")  # noqa: S311  a demo, not a secret
    people: list[Sender] = []
    for _ in range(count):
        if not people or dice.random() >= RETURNING:
            people.append(sender(len(people) + 1, organization.customer_prefix, dice))
            who = people[-1]
        else:
            who = dice.choice(people)
        script = dice.choices(list(SCRIPTS), weights=list(SCRIPTS.values()))[0]
        yield DemoConversation(who, script(organization, dice))


def _asks(organization: DemoOrganization, dice: random.Random) -> list[str]:
    return [_question(organization, dice)]


def _asks_politely(organization: DemoOrganization, dice: random.Random) -> list[str]:
    return [dice.choice(GREETINGS), _question(organization, dice), dice.choice(THANKS)]


def _asks_twice(organization: DemoOrganization, dice: random.Random) -> list[str]:
    return [_question(organization, dice), _question(organization, dice), dice.choice(THANKS)]


def _says_it_all_at_once(organization: DemoOrganization, dice: random.Random) -> list[str]:
    return [f"{dice.choice(GREETINGS)}. {_question(organization, dice)}"]


def _complains(organization: DemoOrganization, dice: random.Random) -> list[str]:
    return [dice.choice(organization.complaints), _question(organization, dice)][: dice.randint(1, 2)]


def _complains_to_a_person(organization: DemoOrganization, dice: random.Random) -> list[str]:
    return [dice.choice(organization.complaints), dice.choice(CALLS_FOR_A_PERSON)]


def _wants_a_person(organization: DemoOrganization, dice: random.Random) -> list[str]:
    return [_question(organization, dice), dice.choice(CALLS_FOR_A_PERSON)]


def _asks_what_nobody_wrote_down(organization: DemoOrganization, dice: random.Random) -> list[str]:
    return dice.sample(organization.unanswerable, 2)


def _wanders_off(organization: DemoOrganization, dice: random.Random) -> list[str]:
    return [dice.choice(ELSEWHERE), _question(organization, dice)]


def _writes_english(organization: DemoOrganization, dice: random.Random) -> list[str]:
    english = [text for entry in organization.knowledge for text in entry.alternatives if _is_english(text)]
    return [dice.choice((*ENGLISH, *english)), "Thank you"]


def _question(organization: DemoOrganization, dice: random.Random) -> str:
    if dice.random() < 0.5:
        return dice.choice(organization.said)
    entry = dice.choice(organization.knowledge)
    return casual(dice.choice((entry.question, *entry.alternatives)), dice)


def _is_english(text: str) -> bool:
    return text.startswith(("I ", "How ", "What ", "My "))


SCRIPTS: dict[Script, int] = {
    _asks: 30,
    _asks_politely: 25,
    _asks_twice: 12,
    _says_it_all_at_once: 8,
    _complains: 6,
    _complains_to_a_person: 4,
    _wants_a_person: 4,
    _asks_what_nobody_wrote_down: 4,
    _wanders_off: 5,
    _writes_english: 2,
}
"""What conversations are like, and how often out of a hundred."""
