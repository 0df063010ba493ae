"""Meeting people, and what becomes of their memberships."""

import uuid
from typing import Any

import psycopg
import pytest
from django.db import connection

from accounts import household, people, roles
from accounts.addresses import AddressInvalid
from accounts.models import Member, Membership, Organization, Person, User
from accounts.people import Acting, AlreadyKnown, AlreadyMember, LastOwner, NoSuchMember, Profile
from accounts.roles import Role
from iva.audit import verification
from iva.audit.actors import SYSTEM
from iva.audit.models import AuditEvent
from tests.cast import Party
from tests.conftest import Hire
from tests.faults.together import together


def active(party: Party) -> dict[uuid.UUID, str]:
    found = Membership.objects.filter(organization_id=party.id, ended_at=None)
    return dict(found.values_list("id", "role"))


def test_a_person_is_met_once_and_found_in_every_spelling(db: None) -> None:
    user_id = people.meet("Bat@Example.com", "correct horse battery staple")
    for spelling in ("bat@example.com", " BAT@example.COM ", "ｂａｔ@example.com"):
        with household.at_home():
            found = people.find(spelling)
            assert found is not None
            assert (found.pk, found.email) == (user_id, "bat@example.com")
        with pytest.raises(AlreadyKnown):
            people.meet(spelling, "another password altogether")
    assert User.objects.get(pk=user_id).check_password("correct horse battery staple")


def test_sixteen_at_once_with_one_address_are_one_person(db: None) -> None:
    def meet() -> Any:
        try:
            return people.meet("bat@example.com", "correct horse battery staple")
        except AlreadyKnown:
            return None

    household.found()
    assert len([found for found in together([meet] * 8) if found]) == 1
    assert User.objects.count() == 1


def test_the_household_is_founded_once_whoever_asks_first(db: None) -> None:
    together([household.found] * 8)
    assert Organization.objects.filter(pk=household.HOUSEHOLD).count() == 1
    with household.at_home():
        assert AuditEvent.objects.filter(event="organization.founded").count() == 1


def test_nothing_personal_stands_in_the_tables_in_the_clear(
    saraa: Acting, superuser: psycopg.Connection
) -> None:
    for table in ("accounts_person", "accounts_member", "accounts_user", "accounts_membership"):
        rows = superuser.execute(f"SELECT row_to_json(t)::text FROM {table} t").fetchall()
        assert rows
        for word in ("saraa", "Saraa", "Менежер", "99112233", "correct horse"):
            assert word not in str(rows), table


def test_an_organization_sees_its_own_members_and_no_household(
    acme: Party, globex: Party, saraa: Acting, dorj: Acting
) -> None:
    with acme.tenant("account.manage"):
        assert [(m.role, member.name, member.phone) for m, member in people.members()] == [
            ("owner", "Saraa", "+97699112233")
        ]
        assert not Person.objects.exists()
        assert not Member.objects.filter(pk=dorj.membership_id).exists()
        assert [responsible.user_id for responsible in people.responsible()] == [saraa.user_id]
    with globex.tenant("account.manage"):
        assert people.responsible() == []


@pytest.mark.parametrize(
    "email",
    [
        *("", "bat", "@", "bat@", "@x.mn", "b t@x.mn", "a@b@c.mn", "bat@x", "bat@x.mn\nBcc: all@x.mn"),
        *("a,b@x.mn", "x" * 250 + "@x.mn", "bat@x..mn", "<bat@x.mn>", "bat\x00@x.mn"),
    ],
)
def test_what_is_no_address_meets_nobody(db: None, email: str) -> None:
    with pytest.raises(AddressInvalid):
        people.meet(email, "correct horse battery staple")
    assert not User.objects.exists()


def test_somebody_joins_an_organization_once_and_several_organizations(
    acme: Party, globex: Party, saraa: Acting
) -> None:
    profile = Profile("Saraa", "saraa@acme.example.com")
    with acme.tenant("account.manage"), pytest.raises(AlreadyMember):
        people.join(saraa.user_id, Role.ADMIN, profile, actor=SYSTEM)
    with globex.tenant("account.manage"):
        people.join(saraa.user_id, Role.AUDITOR, profile, actor=SYSTEM)
    entered = {m.organization.name: m.role for m in people.memberships_of(saraa.user_id)}
    assert entered == {"Acme": "owner", "Globex": "auditor"}
    assert people.enter(saraa.user_id, globex.id).role is Role.AUDITOR


def test_who_is_revoked_enters_nothing_from_that_moment_on(acme: Party, saraa: Acting, hire: Hire) -> None:
    bat = hire(acme, "Bat", Role.SUPPORT_AGENT)
    with acme.tenant("account.manage"):
        people.revoke(bat.membership_id, by=saraa)
    with pytest.raises(NoSuchMember):
        people.enter(bat.user_id, acme.id)
    assert people.memberships_of(bat.user_id) == []
    with acme.tenant("account.manage"), pytest.raises(NoSuchMember):
        people.revoke(bat.membership_id, by=saraa)
    with acme.tenant("legal.requirement"):
        event = AuditEvent.objects.get(event="member.revoked")
        assert event.actor == f"member:{saraa.membership_id}"
    assert verification.verify(acme.id).is_whole


def test_a_suspended_organization_and_a_closed_login_let_nobody_in(acme: Party, saraa: Acting) -> None:
    User.objects.filter(pk=saraa.user_id).update(is_active=False)
    with pytest.raises(NoSuchMember):
        people.enter(saraa.user_id, acme.id)
    User.objects.filter(pk=saraa.user_id).update(is_active=True)
    Organization.objects.filter(pk=acme.id).update(suspended_at="2026-01-01T00:00:00Z")
    with pytest.raises(NoSuchMember):
        people.enter(saraa.user_id, acme.id)


def test_an_admin_makes_members_and_never_owners(acme: Party, saraa: Acting, hire: Hire) -> None:
    admin, bat = hire(acme, "Tuya", Role.ADMIN), hire(acme, "Bat", Role.SUPPORT_AGENT)
    with acme.tenant("account.manage"):
        people.change_role(bat.membership_id, Role.SUPERVISOR, by=admin)
        for attempt in (
            lambda: people.change_role(bat.membership_id, Role.OWNER, by=admin),
            lambda: people.change_role(admin.membership_id, Role.OWNER, by=admin),
            lambda: people.change_role(saraa.membership_id, Role.AUDITOR, by=admin),
            lambda: people.revoke(saraa.membership_id, by=admin),
        ):
            with pytest.raises(roles.NotPermitted):
                attempt()
    assert active(acme) == {
        saraa.membership_id: "owner",
        admin.membership_id: "admin",
        bat.membership_id: "supervisor",
    }


@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.OWNER, Role.ADMIN)])
def test_nobody_else_manages_members(acme: Party, saraa: Acting, hire: Hire, role: Role) -> None:
    bat = hire(acme, "Bat", role)
    with acme.tenant("account.manage"), pytest.raises(roles.NotPermitted):
        people.change_role(bat.membership_id, Role.ADMIN, by=bat)
    with acme.tenant("account.manage"), pytest.raises(roles.NotPermitted):
        people.revoke(saraa.membership_id, by=bat)


def test_a_stranger_manages_nobody_of_ours(acme: Party, globex: Party, saraa: Acting, dorj: Acting) -> None:
    """Even with our id in hand: the membership is looked for in the organization that is entered."""
    with globex.tenant("account.manage"):
        with pytest.raises(NoSuchMember):
            people.revoke(saraa.membership_id, by=dorj)
        with pytest.raises(NoSuchMember):
            people.change_role(saraa.membership_id, Role.AUDITOR, by=dorj)
    assert active(acme) == {saraa.membership_id: "owner"}


def test_the_last_owner_neither_leaves_nor_steps_down(acme: Party, saraa: Acting, hire: Hire) -> None:
    with acme.tenant("account.manage"):
        for attempt in (
            lambda: people.leave(by=saraa),
            lambda: people.revoke(saraa.membership_id, by=saraa),
            lambda: people.change_role(saraa.membership_id, Role.ADMIN, by=saraa),
        ):
            with pytest.raises(LastOwner):
                attempt()
    hire(acme, "Tuya", Role.OWNER)
    with acme.tenant("account.manage"):
        people.leave(by=saraa)
    assert list(active(acme).values()) == ["owner"]


def test_two_owners_who_leave_in_the_same_moment_leave_one_behind(
    acme: Party, saraa: Acting, hire: Hire
) -> None:
    tuya = hire(acme, "Tuya", Role.OWNER)

    def leave(who: Acting) -> str:
        try:
            with acme.tenant("account.manage"):
                people.leave(by=who)
        except LastOwner:
            return "stays"
        return "left"

    assert sorted(together([lambda: leave(saraa), lambda: leave(tuya)])) == ["left", "stays"]
    assert list(active(acme).values()) == ["owner"]


def test_who_has_left_can_join_again(acme: Party, saraa: Acting, hire: Hire) -> None:
    bat = hire(acme, "Bat", Role.SUPPORT_AGENT)
    with acme.tenant("account.manage"):
        people.leave(by=bat)
        profile = Profile("Bat", "bat@acme.example.com")
        again = people.join(bat.user_id, Role.BILLING, profile, actor=saraa.actor)
    assert people.enter(bat.user_id, acme.id).membership_id == again.pk != bat.membership_id


def test_the_serving_role_cannot_rewrite_whose_membership_it_is(saraa: Acting, dorj: Acting) -> None:
    for column, value in (("user_id", dorj.user_id), ("organization_id", dorj.organization_id)):
        with pytest.raises(Exception, match="permission denied"), connection.cursor() as cursor:
            cursor.execute(f"UPDATE accounts_membership SET {column} = %s", [value])
    with pytest.raises(Exception, match="permission denied"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_membership")
