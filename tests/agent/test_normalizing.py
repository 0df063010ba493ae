"""Every way of typing a Mongolian word must end in one form, and no input may break the path there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import normalizing

KEYBOARDS = st.text(
    alphabet="абвгдежзийклмноөпрстуүфхцчшщъыьэюяёabcdefghijklmnopqrstuvwxyz0123456789 -_.,?!", max_size=80
)


@given(st.text())
def test_normalizing_twice_changes_nothing(text: str) -> None:
    once = normalizing.normalize(text)
    assert normalizing.normalize(once) == once


@given(st.one_of(st.text(), KEYBOARDS))
def test_a_skeleton_of_a_skeleton_is_itself(text: str) -> None:
    for word in normalizing.words(text):
        skeleton = normalizing.skeleton(word)
        assert normalizing.skeleton(skeleton) == skeleton


@given(st.text())
def test_a_word_never_vanishes_into_an_empty_skeleton(text: str) -> None:
    assert all(normalizing.skeletons(text))


@given(KEYBOARDS)
def test_capital_letters_and_spacing_do_not_matter(text: str) -> None:
    assert normalizing.words(f"  {text.upper()}\n") == normalizing.words(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("гээчихлээ", "geechihlee"),
        ("үнэ", "une"),
        ("үнэ", "vнэ"),
        ("үнэ", "vne"),
        ("үнэ", "yne"),
        ("хүнтэй", "hvntei"),
        ("хүнтэй", "xуnтэй"),
        ("өдөр", "єдєр"),
        ("мөнгө", "mungu"),
        ("шилжүүлэх", "shiljuuleh"),
        ("үйлчилгээ", "uilchilgee"),
        ("цэнэглэгч", "tseneglegch"),
        ("яачих", "ya4ih"),
        ("шинэ", "6ine"),
        ("хуулга", "xуулга"),
        ("ипотекийн", "ipoteкийн"),
        ("үүсгэх", "vvsgeh"),
        ("карт", "КАРТ"),
        ("байхгүй", "baihgvi"),
    ],
)
def test_both_scripts_and_the_usual_misspellings_share_one_skeleton(one: str, other: str) -> None:
    assert normalizing.skeletons(one) == normalizing.skeletons(other)


@pytest.mark.parametrize(("one", "other"), [("данс", "карт"), ("зээл", "зар"), ("5g", "чg"), ("авах", "үах")])
def test_words_that_mean_different_things_keep_different_skeletons(one: str, other: str) -> None:
    assert normalizing.skeletons(one) != normalizing.skeletons(other)


def test_zero_width_characters_and_control_characters_do_not_hide_a_word() -> None:
    assert normalizing.words("ка\u200bрт\ufeff\x00аа ги\u00adйн") == ["карт", "аа", "гийн"]


def test_a_letter_typed_as_base_and_breve_is_the_letter() -> None:
    assert normalizing.words("аи\u0306маг") == ["аймаг"]


def test_lone_surrogates_and_stacked_marks_are_dropped() -> None:
    assert normalizing.normalize("ка\ud800рт" + "\u0336" * 50) == "карт"


def test_what_is_looked_at_is_bounded() -> None:
    assert len(normalizing.normalize("\ufdfa" * 100_000)) <= normalizing.LONGEST_TEXT
    assert [len(word) for word in normalizing.words("а" * 100_000)] == [normalizing.LONGEST_WORD]


def test_cyrillic_is_told_from_latin_script() -> None:
    assert normalizing.is_cyrillic("PIN код")
    assert not normalizing.is_cyrillic("kartaa geechihlee 12 !")
