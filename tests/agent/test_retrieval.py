"""The right entry is found among many: counted on questions nobody stored, never timed."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.retrieval import VERBATIM, Entry, Index
from tests.agent import measuring
from tests.agent.measuring import Tally, entry_id

BOTH = sorted(measuring.FILES)


@pytest.fixture(scope="module")
def held_out() -> Tally:
    tally = Tally()
    for slug in BOTH:
        measuring.measure(slug, "held_out", tally)
    return tally


def test_there_are_two_unseen_questions_for_every_entry(held_out: Tally) -> None:
    assert held_out.asked == 2 * sum(len(measuring.index(slug)) for slug in BOTH)


def test_nine_of_ten_unseen_questions_find_their_entry_first(held_out: Tally) -> None:
    assert held_out.first >= 0.88 * held_out.asked


def test_nearly_all_unseen_questions_find_their_entry_among_three(held_out: Tally) -> None:
    assert held_out.among_three >= 0.97 * held_out.asked


@pytest.mark.parametrize("slug", BOTH)
def test_unseen_questions_in_latin_script_find_their_entry(slug: str) -> None:
    latin = [(key, text) for key, text in measuring.questions(slug, "held_out") if text.isascii()]
    found = [measuring.index(slug).search(text, limit=1)[0].entry_id == entry_id(key) for key, text in latin]
    assert len(latin) >= 30
    assert sum(found) >= 0.85 * len(latin)


@pytest.mark.parametrize("slug", BOTH)
def test_every_stored_question_finds_its_own_entry_beyond_doubt(slug: str) -> None:
    for entry in measuring.organization(slug).knowledge:
        for text in (entry.question, *entry.alternatives):
            best = measuring.index(slug).search(text.upper() + " ?!")[0]
            assert (best.entry_id, best.score > VERBATIM) == (entry_id(entry.key), True)


def test_an_organization_s_index_knows_nothing_of_another_s() -> None:
    ids = {entry_id(entry.key) for entry in measuring.organization("acme").knowledge}
    for _, text in measuring.questions("globex", "held_out"):
        assert {passage.entry_id for passage in measuring.index("acme").search(text)} <= ids


def test_the_best_comes_first_and_the_limit_holds() -> None:
    scores = [passage.score for passage in measuring.index("acme").search("зээлийн хүү хэд вэ", limit=5)]
    assert len(scores) == 5
    assert scores == sorted(scores, reverse=True)


def test_a_new_index_of_the_same_entries_answers_the_same() -> None:
    entries = [
        measuring.index("acme").entry(entry_id(e.key)) for e in measuring.organization("acme").knowledge
    ]
    again = Index(entries)
    for _, text in measuring.questions("acme", "held_out"):
        assert again.search(text) == measuring.index("acme").search(text)


def test_nothing_is_found_in_an_empty_knowledge_base() -> None:
    assert Index([]).search("Картаа гээсэн") == []


def test_a_question_that_shares_nothing_finds_nothing() -> None:
    assert measuring.index("acme").search("🙈 ≈≈ 漢字") == []


@pytest.mark.parametrize("entries", [1, 2, 50])
def test_small_knowledge_bases_answer_too(entries: int) -> None:
    some = [
        Entry(uuid.UUID(int=i), f"title {i}", f"Асуулт дугаар {i} юу вэ", (), f"Хариулт {i}")
        for i in range(entries)
    ]
    assert Index(some).search("Асуулт дугаар 0 юу вэ")[0].entry_id == uuid.UUID(int=0)


@given(st.text(max_size=300))
def test_no_question_breaks_the_search(text: str) -> None:
    assert len(measuring.index("globex").search(text)) <= 3


@pytest.mark.parametrize(
    "text", ["\x00", "карт " * 20_000, "а" * 100_000, "😀" * 100_000, "\ufdfa" * 100_000, "\ud800"]
)
def test_huge_and_odd_questions_end_in_a_bounded_answer(text: str) -> None:
    assert len(measuring.index("acme").search(text)) <= 3


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_no_entry_breaks_an_index(title: str, question: str, answer: str) -> None:
    index = Index([Entry(uuid.UUID(int=1), title, question, (), answer)])
    assert len(index.search(question)) <= 1
