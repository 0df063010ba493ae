"""Page by page, the inbox shows every conversation of a filter once, the newest first, whatever the times."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.people import Acting
from conversations import inbox, labelling
from conversations.inbox import Filter, View
from conversations.models import Colour, Conversation
from tests.cast import Party

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROW = st.fixed_dictionaries(
    {
        "minutes": st.integers(0, 3),
        "held": st.booleans(),
        "closed": st.booleans(),
        "mine": st.booleans(),
        "labelled": st.booleans(),
        "sentiment": st.sampled_from(["", "positive", "negative"]),
    }
)
PEOPLE = 8


@pytest.fixture
def conversations(acme: Party) -> list[uuid.UUID]:
    return [
        uuid.UUID(acme.says("Сайн уу", phone=f"9911220{number}").body["conversation_id"])
        for number in range(PEOPLE)
    ]


def pages(wanted: Filter, limit: int) -> Iterator[list[Conversation]]:
    before = None
    while found := inbox.find(wanted, before=before, limit=limit):
        yield found
        before = found[-1].last_message_at, found[-1].pk


def fits(row: dict[str, object], view: View) -> bool:
    is_open = not row["closed"]
    return {
        View.WAITING: is_open and bool(row["held"]),
        View.MINE: is_open and bool(row["mine"]),
        View.UNASSIGNED: is_open and bool(row["held"]) and not row["mine"],
        View.AGENT: is_open and not row["held"],
        View.RESOLVED: not is_open,
        View.ALL: True,
    }[view]


def test_every_page_follows_the_one_before(
    acme: Party, conversations: list[uuid.UUID], saraa: Acting
) -> None:
    with acme.tenant():
        label = labelling.make("Гомдол", Colour.RED, by=saraa)

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        rows=st.lists(ROW, min_size=PEOPLE, max_size=PEOPLE),
        view=st.sampled_from(View),
        limit=st.integers(1, PEOPLE),
        by_label=st.booleans(),
        sentiment=st.sampled_from(["", "negative"]),
    )
    def holds(rows: list[dict[str, object]], view: View, limit: int, by_label: bool, sentiment: str) -> None:
        known = dict(zip(conversations, rows, strict=True))
        wanted = Filter(
            saraa.membership_id, view, label_id=label.pk if by_label else None, sentiment=sentiment
        )
        with acme.tenant():
            _arrange(known, label.pk, saraa)
            found = [[conversation.pk for conversation in page] for page in pages(wanted, limit)]
            positions = dict(Conversation.objects.values_list("id", "last_message_at"))
        expected = [
            pk
            for pk, row in known.items()
            if fits(row, view)
            and (not by_label or row["labelled"])
            and (not sentiment or row["sentiment"] == sentiment)
        ]
        expected.sort(key=lambda pk: (positions[pk], pk), reverse=True)
        assert [pk for page in found for pk in page] == expected
        assert all(len(page) == limit for page in found[:-1])

    holds()


def _arrange(known: dict[uuid.UUID, dict[str, object]], label_id: uuid.UUID, by: Acting) -> None:
    for pk, row in known.items():
        Conversation.objects.filter(pk=pk).update(
            last_message_at=NOW + timedelta(minutes=int(str(row["minutes"]))),
            handed_over_at=NOW if row["held"] else None,
            closed_at=NOW if row["closed"] else None,
            assignee_id=by.membership_id if row["mine"] else None,
            sentiment=row["sentiment"],
        )
        labelling.put(Conversation(pk=pk), [label_id] if row["labelled"] else [], by=by)
