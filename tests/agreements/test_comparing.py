"""The comparison loses nothing: equal and removed are the old text, equal and added the new one."""

from hypothesis import given
from hypothesis import strategies as st

from accounts.agreements import comparing, texts
from accounts.agreements.comparing import Change
from accounts.models import LegalDocument

LINES = st.lists(
    st.sampled_from(["", "", "Нэг.", "Two words", "- a", "- b", "## Гарчиг", "three"]), max_size=30
).map("\n".join)


def document(text: str) -> LegalDocument:
    return LegalDocument(text_mn=texts.canonical(text), text_en="")


@given(LINES, LINES)
def test_both_texts_can_be_read_back_from_it(old: str, new: str) -> None:
    found = comparing.diff(document(old), document(new), "mn")
    before = [part.text for part in found if part.change is not Change.ADDED]
    after = [part.text for part in found if part.change is not Change.REMOVED]
    assert before == comparing.paragraphs(texts.canonical(old))
    assert after == comparing.paragraphs(texts.canonical(new))


@given(LINES)
def test_nothing_differs_from_itself(text: str) -> None:
    found = comparing.diff(document(text), document(text), "mn")
    assert {part.change for part in found} <= {Change.EQUAL}


@given(LINES)
def test_paragraphs_keep_every_line(text: str) -> None:
    kept = [line for part in comparing.paragraphs(text) for line in part.split("\n")]
    assert kept == [line for line in text.split("\n") if line]


@given(st.text())
def test_a_canonical_text_is_its_own_canonical_form(text: str) -> None:
    once = texts.canonical(text)
    assert texts.canonical(once) == once
    assert once.endswith("\n")


def test_one_item_of_a_list_changes_alone() -> None:
    found = comparing.diff(document("- a\n- b\n  more\n- c"), document("- a\n- b\n  less\n- c"), "mn")
    assert [(part.change, part.text) for part in found] == [
        (Change.EQUAL, "- a"),
        (Change.REMOVED, "- b\n  more"),
        (Change.ADDED, "- b\n  less"),
        (Change.EQUAL, "- c"),
    ]
