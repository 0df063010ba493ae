"""A link in a letter opens once, until it expires, for whom and what it was made."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import household, links, people, tokens
from accounts.links import LinkInvalid
from accounts.models import Letter, LetterKind
from tests.faults.together import together

CONFIRM, RESET = LetterKind.CONFIRM_ADDRESS, LetterKind.RESET_PASSWORD


@pytest.fixture
def bat(db: None) -> uuid.UUID:
    return people.meet("bat@example.com", "correct horse battery staple")


def sent(kind: LetterKind, person: uuid.UUID | None, good_for: timedelta = timedelta(hours=1)) -> str:
    """The token of a letter that has just left."""
    secret = tokens.new_secret()
    with household.at_home():
        letter = Letter.objects.create(
            kind=kind,
            person_id=person,
            secret_hash=tokens.kept(secret),
            expires_at=timezone.now() + good_for,
        )
        return links.token(letter, secret)


def whose(kind: LetterKind, token: str) -> uuid.UUID | None:
    try:
        with household.at_home():
            return links.look_at(kind, token)
    except LinkInvalid:
        return None


def used(kind: LetterKind, token: str) -> bool:
    try:
        with household.at_home():
            links.use(kind, token)
    except LinkInvalid:
        return False
    return True


def test_looking_changes_nothing_and_using_opens_once(bat: uuid.UUID) -> None:
    token = sent(CONFIRM, bat)
    assert [whose(CONFIRM, token) for _ in range(3)] == [bat] * 3
    assert used(CONFIRM, token)
    assert whose(CONFIRM, token) is None
    assert not used(CONFIRM, token)


def test_of_sixteen_at_once_one_gets_in(bat: uuid.UUID) -> None:
    token = sent(RESET, bat)
    assert sum(together([lambda: used(RESET, token)] * 16)) == 1


def test_a_link_of_one_kind_opens_nothing_of_the_other(bat: uuid.UUID) -> None:
    confirm, reset = sent(CONFIRM, bat), sent(RESET, bat)
    disguised = links.SORTS[RESET].prefix + confirm[len(links.SORTS[CONFIRM].prefix) :]
    assert not used(RESET, confirm)
    assert not used(RESET, disguised)
    assert not used(CONFIRM, reset)
    assert whose(CONFIRM, confirm) == whose(RESET, reset) == bat


def test_a_letter_to_nobody_and_one_that_has_not_left_open_nothing(bat: uuid.UUID) -> None:
    assert not used(RESET, sent(RESET, None))
    with household.at_home():
        waiting = Letter.objects.create(kind=RESET, person_id=bat)
        guessed = links.token(waiting, bytes(32))
    assert not used(RESET, guessed)


def test_no_other_token_opens(bat: uuid.UUID) -> None:
    token = sent(RESET, bat)
    for position in range(4, len(token)):
        other = token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]
        assert whose(RESET, other) is None
    for rubbish in ("", "ivr_", "ivr_" + "A" * 86, "x" * 9000, "Өө" * 45, "\x00" * 90):
        assert whose(RESET, rubbish) is None


DOINGS = st.lists(
    st.tuples(st.sampled_from(["send", "use", "look", "expire", "take back"]), st.integers(0, 3)), max_size=14
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(doings=DOINGS)
def test_whatever_happens_in_whatever_order_a_link_is_good_exactly_while_it_should_be(
    bat: uuid.UUID, doings: list[tuple[str, int]]
) -> None:
    """The model: a set of good links. Using one, or taking back, empties it; expiring removes one."""
    known: list[str] = []
    good: set[str] = set()
    with household.at_home():
        links.take_back(RESET, bat)
    for doing, which in doings:
        chosen = known[which % len(known)] if known else sent(CONFIRM, bat)
        if doing == "send":
            known.append(sent(RESET, bat))
            good.add(known[-1])
        elif doing == "use":
            assert used(RESET, chosen) is (chosen in good)
            good = set() if chosen in good else good
        elif doing == "expire":
            row = tokens.unpack("ivr_", chosen).row_id if known else uuid.uuid4()
            with household.at_home():
                Letter.objects.filter(pk=row).update(expires_at=timezone.now())
            good.discard(chosen)
        elif doing == "take back":
            with household.at_home():
                links.take_back(RESET, bat)
            good = set()
        assert {token for token in known if whose(RESET, token) == bat} == good
