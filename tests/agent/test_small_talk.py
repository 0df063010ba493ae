"""Politeness, choices and languages: short messages that must not be searched for."""

import pytest

from agent import choosing, courtesies, drafting, languages
from agent.courtesies import Courtesy
from agent.drafting import Kind, Turn
from agent.languages import Language
from tests.agent import measuring

OFFERED = ["Картаа гээсэн бол яах вэ?", "ПИН код мартсан бол?", "Карт захиалах уу?"]


@pytest.mark.parametrize(
    "text", ["Сайн байна уу?", "sain bnu", "sbnu", "Сайн бна уу", "Өдрийн мэнд", "Hi", "Hello!", "байна уу"]
)
def test_a_greeting_is_a_greeting(text: str) -> None:
    assert courtesies.courtesy(text) is Courtesy.GREETING


@pytest.mark.parametrize(
    "text",
    [
        "баярлалаа",
        "за баярлалаа",
        "bayrlalaa",
        "Маш их баярлалаа танд",
        "ok",
        "за",
        "thank you so much",
        "👍",
        "🙏🙏",
    ],
)
def test_thanks_are_thanks(text: str) -> None:
    assert courtesies.courtesy(text) is Courtesy.THANKS


@pytest.mark.parametrize("text", ["баяртай", "за баяртай", "bye"])
def test_a_goodbye_is_a_goodbye(text: str) -> None:
    assert courtesies.courtesy(text) is Courtesy.FAREWELL


@pytest.mark.parametrize(
    "text",
    ["", "???", "карт", "Сайн байна уу карт гээсэн", "өдрийн лимит", "баярлалаа, харин карт яах вэ", "\x00"],
)
def test_whatever_says_more_is_no_courtesy(text: str) -> None:
    assert courtesies.courtesy(text) is None


def test_a_question_is_read_without_its_greeting() -> None:
    assert (
        courtesies.without_opening("Сайн байна уу, өдрийн мэнд! Өдрийн лимит хэд вэ") == "өдрийн лимит хэд вэ"
    )
    assert courtesies.without_opening("sain bnu") == "sain bnu"


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("1", 0),
        ("2.", 1),
        ("3-ыг", 2),
        ("2-р", 1),
        ("эхнийх", 0),
        ("2 дахь нь", 1),
        ("сүүлийнх", 2),
        ("the first one", 0),
    ],
)
def test_a_choice_is_understood(text: str, position: int) -> None:
    assert choosing.chosen(text, OFFERED) == OFFERED[position]


@pytest.mark.parametrize("text", ["4", "1 сая төгрөг", "2 карт авч болох уу", "", "карт"])
def test_a_number_in_another_question_is_no_choice(text: str) -> None:
    assert choosing.chosen(text, OFFERED) is None


def test_yes_picks_the_only_choice_and_none_of_several() -> None:
    assert choosing.chosen("тийм", OFFERED[:1]) == OFFERED[0]
    assert choosing.chosen("тийм", OFFERED) is None


def test_what_was_listed_is_read_back() -> None:
    assert choosing.offered(f"Алийг нь?\n{choosing.listed(OFFERED)}\nДугаарыг нь бичээрэй.") == OFFERED


@pytest.mark.parametrize("text", ["аль нь ч биш", "биш", "үгүй", "none of them"])
def test_all_choices_can_be_turned_down(text: str) -> None:
    assert choosing.is_none_of_them(text)


def test_a_new_question_that_says_no_first_turns_nothing_down() -> None:
    assert not choosing.is_none_of_them("үгүй би зээл авмаар байна")


@pytest.mark.parametrize(
    "text", ["how do i block my card", "What is the capital of France", "I lost my card", "Thank you"]
)
def test_clear_english_is_english(text: str) -> None:
    assert languages.language_of([text]) is Language.ENGLISH


@pytest.mark.parametrize(
    "text", ["kartaa geechihlee yaah ve", "bi end bn", "картаа", "PIN код the", "mungu", "", "123"]
)
def test_everything_else_is_mongolian(text: str) -> None:
    assert languages.language_of([text]) is Language.MONGOLIAN


def test_a_turn_without_a_language_takes_that_of_the_turns_before() -> None:
    assert languages.language_of(["2", "how do i block my card"]) is Language.ENGLISH
    assert languages.language_of(["2", "картаа хаах"], Language.ENGLISH) is Language.MONGOLIAN


@pytest.mark.parametrize(
    "text",
    [
        "Чи хэн бэ?",
        "Та хүн үү робот уу",
        "chi hun uu",
        "Сайн байна уу, та бот уу?",
        "Are you a robot?",
        "who are you",
    ],
)
def test_who_asks_is_told_that_it_is_no_human(text: str) -> None:
    assert courtesies.courtesy(text) is Courtesy.WHO_ARE_YOU
    drafted = drafting.draft([Turn("end_user", text)], measuring.index("acme"))
    assert drafted.kind is Kind.SMALL_TALK
    assert "хүн биш" in drafted.text or "not a human" in drafted.text


@pytest.mark.parametrize(
    "text", ["Сайхан амарсан уу?", "Сайн байна уу? Сайхан амарсан уу?", "сн бнуу", "sn bnu"]
)
def test_the_most_ordinary_greetings_are_greetings(text: str) -> None:
    assert courtesies.courtesy(text) is Courtesy.GREETING
