"""The settings as members meet them: what they may change, what is refused, and who notices."""

import re
import uuid
from typing import Any

import pytest
from django.test import Client

from accounts import agreements, api_keys, people, tasks
from accounts.agreements import acknowledging
from accounts.api_keys import InvalidApiKey
from accounts.models import Acceptance, ApiKey, Invitation, LegalDocument, Membership, Organization
from accounts.people import Acting, LastOwner, NobodyResponsible, NoSuchMember, Profile
from accounts.roles import Permission, Role
from accounts.scopes import Scope
from channels_cfg.models import Channel
from iva.audit.actors import SYSTEM
from iva.audit.models import AuditEvent
from tests.agreements import documents
from tests.cast import Party
from tests.conftest import AtDesk, Hire
from tests.faults.together import together


@pytest.fixture(autouse=True)
def nothing_is_queued(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The broker, an outer border: what it is given is kept."""
    given: list[Any] = []
    monkeypatch.setattr(tasks.mail_invitations, "delay", lambda *ids: given.append(ids))
    return given


def page(answer: Any) -> str:
    return str(answer.content.decode())


def events(party: Party) -> list[str]:
    with party.tenant():
        return list(AuditEvent.objects.order_by("sequence").values_list("event", flat=True))


class TestTheOrganization:
    def test_is_renamed(self, acme: Party, saraa: Acting, at_desk: AtDesk) -> None:
        browser = at_desk(saraa)
        answer = browser.post("/settings/organization/", {"name": "Акме", "time_zone": "Asia/Hovd"})
        assert (answer.status_code, answer["Location"]) == (303, "/settings/organization/")
        changed = Organization.objects.get(pk=acme.id)
        assert (changed.name, changed.time_zone) == ("Акме", "Asia/Hovd")
        assert "organization.changed" in events(acme)

    @pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../../etc/passwd", "Asia/Ulaanbaatar\n"])
    def test_lives_in_a_zone_that_exists(
        self, acme: Party, saraa: Acting, at_desk: AtDesk, zone: str
    ) -> None:
        answer = at_desk(saraa).post("/settings/organization/", {"name": "Kept typing", "time_zone": zone})
        if zone.strip() == zone:
            assert answer.status_code == 422
            assert "Kept typing" in page(answer)
        assert Organization.objects.get(pk=acme.id).time_zone == "Asia/Ulaanbaatar"

    def test_is_left_by_who_says_so(self, acme: Party, hire: Hire, saraa: Acting, at_desk: AtDesk) -> None:
        bat = hire(acme, "Bat", Role.SUPPORT_AGENT)
        browser = at_desk(bat)
        assert browser.post("/settings/organization/leave/").status_code == 422
        assert browser.post("/settings/organization/leave/", {"confirmed": "on"}).status_code == 303
        with pytest.raises(NoSuchMember):
            people.enter(bat.user_id, acme.id)
        assert browser.get("/overview/")["Location"] == "/organizations/"

    def test_is_not_left_by_its_last_owner(self, acme: Party, saraa: Acting, at_desk: AtDesk) -> None:
        answer = at_desk(saraa).post("/settings/organization/leave/", {"confirmed": "on"})
        assert answer.status_code == 409
        assert people.enter(saraa.user_id, acme.id).role is Role.OWNER


class TestMembers:
    def test_are_listed_with_what_matters(
        self, acme: Party, saraa: Acting, hire: Hire, at_desk: AtDesk
    ) -> None:
        hire(acme, "Bat", Role.SUPPORT_AGENT)
        shown = page(at_desk(saraa).get("/settings/members/"))
        assert "Saraa" in shown
        assert "bat@acme.example.com" in shown

    def test_cost_the_same_queries_however_many_they_are(
        self, acme: Party, saraa: Acting, hire: Hire, at_desk: AtDesk, django_assert_max_num_queries: Any
    ) -> None:
        for number in range(12):
            hire(acme, f"Bat{number}", Role.SUPPORT_AGENT)
        browser = at_desk(saraa)
        with django_assert_max_num_queries(45) as counted:
            browser.get("/settings/members/")
        few = len(counted)
        for number in range(12, 24):
            hire(acme, f"Bat{number}", Role.SUPPORT_AGENT)
        with django_assert_max_num_queries(few + 1):
            browser.get("/settings/members/")

    def test_are_invited_and_the_letter_is_told_an_id_only(
        self, acme: Party, saraa: Acting, at_desk: AtDesk, nothing_is_queued: list[Any]
    ) -> None:
        sent = {"email": "bat@example.com", "role": "support_agent"}
        assert at_desk(saraa).post("/settings/members/invite/", sent).status_code == 303
        assert nothing_is_queued == [(str(acme.id),)]
        assert "bat@example.com" in page(at_desk(saraa).get("/settings/members/"))
        answer = at_desk(saraa).post("/settings/members/invite/", sent)
        assert answer.status_code == 422
        assert 'value="bat@example.com"' in page(answer)

    def test_are_invited_as_owners_by_owners_only(self, acme: Party, hire: Hire, at_desk: AtDesk) -> None:
        browser = at_desk(hire(acme, "Bat", Role.ADMIN))
        answer = browser.post("/settings/members/invite/", {"email": "x@example.com", "role": "owner"})
        assert answer.status_code == 422
        with acme.tenant():
            assert not Invitation.objects.exists()

    def test_of_whom_a_stale_factor_asks_for_a_new_one(
        self, acme: Party, hire: Hire, at_desk: AtDesk
    ) -> None:
        browser = at_desk(hire(acme, "Bat", Role.ADMIN), proved=False)
        assert browser.get("/settings/members/invite/")["Location"].startswith("/enroll/")

    def test_get_another_role(self, acme: Party, saraa: Acting, hire: Hire, at_desk: AtDesk) -> None:
        bat = hire(acme, "Bat", Role.SUPPORT_AGENT)
        sent = {"role": "supervisor", "is_responsible": "on"}
        assert at_desk(saraa).post(f"/settings/members/{bat.membership_id}/", sent).status_code == 303
        assert people.enter(bat.user_id, acme.id).role is Role.SUPERVISOR
        with acme.tenant("account.manage"):
            assert {one.user_id for one in people.responsible()} == {saraa.user_id, bat.user_id}

    def test_the_last_owner_and_the_last_responsible_one_stay(
        self, acme: Party, saraa: Acting, at_desk: AtDesk
    ) -> None:
        address = f"/settings/members/{saraa.membership_id}/"
        assert at_desk(saraa).post(address, {"role": "admin", "is_responsible": "on"}).status_code == 422
        assert at_desk(saraa).post(address, {"role": "owner"}).status_code == 422
        assert people.enter(saraa.user_id, acme.id).role is Role.OWNER

    def test_of_two_changes_one_that_cannot_be_undoes_the_other(
        self, acme: Party, saraa: Acting, hire: Hire, at_desk: AtDesk
    ) -> None:
        hire(acme, "Bat", Role.OWNER)
        sent = {"role": "admin"}
        assert at_desk(saraa).post(f"/settings/members/{saraa.membership_id}/", sent).status_code == 422
        assert people.enter(saraa.user_id, acme.id).role is Role.OWNER

    def test_an_admin_touches_no_owner(self, acme: Party, saraa: Acting, hire: Hire, at_desk: AtDesk) -> None:
        browser = at_desk(hire(acme, "Bat", Role.ADMIN))
        address = f"/settings/members/{saraa.membership_id}/"
        assert browser.post(address, {"role": "admin"}).status_code == 403
        assert browser.post(f"{address}revoke/").status_code == 403
        assert people.enter(saraa.user_id, acme.id).role is Role.OWNER

    def test_who_is_revoked_is_out_at_once_in_every_browser(
        self, acme: Party, saraa: Acting, hire: Hire, at_desk: AtDesk
    ) -> None:
        bat = hire(acme, "Bat", Role.SUPPORT_AGENT)
        browsers = [at_desk(bat), at_desk(bat)]
        assert [browser.get("/overview/").status_code for browser in browsers] == [200, 200]
        assert at_desk(saraa).post(f"/settings/members/{bat.membership_id}/revoke/").status_code == 303
        for browser in browsers:
            assert browser.get("/overview/")["Location"].startswith("/sign-in/")

    def test_who_is_revoked_here_stays_signed_in_elsewhere(
        self, acme: Party, globex: Party, saraa: Acting, hire: Hire, at_desk: AtDesk
    ) -> None:
        bat = hire(acme, "Bat", Role.SUPPORT_AGENT)
        with globex.tenant("account.manage"):
            people.join(bat.user_id, Role.AUDITOR, Profile("Bat", "bat@example.com"), actor=SYSTEM)
        browser = at_desk(bat)
        at_desk(saraa).post(f"/settings/members/{bat.membership_id}/revoke/")
        assert browser.get("/overview/")["Location"] == "/organizations/"
        assert "Globex" in page(browser.get("/organizations/"))

    def test_two_owners_revoke_each_other_at_once_and_one_stays(
        self, acme: Party, saraa: Acting, hire: Hire
    ) -> None:
        bat = hire(acme, "Bat", Role.OWNER)

        def revoke(whom: Acting, by: Acting) -> bool:
            try:
                with acme.tenant("account.manage"):
                    people.revoke(whom.membership_id, by=by)
            except (LastOwner, NoSuchMember):
                return False
            return True

        done = together([lambda: revoke(bat, saraa), lambda: revoke(saraa, bat)])
        assert sorted(done) == [False, True]
        assert Membership.objects.filter(organization_id=acme.id, role="owner", ended_at=None).count() == 1

    def test_responsibility_is_never_nobodys(self, acme: Party, saraa: Acting, hire: Hire) -> None:
        bat = hire(acme, "Bat", Role.OWNER, is_responsible=True)

        def relieve(whom: Acting) -> bool:
            try:
                with acme.tenant("account.manage"):
                    people.hand_responsibility(whom.membership_id, False, by=saraa)
            except NobodyResponsible:
                return False
            return True

        assert sorted(together([lambda: relieve(bat), lambda: relieve(saraa)])) == [False, True]

    def test_responsibility_passes_to_an_owner_when_the_last_one_leaves(
        self, acme: Party, hire: Hire
    ) -> None:
        dorj, bat = hire(acme, "Dorj", Role.OWNER), hire(acme, "Bat", Role.ADMIN, is_responsible=True)
        with acme.tenant("account.manage"):
            people.leave(by=bat)
            assert [one.user_id for one in people.responsible()] == [dorj.user_id]


class TestSecurity:
    def test_a_second_factor_is_demanded_of_everybody(
        self, acme: Party, saraa: Acting, hire: Hire, at_desk: AtDesk
    ) -> None:
        bat = at_desk(hire(acme, "Bat", Role.SUPPORT_AGENT), proved=False)
        assert bat.get("/overview/").status_code == 200
        sent = {"second_factor": "on", "networks": ""}
        assert at_desk(saraa).post("/settings/security/", sent).status_code == 303
        assert bat.get("/overview/")["Location"].startswith("/enroll/")
        assert "organization.security_changed" in events(acme)

    def test_a_list_that_locks_out_who_saves_it_is_refused_with_what_they_typed(
        self, acme: Party, saraa: Acting, at_desk: AtDesk
    ) -> None:
        browser = at_desk(saraa)
        answer = browser.post("/settings/security/", {"networks": "198.51.100.0/24"}, REMOTE_ADDR="10.1.2.3")
        assert answer.status_code == 422
        assert "198.51.100.0/24" in page(answer)
        assert "10.1.2.3" in page(answer)
        assert browser.get("/overview/", REMOTE_ADDR="10.1.2.3").status_code == 200

    def test_what_is_no_network_is_named(self, acme: Party, saraa: Acting, at_desk: AtDesk) -> None:
        answer = at_desk(saraa).post("/settings/security/", {"networks": "10.0.0.1/8"})
        assert answer.status_code == 422
        assert "10.0.0.0/8" in page(answer)

    def test_a_list_is_saved_and_shown_again(self, acme: Party, saraa: Acting, at_desk: AtDesk) -> None:
        browser = at_desk(saraa)
        sent = {"networks": "127.0.0.0/8\n2001:db8::/32"}
        assert browser.post("/settings/security/", sent).status_code == 303
        assert "127.0.0.0/8\n2001:db8::/32" in page(browser.get("/settings/security/"))
        assert browser.get("/overview/", REMOTE_ADDR="10.1.2.3").status_code == 403


class TestApiKeys:
    def create(self, browser: Client, **changes: Any) -> Any:
        form = page(browser.get("/settings/api-keys/new/"))
        found = re.search(r'name="key_id" value="([^"]+)"', form)
        assert found
        sent = {"key_id": found[1], "name": "Call centre", "scopes": ["channels:read"], "lifetime": "90"}
        return browser.post("/settings/api-keys/new/", sent | changes)

    def test_are_shown_once_and_never_again(self, acme: Party, saraa: Acting, at_desk: AtDesk) -> None:
        browser = at_desk(saraa)
        answer = self.create(browser)
        (token,) = re.findall(r"iva_[\w-]{86}", page(answer))
        assert answer["Cache-Control"] == "no-store"
        assert acme.call("GET", "channels/", token=token).status == 200
        assert token not in page(browser.get("/settings/api-keys/"))
        assert not any(token in str(value) for value in browser.session.values())

    def test_are_made_once_also_when_the_form_is_sent_again(
        self, acme: Party, saraa: Acting, at_desk: AtDesk
    ) -> None:
        browser, same = at_desk(saraa), str(uuid.uuid4())
        assert self.create(browser, key_id=same).status_code == 200
        again = self.create(browser, key_id=same)
        assert (again.status_code, again["Location"]) == (303, "/settings/api-keys/")
        with acme.tenant():
            assert ApiKey.objects.filter(name="Call centre").count() == 1

    @pytest.mark.parametrize(
        "wrong",
        [{"name": ""}, {"scopes": []}, {"scopes": ["everything"]}, {"lifetime": "0"}, {"key_id": "mine"}],
    )
    def test_need_a_name_a_scope_and_an_end(
        self, acme: Party, saraa: Acting, at_desk: AtDesk, wrong: dict[str, Any]
    ) -> None:
        assert self.create(at_desk(saraa), **wrong).status_code == 422
        with acme.tenant():
            assert ApiKey.objects.count() == 1

    def test_are_rotated_and_revoked(self, acme: Party, saraa: Acting, at_desk: AtDesk) -> None:
        browser = at_desk(saraa)
        sent = {"key_id": str(uuid.uuid4()), "overlap": "24"}
        answer = browser.post(f"/settings/api-keys/{acme.key.pk}/rotate/", sent)
        (token,) = re.findall(r"iva_[\w-]{86}", page(answer))
        assert acme.call("GET", "channels/", token=token).status == 200
        assert acme.call("GET", "channels/").status == 200
        assert browser.post(f"/settings/api-keys/{acme.key.pk}/revoke/").status_code == 303
        with pytest.raises(InvalidApiKey):
            api_keys.recognize(acme.token)
        assert {"api_key.rotated", "api_key.revoked"} <= set(events(acme))

    def test_are_seen_by_an_auditor_and_touched_by_none(
        self, acme: Party, hire: Hire, at_desk: AtDesk
    ) -> None:
        browser = at_desk(hire(acme, "Bat", Role.AUDITOR))
        assert "everything" in page(browser.get("/settings/api-keys/"))
        assert browser.post(f"/settings/api-keys/{acme.key.pk}/revoke/").status_code == 403

    def test_words_exist_for_every_scope(self, acme: Party, saraa: Acting, at_desk: AtDesk) -> None:
        form = page(at_desk(saraa).get("/settings/api-keys/new/"))
        assert all(f'value="{scope.value}"' in form for scope in Scope)


class TestChannels:
    def test_are_connected_and_disabled(self, acme: Party, saraa: Acting, at_desk: AtDesk) -> None:
        browser = at_desk(saraa)
        assert browser.post("/settings/channels/", {"name": "Вэбсайт"}).status_code == 303
        assert browser.post("/settings/channels/", {"name": "Вэбсайт"}).status_code == 422
        with acme.tenant():
            channel = Channel.objects.get(name="Вэбсайт")
        for _ in range(2):
            assert browser.post(f"/settings/channels/{channel.pk}/disable/").status_code == 303
        assert events(acme).count("channel.disabled") == 1
        body = {"external_id": "1", "sender": {"phone": "99112233"}, "text": "?", "channel": str(channel.pk)}
        assert acme.call("POST", "messages/", body).code == "channel_not_found"


class TestAgreements:
    def test_say_who_accepted_what_and_how(self, acme: Party, saraa: Acting, at_desk: AtDesk) -> None:
        shown = page(at_desk(saraa).get("/settings/agreements/"))
        assert "Saraa" in shown
        assert "1.0.0" in shown

    def test_do_not_name_people_to_who_may_not_see_the_members(
        self, acme: Party, saraa: Acting, hire: Hire, at_desk: AtDesk
    ) -> None:
        assert not saraa.may(Permission.MEMBERS_READ) or at_desk(saraa)
        browser = at_desk(hire(acme, "Bat", Role.BILLING))
        assert "Saraa" not in page(browser.get("/settings/agreements/"))

    def test_a_coming_change_is_shown_until_it_was_seen(
        self, acme: Party, globex: Party, saraa: Acting, dorj: Acting, at_desk: AtDesk
    ) -> None:
        browser, theirs = at_desk(saraa), at_desk(dorj)
        assert "/legal/terms/2.0.0/" not in page(browser.get("/overview/"))
        coming = documents.published("2.0.0", documents.SIGNIFICANT)
        assert "/legal/terms/2.0.0/changes/" in page(browser.get("/overview/"))
        sent = {"document": str(coming.pk), "next": "/settings/roles/"}
        answer = browser.post("/settings/agreements/seen/", sent)
        assert (answer.status_code, answer["Location"]) == (303, "/settings/roles/")
        assert "/legal/terms/2.0.0/" not in page(browser.get("/overview/"))
        assert "/legal/terms/2.0.0/changes/" in page(theirs.get("/overview/"))
        assert events(acme).count("document.acknowledged") == 1

    def test_what_was_seen_is_not_accepted(self, acme: Party, saraa: Acting, at_desk: AtDesk) -> None:
        browser = at_desk(saraa)
        coming = documents.published("2.0.0", documents.SIGNIFICANT)
        browser.post("/settings/agreements/seen/", {"document": str(coming.pk)})
        with acme.tenant():
            assert not Acceptance.objects.filter(document_id=coming.pk).exists()

    def test_only_what_is_coming_is_acknowledged(
        self, acme: Party, saraa: Acting, at_desk: AtDesk, first: LegalDocument
    ) -> None:
        browser = at_desk(saraa)
        for document in (str(first.pk), str(uuid.uuid4()), "", "x"):
            assert browser.post("/settings/agreements/seen/", {"document": document}).status_code == 404

    def test_an_editorial_change_bothers_nobody(
        self, acme: Party, saraa: Acting, first: LegalDocument
    ) -> None:
        documents.published("1.1.0", documents.EDITORIAL)
        with acme.tenant("account.manage"):
            assert acknowledging.unseen(saraa.user_id) is None
        assert agreements.current().terms.version in ("1.0.0", "1.1.0")


def test_every_page_names_the_privacy_policy(acme: Party, saraa: Acting, at_desk: AtDesk) -> None:
    browser = at_desk(saraa)
    for address in ("/", "/overview/", "/sign-in/", "/settings/roles/", "/legal/", "/nothing/"):
        assert 'rel="privacy-policy"' in browser.get(address)["Link"], address


def test_roles_are_shown_with_ones_own_marked(acme: Party, hire: Hire, at_desk: AtDesk) -> None:
    shown = page(at_desk(hire(acme, "Bat", Role.BILLING)).get("/settings/roles/"))
    assert shown.count("<tbody>") >= 10
    assert shown.count("panel own") == 1
