"""How people really type: in Latin letters, in a hurry, in capitals."""

import random

_SOUNDS = "a b v g d ye yo j z i i k l m n o p r s t u f h ts ch sh sh - i - e yu ya u u"
_LATIN = {
    letter: sound.strip("-")
    for letter, sound in zip("абвгдеёжзийклмнопрстуфхцчшщъыьэюяөү", _SOUNDS.split(), strict=True)
}


def latin(text: str) -> str:
    """`text` as it is typed without a Cyrillic keyboard: "үлдэгдэл" becomes "uldegdel"."""
    return "".join(_LATIN.get(character, character) for character in text.lower())


def hurried(text: str, dice: random.Random) -> str:
    """`text` with one slip of the finger: a letter left out, doubled, or swapped with the next."""
    places = [i for i in range(1, len(text) - 1) if text[i].isalpha() and text[i + 1].isalpha()]
    if not places:
        return text
    at = dice.choice(places)
    slip = dice.choice((text[at + 1], text[at] * 2 + text[at + 1], text[at + 1] + text[at]))
    return text[:at] + slip + text[at + 2 :]


def casual(text: str, dice: random.Random) -> str:
    """`text` as one of many people would type it."""
    habit = dice.random()
    if habit < 0.25:
        return latin(text).rstrip("?.")
    if habit < 0.45:
        return hurried(text, dice)
    if habit < 0.65:
        return text.lower().rstrip("?.")
    if habit < 0.70:
        return text.upper()
    return text
