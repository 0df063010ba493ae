"""One normal form for each handle: the blind index is made of it, so it may never waver."""

import unicodedata

import phonenumbers
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from privacy.handles import HOME_NUMBER, LONGEST, Handle, HandleInvalid, HandleKind, normalize

often = settings(max_examples=300, derandomize=True, database=None, deadline=None)
KINDS = st.sampled_from(HandleKind)
# What the doors let through: no lone surrogates, no NUL.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
DIGITS = st.text("0123456789+-() .;,#*xXext=/\u0660\uff11\u2010", max_size=25)
EMAILS = st.builds("{}@{}.{}".format, TEXT, TEXT, TEXT)


def normal(kind: HandleKind, value: str) -> str | None:
    """The normal form, None for what cannot be such a handle; anything else is an error of ours."""
    try:
        return normalize(kind, value).value
    except HandleInvalid:
        return None


@often
@given(kind=KINDS, text=st.one_of(TEXT, DIGITS, EMAILS))
@example(kind=HandleKind.CUSTOMER_NUMBER, text="ΐ")
@example(kind=HandleKind.CUSTOMER_NUMBER, text="a-\u0301")
@example(kind=HandleKind.CUSTOMER_NUMBER, text="ﬃ-ß-ŉ-ǰ")
@example(kind=HandleKind.CUSTOMER_NUMBER, text="ΐ" * LONGEST)
@example(kind=HandleKind.EMAIL, text="ᾳ\u0345@ﬃ.İ")
@example(kind=HandleKind.EMAIL, text="İ" * 200 + "@a.mn")
@example(kind=HandleKind.MESSENGER_ID, text="¨x")
@example(kind=HandleKind.MESSENGER_ID, text="ﷺ" * 14)
@example(kind=HandleKind.PHONE, text="112233")
@example(kind=HandleKind.PHONE, text="tel:9911-2233;phone-context=+976")
def test_a_normal_form_is_its_own_normal_form(kind: HandleKind, text: str) -> None:
    once = normal(kind, text)
    if once is not None:
        assert normal(kind, once) == once
        assert 0 < len(once) <= LONGEST


@often
@given(
    kind=KINDS, text=st.one_of(TEXT, DIGITS, EMAILS), around=st.sampled_from([" ", "\t", "\u00a0", "\u3000"])
)
def test_what_stands_around_a_handle_and_how_it_is_composed_does_not_matter(
    kind: HandleKind, text: str, around: str
) -> None:
    assume(len(unicodedata.normalize("NFKC", text)) <= LONGEST)
    expected = normal(kind, text)
    assert normal(kind, f"{around}{text}{around}") == expected
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert normal(kind, unicodedata.normalize(form, text)) == expected


NUMBERS = st.from_regex(r"[89][0-9]{7}", fullmatch=True)


@often
@given(
    number=NUMBERS, between=st.lists(st.sampled_from(["", " ", "-", ".", "\u00a0"]), min_size=7, max_size=7)
)
def test_a_mongolian_number_is_one_number_in_every_spelling(number: str, between: list[str]) -> None:
    spelled = number[0] + "".join(gap + digit for gap, digit in zip(between, number[1:], strict=True))
    wide = "".join(chr(ord(digit) - ord("0") + 0xFF10) for digit in number)
    for spelling in (number, spelled, f"00976{number}", f"+976{number}", f"+976 {spelled}", wide):
        assert normalize(HandleKind.PHONE, spelling) == (HandleKind.PHONE, f"+976{number}")


@often
@given(text=st.from_regex(r"(\+976)?[0-9]{8}", fullmatch=True))
def test_the_usual_spelling_is_said_as_the_library_says_it(text: str) -> None:
    parsed = phonenumbers.parse(text, "MN")
    said = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    assert normal(HandleKind.PHONE, text) in (said, None)
    if HOME_NUMBER.fullmatch(text):
        assert phonenumbers.is_possible_number(parsed)


@often
@given(one=NUMBERS, other=NUMBERS)
def test_two_numbers_stay_two(one: str, other: str) -> None:
    assume(one != other)
    assert normal(HandleKind.PHONE, one) != normal(HandleKind.PHONE, other)


def test_an_extension_is_part_of_the_number() -> None:
    """Two people behind one switchboard are two people."""
    desks = [normal(HandleKind.PHONE, f"77112233 ext. {desk}") for desk in (5, 6)]
    assert desks[0] != desks[1] or desks == [None, None]


@pytest.mark.parametrize(
    ("kind", "spellings", "expected"),
    [
        (
            HandleKind.EMAIL,
            ["Bat@Example.COM", " bat@example.com\n", "ＢＡＴ＠example.com"],
            "bat@example.com",
        ),
        (HandleKind.EMAIL, ["БАТ@жишээ.мон", "бат@ЖИШЭЭ.мон"], "бат@жишээ.мон"),
        (HandleKind.CUSTOMER_NUMBER, ["ac-100 200", "AC100200", "ＡＣ－100200", "a c1-0-0 200"], "AC100200"),
        (HandleKind.CUSTOMER_NUMBER, ["рүж-7", "РҮЖ 7"], "РҮЖ7"),
        (HandleKind.MESSENGER_ID, ["PSID-77", " PSID-77 "], "PSID-77"),
        (HandleKind.PHONE, ["+7 495 123-45-67", "+74951234567"], "+74951234567"),
    ],
)
def test_every_spelling_has_the_same_normal_form(
    kind: HandleKind, spellings: list[str], expected: str
) -> None:
    assert {normalize(kind, spelling) for spelling in spellings} == {Handle(kind, expected)}


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (HandleKind.MESSENGER_ID, "psid-77", "PSID-77"),
        (HandleKind.MESSENGER_ID, "7 7", "77"),
        (HandleKind.CUSTOMER_NUMBER, "7.7", "77"),
        (HandleKind.EMAIL, "b.at@example.com", "bat@example.com"),
        (HandleKind.EMAIL, "bat+bank@example.com", "bat@example.com"),
        (HandleKind.CUSTOMER_NUMBER, "Ө1", "О1"),
    ],
)
def test_what_may_be_two_people_is_not_made_one(kind: HandleKind, one: str, other: str) -> None:
    assert normalize(kind, one) != normalize(kind, other)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *((kind, value) for kind in HandleKind for value in ("", "   ", "\u3000", "\x00", "9\x009112233")),
        *((kind, "9" * (LONGEST + 1)) for kind in HandleKind),
        *((HandleKind.PHONE, value) for value in ("1", "abc", "+", "+999", "9" * 20, "@", "--------")),
        *(
            (HandleKind.EMAIL, value)
            for value in ("bat", "@", "bat@", "@x.mn", "bat@x", "b t@x.mn", "a@b@c.mn")
        ),
        *((HandleKind.CUSTOMER_NUMBER, value) for value in ("-", " - - ")),
    ],
)
def test_what_cannot_be_a_handle_is_refused_without_being_quoted(kind: HandleKind, value: str) -> None:
    with pytest.raises(HandleInvalid) as refusal:
        normalize(kind, value)
    assert refusal.value.kind == kind
    assert str(refusal.value) == kind
    assert value not in (repr(refusal.value), "") or not value.strip("\u3000 \x00")
