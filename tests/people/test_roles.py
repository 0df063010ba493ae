"""One table says who may do what; everything else is made from it."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import roles
from accounts.people import Acting
from accounts.roles import CHANGING, GRANTS, SECOND_FACTOR_ALWAYS, STEP_UP, Permission, Role
from iva.local.folder import CHECKOUT


def acting(role: Role, proved_ago: timedelta | None = timedelta(0)) -> Acting:
    proved_at = None if proved_ago is None else timezone.now() - proved_ago
    return Acting(uuid.uuid4(), uuid.uuid4(), uuid.uuid4(), role, proved_at)


def test_every_permission_is_somebodys_and_nothing_else_is_in_the_table() -> None:
    assert GRANTS.keys() == set(Permission)
    assert all(GRANTS.values())


def test_the_page_says_what_the_table_says() -> None:
    page = (CHECKOUT / "docs" / "roles.md").read_text(encoding="utf-8")
    assert page.endswith(roles.as_markdown())


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("permission", Permission)
def test_what_is_not_granted_is_denied_whatever_was_proved(role: Role, permission: Permission) -> None:
    member = acting(role)
    if role in GRANTS[permission]:
        member.require(permission)
    else:
        with pytest.raises(roles.NotPermitted) as refused:
            member.require(permission)
        assert refused.value.permission is permission


@pytest.mark.parametrize("permission", sorted(STEP_UP))
@pytest.mark.parametrize("proved_ago", [None, timedelta(minutes=5, seconds=1), timedelta(days=1)])
def test_what_moves_data_out_or_power_about_needs_a_fresh_factor(
    permission: Permission, proved_ago: timedelta | None
) -> None:
    with pytest.raises(roles.StepUpNeeded):
        acting(Role.OWNER, proved_ago).require(permission)
    acting(Role.OWNER, timedelta(minutes=4)).require(permission)


def test_an_auditor_changes_and_reveals_nothing() -> None:
    assert not [permission for permission in CHANGING if Role.AUDITOR in GRANTS[permission]]
    assert Role.AUDITOR not in GRANTS[Permission.END_USERS_REVEAL]


def test_an_owner_may_do_everything() -> None:
    assert all(Role.OWNER in granted for granted in GRANTS.values())


@pytest.mark.parametrize("own", Role)
@pytest.mark.parametrize("role", Role)
def test_nobody_hands_out_what_they_lack(own: Role, role: Role) -> None:
    member = acting(own)
    manages = own in GRANTS[Permission.MEMBERS_MANAGE]
    exceeds = any(role in granted and own not in granted for granted in GRANTS.values())
    assert member.may_hand_out(role) is (manages and not exceeds)
    if member.may_hand_out(role):
        member.require_to_hand_out(role)
    else:
        with pytest.raises(roles.NotPermitted):
            member.require_to_hand_out(role)


def test_an_owner_hands_out_every_role_and_an_admin_none_that_erases_or_pays() -> None:
    assert all(acting(Role.OWNER).may_hand_out(role) for role in Role)
    beyond = {role for role in Role if not acting(Role.ADMIN).may_hand_out(role)}
    assert beyond == {Role.OWNER, Role.PRIVACY_OFFICER, Role.BILLING}


def test_whoever_manages_people_cannot_do_without_a_second_factor() -> None:
    assert GRANTS[Permission.MEMBERS_MANAGE] <= SECOND_FACTOR_ALWAYS
    assert GRANTS[Permission.API_KEYS_MANAGE] <= SECOND_FACTOR_ALWAYS


def test_roles_that_do_not_serve_customers_read_no_conversation() -> None:
    for role in (Role.KNOWLEDGE_EDITOR, Role.BILLING):
        assert not roles.grants(role, Permission.CONVERSATIONS_READ)
        assert not roles.grants(role, Permission.END_USERS_READ)
