"""What pages hear of by asking, and that no verb forgets to say what it has changed."""

import ast
import json
import uuid
from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import timezone

from accounts import agreements, household
from accounts.models import Acceptance, SignIn
from accounts.people import Acting
from conversations import live, resolving
from conversations.models import Conversation, Resolution
from iva.audit import log as audit
from iva.audit.actors import SYSTEM
from iva.audit.events import Event
from iva.live import announcing
from iva.local.folder import CHECKOUT
from tests.agreements import documents
from tests.cast import Party
from tests.conftest import AtDesk

ADDRESS = "/live/changes/"
JSON = {"Accept": "application/json"}
FORGED = {"HX-Polling": "1"}
"""No request is believed that says of itself that nobody sent it."""


def asked(browser: Client, since: object = "") -> live.Changes:
    answer = browser.get(ADDRESS, {"since": since} if since != "" else {}, headers=JSON)
    assert answer.status_code == 200, answer.content
    body = answer.json()
    return live.Changes(body["since"], [uuid.UUID(id_) for id_ in body["conversations"]], body["everything"])


def conversation_of(party: Party, phone: str = "99112233") -> uuid.UUID:
    return uuid.UUID(party.says("Сайн байна уу?", phone=phone).body["conversation_id"])


class TestAsking:
    def test_tells_what_changed_after_the_last_answer(
        self, acme: Party, globex: Party, saraa: Acting, at_desk: AtDesk
    ) -> None:
        browser = at_desk(saraa)
        conversation = conversation_of(acme)
        first = asked(browser)
        assert first.everything, "whoever knows nothing looks at everything"
        assert asked(browser, first.since) == live.Changes(first.since, [], False)
        conversation_of(globex)
        conversation_of(acme)
        second = asked(browser, first.since)
        assert (second.conversations, second.everything) == ([conversation], False)
        with acme.tenant():
            resolving.resolve(Conversation.objects.get(), Resolution.ANSWERED, actor=SYSTEM)
        third = asked(browser, second.since)
        assert third.conversations == [conversation]
        assert asked(browser, third.since).conversations == []

    def test_a_batch_is_told_of_too(self, acme: Party, saraa: Acting, at_desk: AtDesk) -> None:
        browser = at_desk(saraa)
        since = asked(browser).since
        messages = [
            {"external_id": f"b{number}", "sender": {"phone": f"9911223{number}"}, "text": "Сайн уу"}
            for number in range(5)
        ]
        acme.call("POST", "messages/batch/", {"messages": messages})
        with acme.tenant():
            conversations = set(Conversation.objects.values_list("id", flat=True))
        assert (len(conversations), set(asked(browser, since).conversations)) == (5, conversations)

    def test_looking_changes_nothing(self, acme: Party, saraa: Acting, at_desk: AtDesk) -> None:
        browser = at_desk(saraa)
        conversation = conversation_of(acme)
        since = asked(browser).since
        with acme.tenant():
            audit.record(Event.CONVERSATION_READ, conversation=conversation)
        assert asked(browser, since) == live.Changes(since + 1, [], False)

    def test_too_much_is_everything(
        self, acme: Party, saraa: Acting, at_desk: AtDesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        browser = at_desk(saraa)
        since = asked(browser).since
        monkeypatch.setattr(live, "MOST_ASKED", 3)
        for number in range(4):
            conversation_of(acme, f"9911223{number}")
        found = asked(browser, since)
        assert (found.conversations, found.everything) == ([], True)
        assert asked(browser, found.since) == live.Changes(found.since, [], False)

    def test_rubbish_is_refused_and_a_number_from_the_future_is_everything(
        self, acme: Party, saraa: Acting, at_desk: AtDesk
    ) -> None:
        browser = at_desk(saraa)
        for since in ("x", "-1", "1.5", "٣", "9" * 30, "1 ", "0x1"):
            assert browser.get(ADDRESS, {"since": since}, headers=JSON).status_code == 400, since
        assert asked(browser, 10**9).everything

    def test_asking_is_no_use_of_anything(self, acme: Party, saraa: Acting, at_desk: AtDesk) -> None:
        """A page left open accepts nothing in anybody's name (P96)."""
        at_desk(saraa)
        changed = documents.published("1.1.0", documents.SIGNIFICANT)
        documents.told(acme, changed, saraa.user_id)
        with documents.later(days=40):
            agreements.take_effect(lambda document: True)
            browser = at_desk(saraa, accepted=False)
            with household.at_home():
                SignIn.objects.update(began_at=timezone.now(), last_seen_at=timezone.now())
            before = accepted(acme)
            assert browser.get(ADDRESS, headers=JSON).status_code == 200
            assert browser.get("/inbox/news/").status_code == 200
            assert accepted(acme) == before
            assert browser.get("/overview/", headers=FORGED).status_code == 200
            assert accepted(acme) == before + 2


def accepted(party: Party) -> int:
    with party.tenant():
        return Acceptance.objects.count()


class TestAnnouncing:
    def test_what_was_rolled_back_is_not_announced(
        self, acme: Party, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        said: list[object] = []
        monkeypatch.setattr(announcing, "changed", lambda *told: said.append(told))
        conversation = uuid.uuid4()
        with pytest.raises(ZeroDivisionError), acme.tenant():
            live.announce(conversation)
            raise ZeroDivisionError
        with acme.tenant():
            live.announce(conversation)
            assert said == []
        assert said == [(acme.id, {conversation: None})]

    def test_a_batch_is_announced_once(self, acme: Party, monkeypatch: pytest.MonkeyPatch) -> None:
        said: list[object] = []
        monkeypatch.setattr(announcing, "changed", lambda *told: said.append(told))
        messages = [
            {"external_id": f"b{number}", "sender": {"phone": f"9911223{number}"}, "text": "Сайн уу"}
            for number in range(5)
        ]
        acme.call("POST", "messages/batch/", {"messages": messages})
        acme.call("POST", "messages/batch/", {"messages": messages})
        assert len(said) == 1, "and what was delivered again is no change"

    def test_waiting_announcements_are_bounded(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(announcing, "_announcer", type("Later", (), {"want": lambda self: None})())
        announcing._taken()
        for number in range(announcing.MOST_NAMED + 1):
            announcing.changed(uuid.UUID(int=7), {uuid.UUID(int=number): None})
        announcing.changed(uuid.UUID(int=7), {uuid.UUID(int=1): None})
        ((channel, text),) = announcing._taken()
        assert channel == announcing.CHANGES + str(uuid.UUID(int=7))
        assert json.loads(text) == {"organization": str(uuid.UUID(int=7)), "changed": None}
        for number in range(announcing.MOST_WAITING + 50):
            announcing.changed(uuid.UUID(int=number), {uuid.UUID(int=number): None})
            announcing.access_changed(uuid.UUID(int=number))
        assert len(announcing._taken()) == announcing.MOST_WAITING + 1
        assert announcing._taken() == []


QUIET = {Event.CONVERSATION_READ}
"""Whoever only looks changes nothing. A message is announced by the rooms that keep it."""


def test_every_verb_that_changes_a_conversation_announces_it() -> None:
    changing = {
        f"Event.{event.name}" for event in Event if event.value.startswith(("conversation.", "note."))
    }
    changing -= {f"Event.{event.name}" for event in QUIET}
    recording = [(name, calls) for name, events, calls in verbs() if events & changing]
    assert len(recording) >= 5
    assert [name for name, calls in recording if "live.announce" not in calls] == []


def verbs() -> Iterator[tuple[str, set[str], set[str]]]:
    """Every function of the conversations' rooms, the events it names, and what of `live` it calls."""
    for path in sorted((CHECKOUT / "conversations").glob("**/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                names = [ast.unparse(each) for each in ast.walk(node) if isinstance(each, ast.Attribute)]
                named = {
                    start: {n for n in names if n.startswith(f"{start}.")} for start in ("Event", "live")
                }
                yield f"{path.name}:{node.name}", named["Event"], named["live"]
