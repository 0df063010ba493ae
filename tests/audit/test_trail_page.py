"""The trail as its readers see it: filtered by index, in words, with names, and exported with a trace."""

import ast
import csv
import io
import re
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.http import QueryDict
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts import api_keys, household, people, trail, trail_words
from accounts.models import ApiKey, Method
from accounts.people import Acting, Profile
from accounts.role_words import AREAS, PERMISSION_NAMES, ROLE_MEANINGS, ROLE_NAMES
from accounts.roles import NotPermitted, Permission, Role, StepUpNeeded
from accounts.scope_words import GROUPS, SCOPES
from accounts.scopes import Scope
from accounts.trail import Wanted
from accounts.trail_words import Group
from accounts.views import audit_trail
from agent import drafting
from channels_cfg.models import ChannelKind
from conversations.models import Resolution
from iva.audit import log as audit
from iva.audit import verification
from iva.audit.actors import SYSTEM, Actor, ActorKind
from iva.audit.events import Event
from iva.audit.models import AuditEvent
from iva.local.folder import CHECKOUT
from privacy.grounds import Ground
from privacy.handles import HandleKind
from tests.cast import Party
from tests.conftest import AtDesk, Hire

APPS = ["accounts", "agent", "billing", "channels_cfg", "conversations", "iva", "privacy", "retention"]
READING = Wanted(group=Group.READING)


def read(party: Party, by: Acting, end_user: uuid.UUID) -> None:
    with party.tenant():
        audit.record(Event.END_USER_READ, actor=by.actor, end_user=end_user)


def lines(party: Party, by: Acting, wanted: Wanted = Wanted(), **page: Any) -> list[trail.Line]:  # noqa: B008
    with party.tenant("legal.requirement"):
        return trail.page(wanted, by=by, **page)


class TestTheWords:
    def test_name_every_event_role_permission_and_scope(self) -> None:
        assert set(trail_words.EVENT_NAMES) == set(Event)
        assert set(trail_words.ACTOR_NAMES) == set(ActorKind)
        assert set(ROLE_NAMES) == set(ROLE_MEANINGS) == set(Role)
        assert set(PERMISSION_NAMES) == set(Permission)
        assert set(AREAS) == {permission.value.split(".")[0] for permission in Permission}
        assert set(SCOPES) == {scope for _, scopes in GROUPS for scope in scopes} == set(Scope)

    def test_name_every_detail_that_is_recorded(self) -> None:
        assert recorded() - set(trail_words.DETAIL_NAMES) == set()

    def test_say_every_code_that_is_recorded(self) -> None:
        codes = {
            code for choices in (Ground, Resolution, HandleKind, ChannelKind, Method) for code in choices
        }
        codes |= set(drafting.Kind)
        assert {str(code) for code in codes} - set(trail_words.VALUE_NAMES) == set()

    def test_put_every_event_into_a_group(self) -> None:
        grouped = {event for group in Group for event in trail_words.events_of(group)}
        assert set(Event) - grouped == set()


def recorded() -> set[str]:
    """The names of all ids that any of our modules gives to the trail."""
    found: set[str] = set()
    for path in (path for app in APPS for path in (CHECKOUT / app).rglob("*.py")):
        calls = [node for node in ast.walk(ast.parse(Path(path).read_text())) if isinstance(node, ast.Call)]
        found |= {
            word.arg
            for call in calls
            if ast.unparse(call.func) in ("audit.record", "audit.appending")
            for word in call.keywords
            if word.arg and word.arg != "actor"
        }
    assert len(found) > 20
    return found


class TestFiltering:
    def test_the_newest_come_first_and_pages_do_not_overlap(self, acme: Party, saraa: Acting) -> None:
        for _ in range(7):
            read(acme, saraa, uuid.uuid4())
        everything = lines(acme, saraa, limit=100)
        assert [line.sequence for line in everything] == sorted(
            (line.sequence for line in everything), reverse=True
        )
        paged, last = [], None
        while page := lines(acme, saraa, before=last, limit=3):
            paged += page
            last = page[-1].id
        assert paged == everything

    def test_by_end_user_finds_who_read_them(self, acme: Party, saraa: Acting, hire: Hire) -> None:
        bat, ours = hire(acme, "Bat", Role.PRIVACY_OFFICER), uuid.uuid4()
        read(acme, saraa, ours)
        read(acme, bat, ours)
        read(acme, bat, uuid.uuid4())
        found = lines(acme, saraa, Wanted(end_user=ours, group=Group.READING))
        assert [line.actor for line in found] == ["Bat", "Saraa"]
        assert {detail.end_user for line in found for detail in line.details} == {ours}

    def test_by_member_finds_what_they_did_before_they_had_entered_too(
        self, acme: Party, saraa: Acting, at_desk: AtDesk
    ) -> None:
        at_desk(saraa)
        read(acme, saraa, uuid.uuid4())
        codes = {line.code for line in lines(acme, saraa, Wanted(member=saraa.membership_id))}
        assert codes == {"end_user.read"}
        with acme.tenant():
            audit.record(
                Event.DOCUMENT_ACCEPTED, actor=household.oneself(saraa.user_id), document=uuid.uuid4()
            )
        codes = {line.code for line in lines(acme, saraa, Wanted(member=saraa.membership_id))}
        assert codes == {"end_user.read", "document.accepted"}
        assert lines(acme, saraa, Wanted(member=uuid.uuid4())) == []

    def test_by_period(self, acme: Party, saraa: Acting) -> None:
        read(acme, saraa, uuid.uuid4())
        now = timezone.now()
        assert lines(acme, saraa, READING._replace(since=now - timedelta(hours=1)))
        assert not lines(acme, saraa, READING._replace(since=now + timedelta(minutes=1)))
        assert not lines(acme, saraa, READING._replace(until=now - timedelta(hours=1)))

    def test_shows_nothing_of_another_organization(
        self, acme: Party, globex: Party, saraa: Acting, dorj: Acting
    ) -> None:
        end_user = uuid.uuid4()
        read(acme, saraa, end_user)
        assert lines(globex, dorj, Wanted(end_user=end_user)) == []
        assert lines(globex, dorj, Wanted(member=saraa.membership_id)) == []

    def test_is_for_those_who_may(self, acme: Party, hire: Hire) -> None:
        with pytest.raises(NotPermitted):
            lines(acme, hire(acme, "Bat", Role.SUPPORT_AGENT))

    def test_costs_the_same_queries_however_many_people_acted(
        self, acme: Party, saraa: Acting, hire: Hire, django_assert_max_num_queries: Any
    ) -> None:
        for number in range(10):
            read(acme, hire(acme, f"Bat{number}", Role.AUDITOR), uuid.uuid4())
        with django_assert_max_num_queries(12):
            assert len({line.actor for line in lines(acme, saraa, READING)}) == 10

    @pytest.mark.parametrize(
        ("wanted", "index"),
        [
            (Wanted(end_user=uuid.uuid4()), "audit_event_by_end_user"),
            (Wanted(group=Group.API_KEYS), "audit_event_by_event"),
            (Wanted(member=uuid.uuid4()), "audit_event_by_actor"),
            (Wanted(since=timezone.now()), "iva_audit_auditevent_pkey"),
        ],
        ids=["end user", "group", "member", "period"],
    )
    def test_finds_its_index_behind_the_wall(
        self, acme: Party, superuser: psycopg.Connection, wanted: Wanted, index: str
    ) -> None:
        """Among twenty thousand messages, as an organization has them."""
        superuser.execute(MANY_MESSAGES, [acme.id])
        superuser.execute("ANALYZE iva_audit_auditevent")
        with acme.tenant():
            plan = trail._filtered(wanted).order_by("-id")[:50].explain()
        assert index in plan


MANY_MESSAGES = """
INSERT INTO iva_audit_auditevent (organization_id, sequence, digest, id, event, actor, occurred_at, ids)
SELECT %s, 1000 + n, '\\x00', gen_random_uuid(), 'messages.received', 'agent', now(), '{}'
FROM generate_series(1, 20000) n
"""


def test_columns_of_the_filters_are_what_was_hashed(acme: Party, saraa: Acting) -> None:
    end_user = uuid.uuid4()
    read(acme, saraa, end_user)
    acme.says("Сайн уу")
    with acme.tenant():
        event = AuditEvent.objects.get(event="end_user.read")
        assert (event.actor_id, event.end_user_id) == (saraa.membership_id, end_user)
        received = AuditEvent.objects.get(event="messages.received")
        assert (received.actor_id, received.end_user_id) == (None, None)
    assert verification.verify(acme.id).is_whole


class TestNames:
    """By what an id is said to be: a key that had a member's id would not go by the member's name."""

    def said(self, party: Party, by: Acting, **ids: uuid.UUID) -> list[str]:
        with party.tenant():
            audit.record(Event.API_KEY_REVOKED, actor=by.actor, **ids)
        return [detail.said for detail in lines(party, by)[0].details]

    def test_of_people_stand_where_people_are_meant(self, acme: Party, saraa: Acting) -> None:
        id, short = saraa.membership_id, f"…{str(saraa.membership_id)[-trail.SHORT :]}"
        assert self.said(acme, saraa, member=id) == ["Saraa"]
        assert self.said(acme, saraa, assignee=id) == ["Saraa"]
        assert self.said(acme, saraa, api_key=id, replacement=id, channel=id) == [short] * 3

    def test_of_keys_stand_where_keys_are_meant(self, acme: Party, saraa: Acting) -> None:
        id, short = acme.key.pk, f"…{str(acme.key.pk)[-trail.SHORT :]}"
        assert self.said(acme, saraa, api_key=id, replacement=id) == ["everything"] * 2
        assert self.said(acme, saraa, member=id, channel=id) == [short] * 2

    def test_of_who_acted_go_by_their_kind(self, acme: Party, saraa: Acting) -> None:
        for kind, id in ((ActorKind.API_KEY, saraa.membership_id), (ActorKind.MEMBER, acme.key.pk)):
            with acme.tenant():
                audit.record(Event.END_USER_READ, actor=Actor(kind, id), end_user=uuid.uuid4())
            actor = lines(acme, saraa)[0].actor
            assert "Saraa" not in actor
            assert "everything" not in actor


class TestThePage:
    def test_names_people_and_things_in_words(self, acme: Party, saraa: Acting, at_desk: AtDesk) -> None:
        read(acme, saraa, uuid.uuid4())
        shown = at_desk(saraa).get("/audit/").content.decode()
        assert "Saraa" in shown
        assert not re.search(r">\s*[a-z_]+\.[a-z_]+\s*<", shown)

    @pytest.mark.parametrize(
        "query",
        [
            *(
                "group=nothing",
                "since=yesterday",
                "since=2026-02-01&until=2026-01-01",
                "end_user=1",
                "member=x",
            ),
            *(
                "until=9999-12-31",
                "since=0001-01-01",
                "since=9999-12-31",
                "until=0001-01-01",
                "until=2100-01-01",
            ),
        ],
    )
    def test_says_what_is_wrong_with_a_filter(
        self, acme: Party, saraa: Acting, at_desk: AtDesk, query: str
    ) -> None:
        browser = at_desk(saraa)
        assert browser.get(f"/audit/?{query}").status_code == 422
        assert browser.post("/audit/export/", QueryDict(query).dict()).status_code == 422

    @pytest.mark.parametrize("query", ["since=2000-01-01", "until=2099-12-31"])
    def test_takes_any_day_that_can_be(self, acme: Party, saraa: Acting, at_desk: AtDesk, query: str) -> None:
        assert at_desk(saraa).get(f"/audit/?{query}").status_code == 200

    def test_does_not_name_another_organizations_people(
        self, acme: Party, saraa: Acting, dorj: Acting, at_desk: AtDesk
    ) -> None:
        answer = at_desk(saraa).get(f"/audit/?member={dorj.membership_id}")
        assert answer.status_code == 422
        assert "Dorj" not in answer.content.decode()


class TestTheExport:
    def test_holds_what_was_filtered_and_leaves_a_trace(
        self, acme: Party, saraa: Acting, at_desk: AtDesk
    ) -> None:
        end_user = uuid.uuid4()
        read(acme, saraa, end_user)
        answer = at_desk(saraa).post("/audit/export/", {"end_user": str(end_user)})
        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        named = r'attachment; filename="audit-acme-\d{4}-\d\d-\d\d\.csv"'
        assert re.fullmatch(named, answer["Content-Disposition"])
        rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert [(row[3], row[4]) for row in rows[1:]] == [("end_user.read", "Saraa")]
        assert str(end_user) in rows[1][5]
        (exported,) = [line for line in lines(acme, saraa) if line.code == "audit.exported"]
        assert exported.actor == "Saraa"

    def test_needs_a_fresh_factor(self, acme: Party, hire: Hire) -> None:
        auditor = hire(acme, "Bat", Role.AUDITOR)
        stale = Acting(auditor.membership_id, auditor.user_id, acme.id, Role.AUDITOR)
        with pytest.raises(StepUpNeeded), acme.tenant("legal.requirement"):
            trail.export(Wanted(), by=stale)

    def test_carries_no_formula_into_a_spreadsheet(self, acme: Party, saraa: Acting, at_desk: AtDesk) -> None:
        user_id = people.meet("bat@example.com", "correct horse battery staple")
        with acme.tenant("account.manage"):
            profile = Profile("=HYPERLINK(1)", "bat@example.com")
            people.join(user_id, Role.AUDITOR, profile, actor=saraa.actor)
        read(acme, people.enter(user_id, acme.id), uuid.uuid4())
        content = at_desk(saraa).post("/audit/export/", {"group": "reading"}).content.decode("utf-8-sig")
        assert "'=HYPERLINK(1)" in content
        assert ",=HYPERLINK(1)" not in content

    @pytest.mark.parametrize("cut", [r"[\r\n]", r'[\r\n]|","', r"[\r\n;]", r"[\r\n\t]"])
    def test_nor_where_a_spreadsheet_that_cuts_elsewhere_begins_a_cell(
        self, acme: Party, saraa: Acting, at_desk: AtDesk, cut: str
    ) -> None:
        """Of an organization whose keys were named before names were one line."""
        with acme.tenant():
            key, _ = api_keys.issue("harmless", [Scope.AUDIT_READ], actor=SYSTEM)
            name = "x;=cmd|' /C calc'!A0\n@SUM(1);\t+1\r-1; ＝1;\"=2\""
            ApiKey.objects.filter(pk=key.pk).update(name=name)
        content = at_desk(saraa).post("/audit/export/", {}).content.decode("utf-8-sig")
        assert "cmd|" in content
        for cell in re.split(cut, content):
            assert not cell.lstrip(' "\t').startswith(tuple("=+-@＝"))

    @given(st.text("=+-@;\t\r\n \"',x"))
    def test_nor_anything_anybody_could_think_of(self, name: str) -> None:
        for piece in re.split(r"[;\t\r\n]", audit_trail._harmless(name)):
            assert not piece.lstrip(' "').startswith(tuple("=+-@"))

    @pytest.mark.parametrize(
        "name", ["Bat-Erdene", "a=b", "Acme, Inc.; of 1990", "x@example.com", "2026-01-01"]
    )
    def test_what_is_no_formula_stays_as_it_is(self, name: str) -> None:
        assert audit_trail._harmless(name) == name

    def test_every_cell_is_quoted(self, acme: Party, saraa: Acting, at_desk: AtDesk) -> None:
        read(acme, saraa, uuid.uuid4())
        content = at_desk(saraa).post("/audit/export/", {"group": "reading"}).content.decode("utf-8-sig")
        assert all(re.fullmatch(r'("[^"]*",){5}"[^"]*"', line) for line in content.splitlines())
