"""Usage records: what is declared and nothing else, shortened after thirty days, gone after 180 (P28)."""

import uuid
from typing import Any

import psycopg
import pytest
from django.test import Client

from accounts import devices, forgetting, household, sign_ins, tasks, usage
from accounts.models import Acceptance, CookieChoice, SignIn, UsageRecord
from accounts.people import Acting
from accounts.roles import Role
from iva.audit.models import AuditEvent
from iva.celery import app
from iva.crypto.models import DataKey
from iva.personal_data import Purpose
from tests.agreements.documents import later
from tests.cast import Party
from tests.conftest import AtDesk, Hire
from tests.faults.together import together

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
FROM = {"REMOTE_ADDR": "198.51.100.23", "HTTP_USER_AGENT": BROWSER}


def records(organization_id: uuid.UUID) -> list[tuple[Any, ...]]:
    """(whose, page, address, browser) in the order they were written."""
    with forgetting.tenancy.tenant(organization_id, Purpose.SECURITY_PLATFORM):
        rows = UsageRecord.objects.order_by("id")
        return [(row.subject_id, row.route, row.ip_address, row.browser) for row in rows]  # type: ignore[attr-defined]


def noted(party: Party, acting: Acting, count: int, ip_address: str = "198.51.100.23") -> None:
    with party.tenant():
        for _ in range(count):
            usage.note(acting.membership_id, "home", ip_address=ip_address, browser=BROWSER)


def opened(party: Party) -> set[str]:
    return {address for _, _, address, _ in records(party.id)}


class TestAPage:
    def test_is_noted_with_its_name_address_and_kind_of_browser(
        self, acme: Party, saraa: Acting, at_desk: AtDesk
    ) -> None:
        at_desk(saraa).get("/overview/?q=Сараагийн+нууц", **FROM)
        assert records(acme.id) == [(saraa.membership_id, "home", "198.51.100.23", "Firefox · Linux")]
        assert records(household.HOUSEHOLD) == []

    def test_of_ones_own_is_noted_in_the_household(self, acme: Party, saraa: Acting, at_desk: AtDesk) -> None:
        at_desk(saraa).get("/me/", **FROM)
        assert records(acme.id) == []
        assert records(household.HOUSEHOLD) == [
            (saraa.user_id, "profile", "198.51.100.23", "Firefox · Linux")
        ]

    def test_that_asks_by_itself_is_nobodys_activity(
        self, acme: Party, saraa: Acting, at_desk: AtDesk
    ) -> None:
        browser = at_desk(saraa)
        for page in ("/live/changes/", "/inbox/news/"):
            assert browser.get(page, **FROM).status_code == 200
        assert records(acme.id) + records(household.HOUSEHOLD) == []

    def test_is_not_hidden_by_who_says_that_it_asks_by_itself(
        self, acme: Party, saraa: Acting, at_desk: AtDesk
    ) -> None:
        browser = at_desk(saraa)
        for page in ("/overview/", "/inbox/"):
            for value in ("1", "true"):
                browser.get(page, headers={"HX-Polling": value}, **FROM)
        browser.get("/me/", headers={"HX-Polling": "1"}, **FROM)
        browser.post("/settings/organization/", {"name": "Acme"}, headers={"HX-Polling": "1"}, **FROM)
        assert sorted(route for _, route, _, _ in records(acme.id)) == (
            ["home", "home", "inbox", "inbox", "settings-organization"]
        )
        assert [route for _, route, _, _ in records(household.HOUSEHOLD)] == ["profile"]

    def test_that_nobody_or_somebody_without_permission_asks_for_leaves_nothing(
        self, acme: Party, saraa: Acting, at_desk: AtDesk
    ) -> None:
        Client().get("/overview/", **FROM)
        at_desk(saraa, proved=False).get("/overview/", **FROM)
        assert records(acme.id) == []

    def test_is_ciphertext_in_the_table(
        self, acme: Party, saraa: Acting, superuser: psycopg.Connection
    ) -> None:
        noted(acme, saraa, 1)
        ((row,),) = superuser.execute("SELECT usage::text FROM accounts_usagerecord usage").fetchall()
        assert "198.51" not in row
        assert b"198.51.100.23".hex() not in row
        assert b"Firefox".hex() not in row

    def test_has_no_column_for_an_address_of_a_page(self) -> None:
        assert {column.name for column in UsageRecord._meta.local_fields} == {
            "id",
            "organization_id",
            "subject_id",
            "route",
            "occurred_at",
            "ip_address",
            "browser",
            "shortened_at",
        }


class TestGrowingOld:
    def test_addresses_become_networks_after_thirty_days(self, acme: Party, saraa: Acting) -> None:
        noted(acme, saraa, 3)
        noted(acme, saraa, 1, "2001:db8:1:2::/64")
        with later(days=29, hours=23):
            assert forgetting.forget_usage(acme.id) == 0
        with later(days=30, minutes=1):
            assert forgetting.forget_usage(acme.id) == 4
            assert forgetting.forget_usage(acme.id) == 0
        assert opened(acme) == {"198.51.100.0/24", "2001:db8:1::/48"}
        assert {browser for *_, browser in records(acme.id)} == {"Firefox · Linux"}

    def test_everything_goes_after_180_days(self, acme: Party, saraa: Acting) -> None:
        noted(acme, saraa, 3)
        with later(days=179):
            forgetting.forget_usage(acme.id)
        assert len(records(acme.id)) == 3
        with later(days=180, minutes=1):
            assert forgetting.forget_usage(acme.id) == 3
        assert records(acme.id) == []
        with acme.tenant():
            events = AuditEvent.objects.filter(event__startswith="usage.").order_by("sequence")
            assert [(event.event, event.ids) for event in events] == [
                ("usage.shortened", '{"count":3}'),
                ("usage.disposed", '{"count":3}'),
            ]

    def test_what_is_young_stays_as_it_is(self, acme: Party, saraa: Acting) -> None:
        noted(acme, saraa, 2)
        with later(days=31):
            noted(acme, saraa, 1, "192.0.2.7")
            assert forgetting.forget_usage(acme.id) == 2
        assert opened(acme) == {"198.51.100.0/24", "192.0.2.7"}

    def test_another_organization_is_not_touched(
        self, acme: Party, globex: Party, saraa: Acting, dorj: Acting
    ) -> None:
        noted(acme, saraa, 1)
        noted(globex, dorj, 1)
        with later(days=31):
            forgetting.forget_usage(acme.id)
        assert opened(globex) == {"198.51.100.23"}

    def test_killed_in_between_it_goes_on_where_it_was(
        self, acme: Party, saraa: Acting, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Seven rows in batches of three; the worker dies inside the second batch."""
        monkeypatch.setattr(forgetting, "BATCH", 3)
        noted(acme, saraa, 7)
        shorten, calls = devices.shorten, iter(range(100))

        def dying(address: str) -> str:
            if next(calls) == 4:
                raise KeyboardInterrupt
            return shorten(address)

        with later(days=31):
            monkeypatch.setattr(devices, "shorten", dying)
            with pytest.raises(KeyboardInterrupt):
                forgetting.forget_usage(acme.id)
            assert [address for _, _, address, _ in records(acme.id)].count("198.51.100.0/24") == 3
            monkeypatch.setattr(devices, "shorten", shorten)
            assert forgetting.forget_usage(acme.id) == 4
        assert [address for _, _, address, _ in records(acme.id)] == ["198.51.100.0/24"] * 7

    def test_two_workers_do_not_wait_for_each_other_and_do_nothing_twice(
        self, acme: Party, saraa: Acting, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(forgetting, "BATCH", 2)
        noted(acme, saraa, 10)
        with later(days=31):
            done = together([lambda: forgetting.forget_usage(acme.id)] * 2)
            done.append(forgetting.forget_usage(acme.id))
        assert sum(done) == 10
        assert opened(acme) == {"198.51.100.0/24"}

    def test_what_nobody_can_open_any_more_goes(
        self, acme: Party, saraa: Acting, hire: Hire, superuser: psycopg.Connection
    ) -> None:
        bat = hire(acme, "Bat", Role.SUPPORT_AGENT)
        noted(acme, saraa, 1)
        noted(acme, bat, 2)
        with acme.tenant():
            key = DataKey.objects.get(subject_id=bat.membership_id)
            superuser.execute(
                "INSERT INTO iva_crypto_shreddedkey (organization_id, id, subject_id, organization_key_id,"
                " shredded_at) VALUES (%s, %s, %s, %s, now())",
                [acme.id, key.pk, key.subject_id, key.organization_key_id],
            )
            superuser.execute("DELETE FROM iva_crypto_datakey WHERE id = %s", [key.pk])
        with later(days=31):
            assert forgetting.forget_usage(acme.id) == 3
        assert [subject for subject, *_ in records(acme.id)] == [saraa.membership_id]


class TestTheHousehold:
    def test_old_sign_ins_go_and_young_ones_stay(self, saraa: Acting) -> None:
        sign_ins.begin(saraa.user_id, browser=BROWSER, from_address="203.0.113.9", proved_at=None)
        with later(days=179) as then:
            young = sign_ins.begin(saraa.user_id, browser=BROWSER, from_address="203.0.113.9", proved_at=None)
            with household.at_home():
                SignIn.objects.filter(pk=young.pk).update(began_at=then)
            assert forgetting.forget_of_the_household() == 0
        with later(days=181):
            assert forgetting.forget_of_the_household() == 1
        with household.at_home():
            assert SignIn.objects.count() == 1

    def test_old_choices_about_cookies_go(self, db: None) -> None:
        household.found()
        with household.at_home():
            CookieChoice.objects.create(visitor_id=uuid.uuid4(), registry="0" * 12)
        with later(days=366):
            assert forgetting.forget_of_the_household() == 1

    def test_it_is_on_the_list_of_periodic_work(self) -> None:
        work = {entry["task"] for entry in app.conf.beat_schedule.values()}
        assert {tasks.forget_usage_everywhere.name, tasks.send_address_letters.name} <= work

    def test_the_task_reaches_every_organization(
        self, acme: Party, saraa: Acting, at_desk: AtDesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        noted(acme, saraa, 1)
        at_desk(saraa).get("/me/", **FROM)
        monkeypatch.setattr(tasks.forget_usage, "delay", tasks.forget_usage)
        with later(days=31):
            tasks.forget_usage_everywhere()
        assert opened(acme) == {"198.51.100.0/24"}
        assert [address for _, _, address, _ in records(household.HOUSEHOLD)] == ["198.51.100.0/24"]


def test_evidence_of_an_acceptance_holds_a_network_from_the_start(
    acme: Party, saraa: Acting, at_desk: AtDesk
) -> None:
    """Decision 0018: the row can never be changed, so it never holds more than may be kept."""
    browser = at_desk(saraa, accepted=False)
    current = browser.get("/agreements/", **FROM).context["current"]
    given = {"terms": current.terms.digest, "privacy_policy": current.privacy_policy.digest}
    assert browser.post("/agreements/", given, **FROM).status_code == 303
    with acme.tenant("legal.requirement"):
        rows = Acceptance.objects.filter(user_id=saraa.user_id)
        assert {(row.ip_address, row.browser) for row in rows} == {("198.51.100.0/24", "Firefox · Linux")}
