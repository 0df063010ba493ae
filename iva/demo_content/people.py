"""The fictional End Users of the demo."""

import random

_NAMES = """
    Бат Болд Дорж Сараа Туяа Нараа Оюунаа Энхээ Ганаа Тэмүүлэн Номин Анударь Билгүүн Мөнхбат
    Ганзориг Батбаяр Отгонбаяр Энхжин Хулан Уянга Золбоо Тэнгис Марал Цэцэгээ Баясгалан Наранцэцэг
    Алтанцэцэг Эрдэнэ Сувд Гэрэл Наран Есүй Энэрэл Төгөлдөр Мишээл Амина Ариунаа Булган Хонгор
    Чинзориг Дөлгөөн Мөнгөнцэцэг Түвшин Өнөрбат
"""
GIVEN_NAMES = tuple(_NAMES.split())

FIRST_PHONE = 61_000_000
"""Mongolia has allotted no number that begins with 61: these reach nobody."""

RETURNING = 0.3
"""Share of conversations that a person begins who has written before."""


Sender = dict[str, str]
"""How an End User is known: name, phone, email, messenger_id and customer_number."""


def sender(number: int, prefix: str, dice: random.Random) -> Sender:
    """The `number`-th End User of an organization whose customer numbers begin with `prefix`."""
    return {
        "name": dice.choice(GIVEN_NAMES),
        "phone": f"+976 {FIRST_PHONE + 7 * number}",
        "email": f"{prefix.lower()}{number:04d}@example.com",
        "messenger_id": f"demo-{prefix.lower()}-{number:06d}",
        "customer_number": f"{prefix}-{100_000 + 37 * number}",
    }
