"""The demo content is complete, the same every time, and about nobody."""

import phonenumbers
import pytest

from agent import knowledge, normalizing
from iva.demo_content import ORGANIZATIONS, DemoOrganization, conversations

EACH = pytest.mark.parametrize("organization", ORGANIZATIONS, ids=lambda organization: organization.slug)


@EACH
def test_there_is_enough_to_ask(organization: DemoOrganization) -> None:
    assert len(organization.knowledge) >= 25
    assert len({entry.key for entry in organization.knowledge}) == len(organization.knowledge)
    for entry in organization.knowledge:
        assert len(entry.alternatives) >= 2
        assert any(not normalizing.is_cyrillic(text) for text in entry.alternatives)


@EACH
def test_every_entry_is_within_the_limits(organization: DemoOrganization) -> None:
    for entry in organization.knowledge:
        assert len(entry.title) <= knowledge.LONGEST_TITLE
        assert len(entry.alternatives) <= knowledge.MOST_ALTERNATIVES
        assert max(map(len, (entry.question, *entry.alternatives))) <= knowledge.LONGEST_QUESTION
        assert len(entry.answer) <= knowledge.LONGEST_ANSWER


@EACH
def test_the_same_seed_says_the_same_and_another_does_not(organization: DemoOrganization) -> None:
    first = list(conversations(organization, 100, seed=1))
    assert first == list(conversations(organization, 100, seed=1))
    assert first != list(conversations(organization, 100, seed=2))


@EACH
def test_some_people_come_back_and_each_keeps_their_handles(organization: DemoOrganization) -> None:
    said = list(conversations(organization, 300, seed=1))
    senders = [talk.sender for talk in said]
    numbers = {sender["customer_number"] for sender in senders}
    assert 100 < len(numbers) < 300
    assert len({tuple(sender.items()) for sender in senders}) == len(numbers)
    assert all(talk.turns and all(talk.turns) for talk in said)


@EACH
def test_nobody_can_be_reached_under_the_demo_s_numbers(organization: DemoOrganization) -> None:
    for talk in conversations(organization, 300, seed=1):
        number = phonenumbers.parse(talk.sender["phone"])
        assert phonenumbers.is_possible_number(number)
        assert not phonenumbers.is_valid_number(number)
        assert talk.sender["email"].endswith("@example.com")
