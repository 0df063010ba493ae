"""The inbox in a browser without JavaScript and with htmx: what is shown, what a form does, what is kept."""

import html
import json
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts import trail
from accounts.models import Member
from accounts.people import Acting
from accounts.roles import Role
from accounts.trail import Wanted
from conversations import drafts, labelling, thread, writing
from conversations.inbox import PAGE
from conversations.models import Colour, Conversation, Draft, Label, Message, Note
from privacy.models import EndUserIdentity
from tests.cast import Party
from tests.conftest import AtDesk, Hire
from tests.inbox.conftest import held

HTMX = {"HX-Request": "true"}
NO_ZONE = "before=2026-01-01T00:00:00_019aa000-0000-7000-8000-000000000001"


@pytest.fixture
def desk(tuya: Acting, at_desk: AtDesk) -> Client:
    """Tuya's browser."""
    return at_desk(tuya)


def text_of(answer: Any) -> str:
    return answer.content.decode()


def address(conversation_id: uuid.UUID, *below: str) -> str:
    return "/".join(["/inbox", str(conversation_id), *below, ""])


def hand_over(browser: Client, conversation_id: uuid.UUID) -> None:
    assert browser.post(address(conversation_id, "in-charge"), {"in_charge": "people"}).status_code == 303


class TestTheList:
    def test_shows_names_in_full_and_the_last_message(
        self, acme: Party, bats: uuid.UUID, desk: Client
    ) -> None:
        shown = text_of(desk.get("/inbox/?view=all"))
        assert "Бат" in shown
        assert "Картаа гээчихлээ" in shown
        assert "99112233" not in shown

    def test_shows_in_a_view_what_belongs_there(
        self, acme: Party, bats: uuid.UUID, desk: Client, saraa: Acting, at_desk: AtDesk
    ) -> None:
        def where() -> set[str]:
            views = ("waiting", "mine", "unassigned", "agent", "resolved", "all")
            return {view for view in views if str(bats) in text_of(desk.get(f"/inbox/?view={view}"))}

        assert where() == {"agent", "all"}
        with acme.tenant():
            Conversation.objects.update(handed_over_at="2026-01-01T00:00:00Z")
        assert where() == {"waiting", "unassigned", "all"}
        desk.post(address(bats, "assignee"), {"assignee": self.me(acme)})
        assert where() == {"waiting", "mine", "all"}
        desk.post(address(bats, "resolution"), {"resolution": "answered"})
        assert where() == {"resolved", "all"}

    def me(self, acme: Party) -> str:
        with acme.tenant():
            return str(next(m.pk for m in _members() if m.name == "Tuya"))

    def test_filters_by_channel_assignee_label_and_sentiment(
        self, acme: Party, bats: uuid.UUID, saraa: Acting, tuya: Acting, desk: Client
    ) -> None:
        with acme.tenant():
            label = labelling.make("Гомдол", Colour.RED, by=saraa)
            labelling.put(held(bats), [label.pk], by=tuya)
            Conversation.objects.update(sentiment="negative", assignee_id=tuya.membership_id)
        fitting = {
            "channel": acme.channel.pk,
            "label": label.pk,
            "sentiment": "negative",
            "assignee": tuya.membership_id,
        }
        others = {
            "channel": uuid.uuid4(),
            "label": uuid.uuid4(),
            "sentiment": "positive",
            "assignee": saraa.membership_id,
        }
        for name in fitting:
            assert str(bats) in text_of(desk.get("/inbox/", {"view": "all", name: str(fitting[name])})), name
            assert str(bats) not in text_of(desk.get("/inbox/", {"view": "all", name: str(others[name])})), (
                name
            )
        assert str(bats) in text_of(desk.get("/inbox/", {"view": "all", **fitting}))

    @pytest.mark.parametrize(
        "query", ["view=nothing", "channel=x", "label=1", "sentiment=angry", "before=x",
                  "before=2026-01-01_x", NO_ZONE, "rows=-1"]
    )  # fmt: skip
    def test_refuses_what_is_no_filter(self, bats: uuid.UUID, desk: Client, query: str) -> None:
        assert desk.get(f"/inbox/?{query}").status_code == 400

    def test_counts_no_further_than_nine(self, acme: Party, desk: Client) -> None:
        for number in range(12):
            acme.says("Сайн уу", phone=f"991122{number:02}")
        with acme.tenant():
            Conversation.objects.update(handed_over_at="2026-01-01T00:00:00Z")
        assert re.findall(r'class="count">([^<]+)<', text_of(desk.get("/inbox/"))) == ["9+", "9+"]

    def test_a_refresh_gives_the_changing_part_and_as_many_rows_as_were_shown(
        self, acme: Party, desk: Client
    ) -> None:
        for number in range(30):
            acme.says("Сайн уу", phone=f"991122{number:02}")
        part = desk.get("/inbox/news/?view=all&rows=30", headers=HTMX)
        assert "<html" not in text_of(part)
        assert (
            text_of(part).count('class="row') - text_of(part).count('class="row-') == 31
        )  # and the list itself

    def test_further_rows_stay_when_the_list_is_refreshed(self, acme: Party, desk: Client) -> None:
        for number in range(PAGE + 3):
            acme.says("Сайн уу", phone=f"991122{number:02}")
        first = text_of(desk.get("/inbox/?view=all"))
        (more,) = re.findall(r'hx-get="([^"]+before=[^"]+)" hx-target="#more"', first)
        part = desk.get(f"{html.unescape(more)}&rows={PAGE}", headers=HTMX | {"HX-Target": "more"})
        assert re.findall(r'id="shown-rows"[^>]* value="(\d+)" hx-swap-oob', text_of(part)) == [str(PAGE + 3)]

    def test_an_empty_list_is_refreshed_as_it_stands(self, acme: Party, desk: Client) -> None:
        (shown,) = re.findall(r'name="rows" value="(\d+)"', text_of(desk.get("/inbox/?view=all")))
        acme.says("Сайн уу", phone="99112233")
        part = desk.get(f"/inbox/news/?view=all&rows={shown}", headers=HTMX)
        assert 'id="row-' in text_of(part)

    def test_the_page_names_in_the_trail_whom_it_showed(
        self, acme: Party, bats: uuid.UUID, desk: Client, tuya: Acting
    ) -> None:
        desk.get("/inbox/?view=all")
        desk.get("/inbox/?view=all")
        (event,) = [one for one in _trail(acme) if one["event"] == "inbox.read"]
        with acme.tenant():
            shown = str(Conversation.objects.get().end_user_id)
        assert event["ids"] == {"end_user": shown}
        assert event["actor"] == f"member:{tuya.membership_id}"

    def test_newer_words_are_a_new_look(self, acme: Party, bats: uuid.UUID, desk: Client) -> None:
        desk.get("/inbox/?view=all")
        acme.says("Нууц үг минь 4711", phone="99112233")
        desk.get("/inbox/news/?view=all", headers=HTMX)
        assert [one["event"] for one in _trail(acme)].count("inbox.read") == 2

    def test_whoever_was_only_shown_in_the_list_is_found_in_the_trail(
        self, acme: Party, bats: uuid.UUID, desk: Client, saraa: Acting, at_desk: AtDesk
    ) -> None:
        desk.get("/inbox/?view=all")
        at_desk(saraa).get("/inbox/?view=all")
        with acme.tenant():
            end_user_id = Conversation.objects.get().end_user_id
        with acme.tenant("account.manage"):
            found = trail.page(Wanted(end_user=end_user_id), by=saraa)
        assert [line.code for line in found].count("inbox.read") == 2


class TestTheConversation:
    def test_shows_messages_notes_and_a_masked_card(
        self, acme: Party, bats: uuid.UUID, tuya: Acting, desk: Client
    ) -> None:
        with acme.tenant():
            writing.note(held(bats), "Хоёр дахь удаагаа", by=tuya)
        shown = text_of(desk.get(address(bats)))
        assert "Картаа гээчихлээ" in shown
        assert "Хоёр дахь удаагаа" in shown
        assert "•••• 2233" in shown
        assert "99112233" not in shown

    def test_older_entries_follow_by_their_ids(
        self, acme: Party, bats: uuid.UUID, tuya: Acting, desk: Client
    ) -> None:
        with acme.tenant():
            for number in range(thread.PAGE + 5):
                writing.note(held(bats), f"тэмдэглэл {number:03}", by=tuya)
        first = text_of(desk.get(address(bats)))
        until = re.search(r"until=([0-9a-f-]{36})", first)
        assert until is not None
        older = text_of(desk.get(address(bats, "entries"), {"until": until[1]}, headers=HTMX))
        said = re.findall(r"тэмдэглэл \d{3}", older + first)
        assert said == [f"тэмдэглэл {number:03}" for number in range(thread.PAGE + 5)]
        assert text_of(desk.get(address(bats), {"until": until[1]})).count("Картаа гээчихлээ") >= 1

    def test_news_come_once(self, acme: Party, bats: uuid.UUID, desk: Client) -> None:
        page = text_of(desk.get(address(bats)))
        asked = {"after": _hidden(page, "after")[0], "also": _hidden(page, "also")}
        acme.says("Бас нэг зүйл", phone="99112233")
        news = text_of(desk.get(address(bats, "news"), asked, headers=HTMX))
        assert news.count("Бас нэг зүйл") == 1
        assert "Картаа гээчихлээ" not in news
        asked = {"after": _hidden(news, "after")[0], "also": _hidden(news, "also")}
        again = desk.get(address(bats, "news"), asked, headers=HTMX)
        assert 'class="entry' not in text_of(again)

    def test_of_many_news_the_first_come_first_and_the_rest_at_once(
        self, acme: Party, bats: uuid.UUID, tuya: Acting, desk: Client
    ) -> None:
        page = text_of(desk.get(address(bats)))
        with acme.tenant():
            for number in range(thread.PAGE * 3 + 5):
                writing.note(held(bats), f"тэмдэглэл {number:03}", by=tuya)
        said = []
        while len(said) < thread.PAGE * 3 + 5:
            asked = {"after": _hidden(page, "after")[0], "also": _hidden(page, "also")}
            page = text_of(desk.get(address(bats, "news"), asked, headers=HTMX))
            said += re.findall(r"тэмдэглэл \d{3}", page)
            assert ('hx-trigger="load,' in page) == (len(said) < thread.PAGE * 3 + 5)
        assert said == [f"тэмдэглэл {number:03}" for number in range(thread.PAGE * 3 + 5)]

    def test_news_that_were_committed_late_are_found_all_the_same(
        self, acme: Party, bats: uuid.UUID, tuya: Acting
    ) -> None:
        with acme.tenant():
            early = writing.note(held(bats), "эрт", by=tuya)
            late = writing.note(held(bats), "орой", by=tuya)
        with acme.tenant():
            found = thread.since(held(bats), late.pk, [], actor=tuya.actor)
            assert early.pk in [entry.id for entry in found]
            assert late.pk not in [entry.id for entry in found]

    def test_a_plain_form_sends_a_reply(self, acme: Party, bats: uuid.UUID, desk: Client) -> None:
        answer = desk.post(address(bats, "messages"), {"kind": "reply", "body": "Сайн байна уу"})
        assert (answer.status_code, answer["Location"]) == (303, address(bats))
        shown = text_of(desk.get(address(bats)))
        assert "Сайн байна уу" in shown
        assert "Tuya" in shown

    def test_htmx_gets_what_has_changed_and_an_empty_composer(
        self, acme: Party, bats: uuid.UUID, desk: Client
    ) -> None:
        seen = _hidden(text_of(desk.get(address(bats))), "seen")[0]
        body = {"kind": "reply", "body": "Сайн байна уу", "seen": seen, "after": seen}
        answer = text_of(desk.post(address(bats, "messages"), body, headers=HTMX))
        assert "<html" not in answer
        assert answer.count("Сайн байна уу") == 1
        assert 'id="thread-head" hx-swap-oob="true"' in answer
        assert re.search(r"<textarea[^>]*></textarea>", answer)

    @pytest.mark.parametrize("headers", [{}, HTMX])
    @pytest.mark.parametrize("body", ["", "  ", "x" * 10_001])
    def test_what_cannot_be_sent_stays_in_the_composer(
        self, bats: uuid.UUID, desk: Client, headers: dict[str, str], body: str
    ) -> None:
        answer = desk.post(address(bats, "messages"), {"kind": "reply", "body": body}, headers=headers)
        assert answer.status_code == 422
        assert 'role="alert"' in text_of(answer)
        assert body in text_of(answer)

    @pytest.mark.parametrize("headers", [{}, HTMX])
    def test_a_reply_to_what_a_colleague_has_resolved_is_kept(
        self,
        acme: Party,
        bats: uuid.UUID,
        desk: Client,
        saraa: Acting,
        at_desk: AtDesk,
        headers: dict[str, str],
    ) -> None:
        at_desk(saraa).post(address(bats, "resolution"), {"resolution": "answered"})
        answer = desk.post(
            address(bats, "messages"), {"kind": "reply", "body": "Удаан бичсэн"}, headers=headers
        )
        assert answer.status_code == 409
        assert "Удаан бичсэн" in text_of(answer)
        with acme.tenant():
            assert Draft.objects.get().body == "Удаан бичсэн"
            assert Message.objects.count() == 1

    def test_a_colleagues_reply_is_shown_before_another_goes_out(
        self, acme: Party, bats: uuid.UUID, desk: Client, saraa: Acting, at_desk: AtDesk
    ) -> None:
        seen = _hidden(text_of(desk.get(address(bats))), "seen")[0]
        at_desk(saraa).post(address(bats, "messages"), {"kind": "reply", "body": "Би хариуллаа"})
        said = {"kind": "reply", "body": "Би бас", "seen": seen}
        refused = desk.post(address(bats, "messages"), said)
        assert refused.status_code == 409
        assert "Saraa" in text_of(refused)
        assert "Би хариуллаа" in text_of(refused)
        said["seen"] = _hidden(text_of(refused), "seen")[0]
        assert desk.post(address(bats, "messages"), said).status_code == 303

    def test_two_who_resolve_differently_are_told(
        self, acme: Party, bats: uuid.UUID, desk: Client, saraa: Acting, at_desk: AtDesk
    ) -> None:
        at_desk(saraa).post(address(bats, "resolution"), {"resolution": "answered"})
        answer = desk.post(address(bats, "resolution"), {"resolution": "abandoned"}, follow=True)
        assert 'class="notice error"' in text_of(answer)
        with acme.tenant():
            assert Conversation.objects.get().resolution == "answered"

    def test_a_draft_survives_a_reload_and_is_the_writers_alone(
        self, acme: Party, bats: uuid.UUID, desk: Client, saraa: Acting, at_desk: AtDesk
    ) -> None:
        page = text_of(desk.get(address(bats)))
        typed = {"kind": "note", "body": "Хагас өгүүлбэр", "seen": _hidden(page, "seen")[0]}
        assert desk.post(address(bats, "draft"), typed, headers=HTMX).status_code == 200
        assert "Хагас өгүүлбэр" in text_of(desk.get(address(bats)))
        assert "Хагас өгүүлбэр" not in text_of(at_desk(saraa).get(address(bats)))

    def test_reopening_puts_it_into_the_members_hands(
        self, acme: Party, bats: uuid.UUID, desk: Client, tuya: Acting
    ) -> None:
        desk.post(address(bats, "resolution"), {"resolution": "answered"})
        desk.post(address(bats, "reopening"))
        with acme.tenant():
            conversation = Conversation.objects.get()
            assert (conversation.closed_at, conversation.resolution) == (None, "")
            assert conversation.handed_over_at is not None
            assert conversation.assignee_id == tuya.membership_id

    def test_reopening_leads_to_the_one_that_is_open_by_now(
        self, acme: Party, bats: uuid.UUID, desk: Client
    ) -> None:
        desk.post(address(bats, "resolution"), {"resolution": "answered"})
        newer = acme.says("Дахиад би", phone="99112233").body["conversation_id"]
        answer = desk.post(address(bats, "reopening"))
        assert answer["Location"] == f"/inbox/{newer}/"
        with acme.tenant():
            assert Conversation.objects.get(pk=bats).closed_at is not None

    def test_handing_back_gives_it_to_the_agent(
        self, acme: Party, bats: uuid.UUID, desk: Client, work_is_done: Callable[[], object]
    ) -> None:
        hand_over(desk, bats)
        desk.post(address(bats, "in-charge"), {"in_charge": "agent"})
        work_is_done()
        with acme.tenant():
            assert Message.objects.filter(author="agent").exists()

    def test_labels_are_put_and_taken_off(
        self, acme: Party, bats: uuid.UUID, desk: Client, saraa: Acting
    ) -> None:
        with acme.tenant():
            red, blue = (labelling.make(name, Colour.RED, by=saraa).pk for name in ("Нэг", "Хоёр"))
        desk.post(address(bats, "labels"), {"label": [str(red), str(blue)]})
        desk.post(address(bats, "labels"), {"label": [str(blue)]})
        with acme.tenant():
            assert [label.pk for label in labelling.of([bats])[bats]] == [blue]
        assert desk.post(address(bats, "labels"), {"label": [str(uuid.uuid4())]}).status_code == 422


class TestWhoMayWhat:
    def test_a_support_agent_takes_what_is_nobodys_and_gives_back_what_is_theirs(
        self, acme: Party, bats: uuid.UUID, tuya: Acting, saraa: Acting, desk: Client
    ) -> None:
        mine, hers = str(tuya.membership_id), str(saraa.membership_id)
        assert desk.post(address(bats, "assignee"), {"assignee": hers}).status_code == 403
        assert desk.post(address(bats, "assignee"), {"assignee": mine}).status_code == 303
        assert desk.post(address(bats, "assignee"), {"assignee": hers}).status_code == 403
        assert desk.post(address(bats, "assignee"), {"assignee": ""}).status_code == 303

    def test_a_support_agent_takes_nothing_from_a_colleague(
        self, acme: Party, bats: uuid.UUID, tuya: Acting, saraa: Acting, desk: Client, at_desk: AtDesk
    ) -> None:
        boss = at_desk(saraa)
        boss.post(address(bats, "assignee"), {"assignee": str(saraa.membership_id)})
        for wanted in (str(tuya.membership_id), ""):
            assert desk.post(address(bats, "assignee"), {"assignee": wanted}).status_code == 403
        boss.post(address(bats, "assignee"), {"assignee": str(tuya.membership_id)})
        with acme.tenant():
            assert Conversation.objects.get().assignee_id == tuya.membership_id

    def test_nobody_is_assigned_who_cannot_answer(
        self, acme: Party, bats: uuid.UUID, saraa: Acting, nomin: Acting, dorj: Acting, at_desk: AtDesk
    ) -> None:
        for wanted in (nomin.membership_id, dorj.membership_id, uuid.uuid4()):
            answer = at_desk(saraa).post(address(bats, "assignee"), {"assignee": str(wanted)})
            assert answer.status_code == 422

    def test_an_auditor_reads_masked_and_changes_nothing(
        self, acme: Party, bats: uuid.UUID, nomin: Acting, at_desk: AtDesk
    ) -> None:
        shown = text_of(at_desk(nomin).get(address(bats)))
        assert "•••• 2233" in shown
        assert "<textarea" not in shown
        assert 'name="reason"' not in shown
        assert "/resolution/" not in shown

    @pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN, Role.SUPERVISOR, Role.SUPPORT_AGENT,
                                      Role.PRIVACY_OFFICER, Role.AUDITOR])  # fmt: skip
    def test_every_role_sees_the_name_in_full_and_the_handles_masked(
        self, acme: Party, hire: Hire, at_desk: AtDesk, role: Role
    ) -> None:
        person = {
            "name": "Бат",
            "phone": "99112233",
            "email": "bat@example.com",
            "customer_number": "AB123456",
        }
        conversation_id = acme.says("Сайн уу", **person).body["conversation_id"]
        shown = text_of(at_desk(hire(acme, "Saraa", role)).get(f"/inbox/{conversation_id}/"))
        assert "Бат" in shown
        for masked in ("•••• 2233", "b••••@example.com", "•••• 3456"):
            assert masked in shown
        for plain in ("99112233", "bat@example.com", "AB123456"):
            assert plain not in shown


class TestRevealing:
    def handle(self, acme: Party) -> str:
        with acme.tenant():
            return str(_identities()[0].pk)

    @pytest.mark.parametrize("headers", [{}, HTMX])
    def test_shows_one_handle_once_and_says_so_in_the_trail(
        self, acme: Party, bats: uuid.UUID, tuya: Acting, desk: Client, headers: dict[str, str]
    ) -> None:
        handle = self.handle(acme)
        answer = desk.post(address(bats, "handles", handle), {"reason": "call_back"}, headers=headers)
        assert answer.status_code == 200
        assert "+97699112233" in text_of(answer)
        assert answer["Cache-Control"] == "no-store"
        assert "+97699112233" not in text_of(desk.get(address(bats)))
        (event,) = [one for one in _trail(acme) if one["event"] == "end_user.handle_revealed"]
        with acme.tenant():
            whose = str(Conversation.objects.get().end_user_id)
        assert event["ids"] == {"end_user": whose, "handle": handle, "kind": "phone", "reason": "call_back"}
        assert event["actor"] == f"member:{tuya.membership_id}"

    @pytest.mark.parametrize("reason", ["", "because", "Bat asked me to"])
    def test_shows_nothing_without_a_reason_of_the_list(
        self, acme: Party, bats: uuid.UUID, desk: Client, reason: str
    ) -> None:
        answer = desk.post(address(bats, "handles", self.handle(acme)), {"reason": reason})
        assert answer.status_code == 422
        assert "99112233" not in text_of(answer)
        assert "end_user.handle_revealed" not in [one["event"] for one in _trail(acme)]

    def test_is_not_for_who_may_not(
        self, acme: Party, bats: uuid.UUID, nomin: Acting, at_desk: AtDesk
    ) -> None:
        answer = at_desk(nomin).post(address(bats, "handles", self.handle(acme)), {"reason": "call_back"})
        assert answer.status_code == 403

    def test_finds_no_handle_of_somebody_else(self, acme: Party, bats: uuid.UUID, desk: Client) -> None:
        other = acme.says("Сайн уу", phone="88112233").body["conversation_id"]
        answer = desk.post(f"/inbox/{other}/handles/{self.handle(acme)}/", {"reason": "call_back"})
        assert answer.status_code == 404


class TestLabels:
    def test_are_made_changed_and_removed_by_who_may(
        self, acme: Party, bats: uuid.UUID, saraa: Acting, at_desk: AtDesk
    ) -> None:
        boss = at_desk(saraa)
        assert boss.post("/inbox/labels/", {"name": "Гомдол", "colour": "red"}).status_code == 303
        with acme.tenant():
            label = Label.objects.get()
        boss.post(address(bats, "labels"), {"label": [str(label.pk)]})
        boss.post(f"/inbox/labels/{label.pk}/", {"name": "Санал", "colour": "blue"})
        assert "Санал" in text_of(boss.get(address(bats)))
        assert boss.post(f"/inbox/labels/{label.pk}/", {"remove": "1"}).status_code == 303
        assert "Санал" not in text_of(boss.get(address(bats)))

    @pytest.mark.parametrize("name", ["Гомдол", "гомдол", "  ГОМДОЛ "])
    def test_have_names_of_their_own(self, acme: Party, saraa: Acting, at_desk: AtDesk, name: str) -> None:
        boss = at_desk(saraa)
        boss.post("/inbox/labels/", {"name": "Гомдол", "colour": "red"})
        answer = boss.post("/inbox/labels/", {"name": name, "colour": "blue"})
        assert answer.status_code == 422
        assert 'class="error"' in text_of(answer)

    def test_are_not_for_support_agents_to_make(self, desk: Client) -> None:
        assert desk.get("/inbox/labels/").status_code == 200
        assert desk.post("/inbox/labels/", {"name": "Гомдол", "colour": "red"}).status_code == 403

    def test_are_as_many_as_one_can_choose_from(self, acme: Party, saraa: Acting) -> None:
        with acme.tenant():
            for number in range(labelling.MOST):
                labelling.make(str(number), Colour.GREY, by=saraa)
            with pytest.raises(labelling.TooManyLabels):
                labelling.make("нэмэлт", Colour.GREY, by=saraa)


def test_a_draft_and_a_note_of_globex_stay_with_globex(
    acme: Party, globex: Party, bats: uuid.UUID, tuya: Acting, dorj: Acting
) -> None:
    with acme.tenant():
        writing.note(held(bats), "Дотоод", by=tuya)
        drafts.keep(held(bats), tuya.membership_id, "Ноорог", is_note=False)
    with globex.tenant():
        assert not Note.objects.exists()
        assert not Draft.objects.exists()
        assert not Conversation.objects.filter(pk=bats).exists()


def _members() -> list[Any]:
    return list(Member.objects.all())


def _identities() -> list[Any]:
    return list(EndUserIdentity.objects.all())


def _trail(party: Party) -> list[dict[str, Any]]:
    found = party.call("GET", "audit-events/").body["results"]
    return [event | {"ids": json.loads(event["ids"])} for event in found]


def _hidden(page: str, name: str) -> list[str]:
    return re.findall(rf'<input type="hidden" name="{name}" value="([^"]+)">', page)
