"""What the agent says: the stored answer with its source, an honest "I do not know", or a person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import drafting, phrases
from agent.drafting import Confidence, Draft, Kind, NothingToAnswer, Reason, Turn
from agent.languages import Language
from agent.retrieval import Index
from iva.demo_content import DemoEntry
from tests.agent import measuring
from tests.agent.measuring import Tally, entry_id

NONSENSE = "Нохой маань хоол идэхгүй байна"


def says(*texts: str) -> Draft:
    """What the agent replies last, when it replies to each of these messages of an Acme End User."""
    turns: list[Turn] = []
    for text in texts:
        turns.append(Turn("end_user", text))
        draft = drafting.draft(turns, measuring.index("acme"))
        turns.append(Turn("agent", draft.text, draft.kind))
    return draft


def entry(key: str) -> DemoEntry:
    return next(entry for entry in measuring.organization("acme").knowledge if entry.key == key)


def test_an_answer_is_the_stored_text_with_its_source() -> None:
    draft = says("Картаа гээчихлээ, яах вэ?")
    lost = entry("card_lost")
    assert draft.kind == Kind.ANSWER
    assert draft.text == f"{lost.answer}\n\nЭх сурвалж: {lost.title}"
    assert (draft.entry_ids, draft.sources) == ((entry_id("card_lost"),), (lost.title,))
    assert draft.confidence is Confidence.HIGH
    assert draft.score >= drafting.SURE


@pytest.mark.parametrize(
    "text",
    [
        "kartaa geechihlee yaah ve",
        "KARTAA GEECHIHLEE",
        "Сайн байна уу. Картаа гээчихлээ",
        "Картаа геэчихлээ яах вэ",
    ],
)
def test_latin_script_capitals_greetings_and_typos_get_the_same_answer(text: str) -> None:
    assert says(text).entry_ids == (entry_id("card_lost"),)


def test_an_english_question_is_framed_in_english_around_the_stored_answer() -> None:
    draft = says("I lost my card, how do I block it?")
    assert draft.language is Language.ENGLISH
    assert entry("card_lost").answer in draft.text
    assert draft.text.endswith(f"Source: {entry('card_lost').title}")


def test_braces_in_an_answer_are_just_braces() -> None:
    stored = measuring.index("acme").entry(entry_id("card_lost"))
    index = Index([type(stored)(stored.id, "{source}", stored.question, (), "{answer} {0}")])
    draft = drafting.draft([Turn("end_user", stored.question)], index)
    assert draft.text == "{answer} {0}\n\nЭх сурвалж: {source}"


def test_a_vague_question_gets_up_to_three_questions_to_choose_from() -> None:
    draft = says("зээл")
    assert draft.kind == Kind.CHOICES
    assert 1 < len(draft.choices) <= 3
    assert len(draft.entry_ids) == len(draft.choices)
    assert all(f"{number}. {text}" in draft.text for number, text in enumerate(draft.choices, start=1))


@pytest.mark.parametrize(("reply", "position"), [("1", 0), ("2", 1), ("хоёр дахь нь", 1)])
def test_a_choice_by_number_is_answered(reply: str, position: int) -> None:
    offered = says("зээл")
    answer = says("зээл", reply)
    assert answer.kind == Kind.ANSWER
    assert answer.entry_ids == (offered.entry_ids[position],)


def test_turning_down_all_choices_is_a_fallback() -> None:
    assert says("зээл", "аль нь ч биш").kind == Kind.FALLBACK


def test_what_nobody_stored_is_admitted_plainly() -> None:
    draft = says(NONSENSE)
    assert (draft.kind, draft.text) == (Kind.FALLBACK, phrases.MONGOLIAN.fallback)
    assert (draft.entry_ids, draft.sources, draft.confidence) == ((), (), Confidence.LOW)


def test_the_second_fallback_in_a_row_is_a_handover() -> None:
    draft = says(NONSENSE, "Гитар сурмаар байна")
    assert (draft.kind, draft.reason) == (Kind.HANDOVER, Reason.NOT_UNDERSTOOD)


def test_thanks_in_between_do_not_hide_the_first_fallback() -> None:
    assert says(NONSENSE, "за", "Гитар сурмаар байна").kind == Kind.HANDOVER


def test_an_answer_in_between_forgives_the_first_fallback() -> None:
    assert says(NONSENSE, "Картаа гээсэн бол яах вэ?", "Гитар сурмаар байна").kind == Kind.FALLBACK


@pytest.mark.parametrize(
    "text", ["хүнтэй ярих", "operator", "Оператортой холбож өгөөч", "I want to talk to a human"]
)
def test_whoever_asks_for_a_person_gets_one(text: str) -> None:
    draft = says(text)
    assert (draft.kind, draft.reason) == (Kind.HANDOVER, Reason.ASKED)


@pytest.mark.parametrize("text", ["Сайн байна уу", "баярлалаа", "👍", "баяртай"])
def test_politeness_is_answered_politely(text: str) -> None:
    assert says(text).kind == Kind.SMALL_TALK


def test_the_greeting_says_that_a_machine_is_talking() -> None:
    assert "виртуал туслах" in says("Сайн байна уу").text


def test_a_question_cut_in_two_messages_is_read_as_one() -> None:
    turns = [Turn("end_user", "hadgalamjiin"), Turn("end_user", "huu")]
    assert drafting.draft(turns, measuring.index("acme")).entry_ids[0] == entry_id("savings_rate")


def test_the_last_turn_of_the_end_user_counts_even_when_a_reply_overtook_it() -> None:
    turns = [Turn("end_user", "Картаа гээсэн бол яах вэ?"), Turn("agent", "Сайн байна уу?", Kind.SMALL_TALK)]
    assert drafting.draft(turns, measuring.index("acme")).kind == Kind.ANSWER


@pytest.mark.parametrize("turns", [[], [Turn("agent", "Сайн байна уу?"), Turn("member", "Сайн уу")]])
def test_without_a_question_there_is_nothing_to_answer(turns: list[Turn]) -> None:
    with pytest.raises(NothingToAnswer):
        drafting.draft(turns, measuring.index("acme"))


def test_answers_to_unseen_questions_are_nearly_always_right() -> None:
    tally = Tally()
    for slug in measuring.FILES:
        measuring.measure(slug, "held_out", tally)
    assert tally.answered >= 0.75 * tally.asked
    assert tally.answered_right >= 0.95 * tally.answered
    assert tally.offered_right >= 0.9 * tally.offered
    assert tally.off_topic[Kind.ANSWER] <= 0.10 * tally.off_topic_asked
    assert tally.off_topic[Kind.HANDOVER] == 0


def test_the_same_turns_always_get_the_same_reply() -> None:
    assert says("зээл", "1", NONSENSE) == says("зээл", "1", NONSENSE)


@given(
    st.lists(st.tuples(st.sampled_from(["end_user", "agent", "member"]), st.text(max_size=80)), max_size=6)
)
def test_no_conversation_breaks_the_agent(said: list[tuple[str, str]]) -> None:
    turns = [Turn(author, text) for author, text in said]
    if any(turn.author == "end_user" for turn in turns):
        assert drafting.draft(turns, measuring.index("globex")).text


@pytest.mark.parametrize(
    "text", ["", " ", "\x00", "???", "\ud800", "😀", "а" * 100_000, "карт " * 20_000, "\u0336" * 9]
)
def test_empty_huge_and_odd_messages_get_a_bounded_reply(text: str) -> None:
    assert 0 < len(says(text).text) < 5_000
