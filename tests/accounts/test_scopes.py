"""A key does no more than whoever made it may do."""

import json
import re
import uuid
from datetime import timedelta

import pytest
from django.utils import translation

from accounts import api_keys, people, roles, trail
from accounts.models import ApiKey
from accounts.people import Acting
from accounts.roles import NotPermitted, Permission, Role
from accounts.scopes import EVERY_SCOPE, NEEDS, Scope
from accounts.trail import Wanted
from accounts.trail_words import Group
from iva.audit.actors import AGENT, SYSTEM, Actor, ActorKind
from iva.audit.models import AuditEvent
from tests.cast import Party
from tests.conftest import AtDesk, Hire

NEW = "/settings/api-keys/new/"
HARMLESS = EVERY_SCOPE - {Scope.END_USERS_ERASE}


def form(*scopes: Scope) -> dict[str, object]:
    return {"key_id": str(uuid.uuid4()), "name": "Call centre", "scopes": list(scopes), "lifetime": "never"}


def offered(page: str) -> set[str]:
    return set(re.findall(r'name="scopes" value="([^"]+)"', page))


def test_every_scope_needs_a_permission_and_nothing_else_is_in_the_table() -> None:
    assert set(NEEDS) == set(Scope)
    assert all(roles.grants(Role.OWNER, permission) for permission in NEEDS.values())


@pytest.mark.parametrize("scope", Scope)
def test_a_scope_that_changes_something_needs_a_permission_that_does(scope: Scope) -> None:
    assert (NEEDS[scope] in roles.CHANGING) is not scope.value.endswith(":read")


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN])
def test_a_member_makes_a_key_that_may_do_what_they_may(
    acme: Party, hire: Hire, role: Role, scope: Scope
) -> None:
    member = hire(acme, "Bat", role)
    with acme.tenant("account.manage"):
        if member.may(NEEDS[scope]):
            assert api_keys.issue("theirs", [scope], actor=member.actor)[0].scopes == [scope]
        else:
            with pytest.raises(NotPermitted) as refused:
                api_keys.issue("theirs", [scope], actor=member.actor)
            assert refused.value.permission is NEEDS[scope]


def test_who_manages_no_keys_makes_none_whoever_they_say_they_are(
    acme: Party, globex: Party, dorj: Acting, hire: Hire
) -> None:
    saraa, bat = hire(acme, "Saraa", Role.OWNER), hire(acme, "Bat", Role.OWNER)
    officer = hire(acme, "Tuya", Role.PRIVACY_OFFICER)
    with acme.tenant("account.manage"):
        people.revoke(bat.membership_id, by=saraa)
    strangers = [AGENT, Actor(ActorKind.API_KEY, acme.key.pk), Actor(ActorKind.MEMBER)]
    strangers += [Actor(ActorKind.PERSON, saraa.user_id), Actor(ActorKind.OPERATOR, saraa.membership_id)]
    for actor in [*strangers, officer.actor, bat.actor, dorj.actor]:
        with pytest.raises(NotPermitted), acme.tenant("account.manage"):
            api_keys.issue("theirs", [Scope.CHANNELS_READ], actor=actor)
    with acme.tenant():
        assert ApiKey.objects.count() == 1


def test_an_admin_gets_no_erasure_through_the_form(acme: Party, hire: Hire, at_desk: AtDesk) -> None:
    browser = at_desk(hire(acme, "Bat", Role.ADMIN))
    assert offered(browser.get(NEW).content.decode()) == {scope.value for scope in HARMLESS}
    answer = browser.post(NEW, form(Scope.END_USERS_ERASE, Scope.END_USERS_READ))
    assert answer.status_code == 422
    assert "iva_" not in answer.content.decode()
    with acme.tenant():
        assert ApiKey.objects.count() == 1
    assert browser.post(NEW, form(*HARMLESS)).status_code == 200


def test_an_owner_is_offered_all(acme: Party, saraa: Acting, at_desk: AtDesk) -> None:
    assert offered(at_desk(saraa).get(NEW).content.decode()) == {scope.value for scope in Scope}


def test_nor_by_rotating_the_key_of_another(acme: Party, hire: Hire, at_desk: AtDesk) -> None:
    browser = at_desk(hire(acme, "Bat", Role.ADMIN))
    address = f"/settings/api-keys/{acme.key.pk}/rotate/"
    assert address not in browser.get("/settings/api-keys/").content.decode()
    assert browser.get(address).status_code == 403
    sent = {"key_id": str(uuid.uuid4()), "overlap": "24"}
    assert browser.post(address, sent).status_code == 403
    with acme.tenant():
        assert ApiKey.objects.get().replaced_by_id is None


def test_an_admin_rotates_what_they_could_have_made(acme: Party, hire: Hire, at_desk: AtDesk) -> None:
    with acme.tenant():
        key, _ = api_keys.issue("harmless", HARMLESS, actor=SYSTEM)
    browser = at_desk(hire(acme, "Bat", Role.ADMIN))
    address = f"/settings/api-keys/{key.pk}/rotate/"
    assert address in browser.get("/settings/api-keys/").content.decode()
    assert browser.post(address, {"key_id": str(uuid.uuid4()), "overlap": "24"}).status_code == 200


def test_the_room_rotates_for_nobody_who_could_not_have_made_the_key(acme: Party, hire: Hire) -> None:
    admin = hire(acme, "Bat", Role.ADMIN)
    with pytest.raises(NotPermitted) as refused, acme.tenant():
        api_keys.rotate(acme.key.pk, timedelta(hours=1), actor=admin.actor)
    assert refused.value.permission is Permission.END_USERS_ERASE


def test_the_trail_says_what_a_key_may_do(acme: Party, saraa: Acting) -> None:
    with acme.tenant("account.manage"):
        api_keys.issue("theirs", [Scope.END_USERS_READ, Scope.AUDIT_READ], actor=saraa.actor)
    with acme.tenant("legal.requirement"):
        event = AuditEvent.objects.filter(event="api_key.issued").order_by("-sequence")[0]
        assert json.loads(event.ids)["scopes"] == ["audit:read", "end_users:read"]
        with translation.override("en"):
            line = trail.page(Wanted(group=Group.API_KEYS), by=saraa)[0]
    assert "Read the audit trail, Find and read End Users" in [detail.said for detail in line.details]


def test_nobody_chooses_the_id_of_a_key(acme: Party, saraa: Acting, at_desk: AtDesk) -> None:
    """Else what the key does would stand under their name."""
    browser, chosen = at_desk(saraa), {"key_id": str(saraa.membership_id)}
    assert browser.post(NEW, form(*EVERY_SCOPE) | chosen).status_code == 200
    assert browser.post(NEW, form(*EVERY_SCOPE) | chosen).status_code == 303
    rotated = {"overlap": "24", "key_id": str(saraa.user_id)}
    assert browser.post(f"/settings/api-keys/{acme.key.pk}/rotate/", rotated).status_code == 200
    with acme.tenant():
        ids = set(ApiKey.objects.values_list("id", flat=True))
    assert len(ids) == 3
    assert not ids & {saraa.membership_id, saraa.user_id}


def test_the_same_form_in_another_organization_makes_another_key(acme: Party, globex: Party) -> None:
    same = uuid.uuid4()
    ids = []
    for party in (acme, globex):
        with party.tenant():
            ids.append(api_keys.issue("same", [Scope.AUDIT_READ], actor=SYSTEM, id=same)[0].pk)
    assert len({same, *ids}) == 3
