"""Members reply and note: who is in charge afterwards, what is sent once, what becomes of drafts."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest
from django.utils import timezone

from accounts.people import Acting
from conversations import drafts, reading, resolving, thread, writing
from conversations.handover import ConversationClosed
from conversations.models import Conversation, Draft, Message, Note, Resolution
from tests.cast import Party
from tests.faults.running import eventually
from tests.faults.together import in_a_thread, somebody_waits, together
from tests.inbox.conftest import held


def test_a_reply_takes_over_from_the_agent_and_takes_care(acme: Party, bats: uuid.UUID, tuya: Acting) -> None:
    with acme.tenant():
        writing.reply(held(bats), "Би тусалъя", by=tuya)
    with acme.tenant():
        conversation = Conversation.objects.get()
        message = Message.objects.get(author="member")
        assert conversation.handed_over_at is not None
        assert conversation.assignee_id == message.member_id == tuya.membership_id


def test_who_answers_in_the_agents_place_ends_a_wait_that_began_with_the_conversation(
    acme: Party, bats: uuid.UUID, tuya: Acting
) -> None:
    with acme.tenant():
        Conversation.objects.update(opened_at=timezone.now() - timedelta(minutes=7))
        writing.reply(held(bats), "Би тусалъя", by=tuya)
        waited = Conversation.objects.get().waited_for_people
    assert waited is not None
    assert waited >= timedelta(minutes=7)


def test_a_reply_leaves_a_colleagues_conversation_theirs(
    acme: Party, bats: uuid.UUID, tuya: Acting, saraa: Acting
) -> None:
    with acme.tenant():
        writing.reply(held(bats), "Би тусалъя", by=tuya)
        writing.reply(held(bats), "Нэмж хэлэхэд", by=saraa)
        assert Conversation.objects.get().assignee_id == tuya.membership_id


def test_the_agent_stays_silent_after_a_member_has_replied(
    acme: Party, bats: uuid.UUID, tuya: Acting, work_is_done: object
) -> None:
    with acme.tenant():
        writing.reply(held(bats), "Би тусалъя", by=tuya)
    work_is_done()  # type: ignore[operator]
    with acme.tenant():
        assert [message.author for message in Message.objects.order_by("id")] == ["end_user", "member"]


def test_an_ended_conversation_takes_notes_and_no_replies(acme: Party, bats: uuid.UUID, tuya: Acting) -> None:
    with acme.tenant():
        resolving.resolve(held(bats), Resolution.ANSWERED, actor=tuya.actor)
        with pytest.raises(ConversationClosed):
            writing.reply(held(bats), "Оройтлоо", by=tuya)
        writing.note(held(bats), "Дараа залгана", by=tuya)
    with acme.tenant():
        assert Note.objects.get().body == "Дараа залгана"
        assert Message.objects.count() == 1


def test_what_is_sent_twice_from_one_page_is_sent_once(acme: Party, bats: uuid.UUID, tuya: Acting) -> None:
    with acme.tenant():
        seen = thread.page(held(bats), actor=tuya.actor)[-1].id
    for _ in range(2):
        with acme.tenant():
            writing.reply(held(bats), "Сайн байна уу", by=tuya, seen=seen)
    with acme.tenant():
        assert Message.objects.filter(author="member").count() == 1
        writing.reply(held(bats), "Өөр үг", by=tuya, seen=seen)
        assert Message.objects.filter(author="member").count() == 2


def test_of_two_who_reply_at_once_the_second_reads_the_first(
    acme: Party, bats: uuid.UUID, tuya: Acting, saraa: Acting
) -> None:
    with acme.tenant():
        seen = thread.page(held(bats), actor=tuya.actor)[-1].id

    def reply(by: Acting) -> str:
        try:
            with acme.tenant():
                writing.reply(held(bats), f"from {by.role}", by=by, seen=seen)
        except writing.ColleagueReplied as first:
            return f"after {first.member_id}"
        return str(by.membership_id)

    outcomes = together([lambda: reply(tuya), lambda: reply(saraa)])
    (first,) = [outcome for outcome in outcomes if not outcome.startswith("after")]
    assert f"after {first}" in outcomes
    with acme.tenant():
        assert Message.objects.filter(author="member").count() == 1


def test_of_a_reply_and_an_ending_at_once_nothing_goes_out_after_the_end(
    acme: Party, bats: uuid.UUID, tuya: Acting, saraa: Acting
) -> None:
    def reply() -> str:
        try:
            with acme.tenant():
                writing.reply(held(bats), "Би тусалъя", by=tuya)
        except ConversationClosed:
            return "closed"
        return "sent"

    def end() -> str:
        with acme.tenant():
            resolving.resolve(held(bats), Resolution.ANSWERED, actor=saraa.actor)
        return "ended"

    said, _ = together([reply, end])
    with acme.tenant():
        conversation = Conversation.objects.get()
        assert conversation.closed_at is not None
        sent = Message.objects.filter(author="member")
        assert [message.kept_at <= conversation.closed_at for message in sent] == (
            [True] if said == "sent" else []
        )


class TestADraft:
    def test_is_one_for_each_member_and_survives(
        self, acme: Party, bats: uuid.UUID, tuya: Acting, saraa: Acting
    ) -> None:
        for text in ("Сайн", "Сайн байна"):
            with acme.tenant():
                drafts.keep(held(bats), tuya.membership_id, text, is_note=True)
        with acme.tenant():
            drafts.keep(held(bats), saraa.membership_id, "Өөр", is_note=False)
        with acme.tenant():
            mine = drafts.of(held(bats), tuya.membership_id)
            assert mine is not None
            assert (mine.body, mine.is_note) == ("Сайн байна", True)
            assert Draft.objects.count() == 2

    @pytest.mark.parametrize("emptied", ["", "  \n"])
    def test_is_gone_when_it_is_emptied(
        self, acme: Party, bats: uuid.UUID, tuya: Acting, emptied: str
    ) -> None:
        with acme.tenant():
            drafts.keep(held(bats), tuya.membership_id, "Сайн", is_note=False)
            drafts.keep(held(bats), tuya.membership_id, emptied, is_note=False)
            assert not Draft.objects.exists()

    @pytest.mark.parametrize("send", [writing.reply, writing.note])
    def test_is_gone_when_it_is_sent_and_does_not_come_back_late(
        self, acme: Party, bats: uuid.UUID, tuya: Acting, saraa: Acting, send: object
    ) -> None:
        with acme.tenant():
            seen = thread.page(held(bats), actor=tuya.actor)[-1].id
            drafts.keep(held(bats), tuya.membership_id, "Сай", is_note=False, seen=seen)
            drafts.keep(held(bats), saraa.membership_id, "Минийх", is_note=False, seen=seen)
            send(held(bats), "Сайн", by=tuya)  # type: ignore[operator]
        with acme.tenant():
            assert not drafts.keep(held(bats), tuya.membership_id, "Сайн", is_note=False, seen=seen)
            assert [draft.member_id for draft in Draft.objects.all()] == [saraa.membership_id]

    def test_typed_in_two_tabs_at_once_is_kept_once(self, acme: Party, bats: uuid.UUID, tuya: Acting) -> None:
        def type_(text: str) -> bool:
            with acme.tenant():
                return drafts.keep(held(bats), tuya.membership_id, text, is_note=False)

        assert together([lambda: type_("нэг"), lambda: type_("хоёр")]) == [True, True]
        with acme.tenant():
            assert Draft.objects.get().body in ("нэг", "хоёр")


def test_while_a_member_writes_messages_go_on_coming_in(
    acme: Party, bats: uuid.UUID, tuya: Acting, superuser: psycopg.Connection
) -> None:
    with ThreadPoolExecutor(1) as threads:
        with acme.tenant():
            drafts.keep(reading.get_for_update(bats, alone=False), tuya.membership_id, "Би", is_note=False)
            posting = in_a_thread(threads, lambda: acme.says("Бас нэг зүйл", phone="99112233"))
            eventually(lambda: posting.done() or somebody_waits(superuser), "it is kept, or it waits")
            assert posting.done()
        assert posting.result().body["conversation_id"] == str(bats)
