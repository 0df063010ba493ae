"""The knowledge base in the database: behind the wall, encrypted, and current in the very next search."""

import uuid
from collections.abc import Callable

import psycopg
import pytest

from agent import knowledge
from agent.models import KnowledgeEntry
from iva import tenancy
from iva.audit.actors import SYSTEM
from iva.audit.models import AuditEvent
from tests.cast import Party

SECRET_WORDS = ("Нууцтитэл", "Нууцасуулт", "Нууцхувилбар", "Нууцхариулт")


def publish(
    question: str = "Картаа гээсэн бол яах вэ?", answer: str = "0000-0100 руу залга."
) -> KnowledgeEntry:
    return knowledge.publish("Карт", question, ["kartaa geechihlee"], answer, actor=SYSTEM)


def found(query: str) -> list[uuid.UUID]:
    return [passage.entry_id for passage in knowledge.index().search(query)]


def test_what_is_published_is_found_at_once_and_reads_as_it_was_written(acme: Party) -> None:
    with acme.tenant():
        entry = publish()
    with acme.tenant():
        assert found("картаа гээчихлээ") == [entry.pk]
        read = knowledge.get(entry.pk)
        assert (read.title, read.question, read.alternatives, read.answer, read.version) == (
            "Карт",
            "Картаа гээсэн бол яах вэ?",
            ["kartaa geechihlee"],
            "0000-0100 руу залга.",
            1,
        )


def test_a_revision_replaces_the_text_in_the_next_search(acme: Party) -> None:
    with acme.tenant():
        entry = publish()
    with acme.tenant():
        assert knowledge.index().entry(entry.pk).answer == "0000-0100 руу залга."
        revised = knowledge.revise(entry, "Карт", "Карт хаах", [], "Аппаар хаа.", actor=SYSTEM)
        assert revised.version == 2
    with acme.tenant():
        assert knowledge.index().entry(entry.pk).answer == "Аппаар хаа."
        assert knowledge.get(entry.pk).version == 2


def test_what_is_retired_is_not_found_again_and_cannot_be_changed(acme: Party) -> None:
    with acme.tenant():
        entry = publish()
        knowledge.index()
        knowledge.retire(entry, actor=SYSTEM)
    with acme.tenant():
        assert found("Картаа гээсэн бол яах вэ?") == []
        assert knowledge.published() == []
        with pytest.raises(knowledge.NoSuchEntry):
            knowledge.get(entry.pk)
        with pytest.raises(knowledge.NoSuchEntry):
            knowledge.retire(entry, actor=SYSTEM)
        with pytest.raises(knowledge.NoSuchEntry):
            knowledge.revise(entry, "Карт", "Асуулт", [], "Хариулт", actor=SYSTEM)


def test_retiring_what_was_just_published_does_not_bring_an_old_version_back(acme: Party) -> None:
    versions = set()
    with acme.tenant():
        publish()
        versions.add(knowledge._version(acme.id))
        other = publish("Хадгаламжийн хүү хэд вэ?")
        versions.add(knowledge._version(acme.id))
        knowledge.retire(other, actor=SYSTEM)
        versions.add(knowledge._version(acme.id))
    assert len(versions) == 3


def test_an_index_is_built_once_for_each_version(acme: Party) -> None:
    with acme.tenant():
        publish()
    with acme.tenant():
        first = knowledge.index()
    with acme.tenant():
        assert knowledge.index() is first


def test_another_organization_s_knowledge_is_never_found(acme: Party, globex: Party) -> None:
    with acme.tenant():
        ours = publish()
    with globex.tenant():
        theirs = publish(answer="Глобексын хариулт")
        assert found("Картаа гээсэн бол яах вэ?") == [theirs.pk]
        with pytest.raises(knowledge.NoSuchEntry):
            knowledge.get(ours.pk)
        with pytest.raises(knowledge.NoSuchEntry):
            knowledge.retire(ours, actor=SYSTEM)
    with acme.tenant():
        assert found("Картаа гээсэн бол яах вэ?") == [ours.pk]


def test_nothing_is_searched_outside_an_organization(db: None) -> None:
    with pytest.raises(tenancy.NoTenantActive):
        knowledge.index()


def test_the_table_holds_no_plaintext(acme: Party, superuser: psycopg.Connection) -> None:
    title, question, alternative, answer = SECRET_WORDS
    with acme.tenant():
        entry = knowledge.publish(title, question, [alternative], answer, actor=SYSTEM)
    with acme.tenant():
        knowledge.revise(entry, title, question, [alternative], answer, actor=SYSTEM)
    row = superuser.execute("SELECT * FROM agent_knowledgeentry").fetchone()
    assert row is not None
    stored = b"|".join(bytes(value) if isinstance(value, bytes) else str(value).encode() for value in row)
    assert not [word for word in SECRET_WORDS if word.encode() in stored]


def test_every_change_leaves_an_event_with_ids_only(acme: Party) -> None:
    with acme.tenant():
        entry = publish()
        entry = knowledge.revise(entry, "Карт", "Асуулт", [], "Хариулт", actor=SYSTEM)
        knowledge.retire(entry, actor=SYSTEM)
    with acme.tenant():
        events = AuditEvent.objects.filter(event__startswith="knowledge.").order_by("sequence")
        assert [event.event for event in events] == [
            "knowledge.published",
            "knowledge.revised",
            "knowledge.retired",
        ]
        assert all(str(entry.pk) in event.ids and "Карт" not in event.ids for event in events)


@pytest.mark.parametrize(
    ("change", "refusal", "part"),
    [
        ({"title": " "}, knowledge.TextMissing, "title"),
        ({"question": "?!"}, knowledge.TextMissing, "question"),
        ({"answer": "\n"}, knowledge.TextMissing, "answer"),
        ({"title": "а" * 201}, knowledge.TextTooLong, "title"),
        ({"question": "а" * 501}, knowledge.TextTooLong, "question"),
        ({"alternatives": ["а" * 501]}, knowledge.TextTooLong, "alternatives"),
        ({"answer": "а" * 4001}, knowledge.TextTooLong, "answer"),
        ({"alternatives": [f"асуулт {i}" for i in range(21)]}, knowledge.TooManyAlternatives, "alternatives"),
    ],
)
def test_an_entry_that_cannot_be_used_is_refused(
    acme: Party, change: dict[str, object], refusal: type[knowledge.EntryRefused], part: str
) -> None:
    text: dict[str, object] = {"title": "Карт", "question": "Асуулт", "alternatives": [], "answer": "Хариулт"}
    with acme.tenant(), pytest.raises(refusal) as raised:
        knowledge.publish(**(text | change), actor=SYSTEM)  # type: ignore[arg-type]
    assert raised.value.part == part


def test_blank_and_repeated_alternatives_are_left_out(acme: Party) -> None:
    with acme.tenant():
        entry = knowledge.publish("Карт", "Асуулт", [" дахин ", "дахин", ""], "Хариулт", actor=SYSTEM)
    with acme.tenant():
        assert knowledge.get(entry.pk).alternatives == ["дахин"]


def test_a_full_knowledge_base_takes_no_more(acme: Party, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(knowledge, "MOST_ENTRIES", 1)
    with acme.tenant():
        publish()
        with pytest.raises(knowledge.KnowledgeBaseFull):
            publish()


def test_pages_lead_from_the_newest_entry_to_the_oldest(acme: Party) -> None:
    with acme.tenant():
        ids = [publish(f"Асуулт {number}").pk for number in range(3)]
    with acme.tenant():
        first = knowledge.page(before=None, limit=2)
        second = knowledge.page(before=first[-1].pk, limit=2)
        assert [entry.pk for entry in [*first, *second]] == ids[::-1]


def test_opening_the_whole_knowledge_base_asks_for_the_key_once(
    acme: Party, django_assert_max_num_queries: Callable[..., object]
) -> None:
    with acme.tenant():
        for number in range(20):
            publish(f"Асуулт {number}")
    with acme.tenant(), django_assert_max_num_queries(3):
        assert len({entry.answer + entry.question for entry in knowledge.published()}) == 20
