"""A sign-up that nobody confirms lapses after a week; whatever is anybody's stays."""

import uuid
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts import household, invitations, joining, lapsing, operators, people, signing_in, tasks
from accounts.agreements import current
from accounts.invitations import Agreeing
from accounts.models import Acceptance, LegalDocument, Member, Membership, Organization, Person, User
from accounts.people import Acting, AlreadyKnown, Profile
from accounts.roles import Role
from iva import tenancy
from iva.audit import verification
from iva.audit.models import AuditEvent
from tests.agreements.documents import later
from tests.cast import Party
from tests.people.mailbox import Mailbox
from tests.people.test_sign_up_pages import PASSWORD, confirmed, form

EMAIL = "saraa@example.com"


@pytest.fixture
def signed_up(first: LegalDocument, mail: Mailbox) -> Organization:
    Client().post("/sign-up/", form())
    return Organization.objects.get(name=form()["organization"])


def has_login(email: str = EMAIL) -> bool:
    with household.at_home():
        return people.find(email) is not None


def test_after_a_week_login_and_names_go_and_the_organization_is_closed(signed_up: Organization) -> None:
    with later(days=6, hours=23):
        assert lapsing.lapse() == 0
    user_id = Membership.objects.get().user_id
    with later(days=7, minutes=1):
        tasks.let_sign_ups_lapse()
        assert lapsing.lapse() == 0, "once"
    signed_up.refresh_from_db()
    assert (has_login(), signed_up.is_active) == (False, False)
    assert signed_up.destroy_from is not None
    assert not User.objects.get(pk=user_id).is_active
    assert Membership.objects.get().ended_at is not None
    with tenancy.tenant(signed_up.pk, "legal.requirement"):
        assert (Member.objects.count(), Acceptance.objects.count()) == (0, 2)
        assert AuditEvent.objects.filter(event="sign_up.lapsed").count() == 1
    assert verification.verify(signed_up.pk).is_whole


def test_then_the_address_is_nobodys_and_the_old_link_opens_nothing(
    signed_up: Organization, mail: Mailbox
) -> None:
    old = mail.link()
    with later(days=7, minutes=1):
        lapsing.lapse()
    assert confirmed(old).status_code == 410
    Client().post("/sign-up/", form(organization="Another"))
    assert confirmed(mail.link()).status_code == 303
    ours = people.memberships_of(signing_in.check_password(EMAIL, PASSWORD, "203.0.113.7").user_id)
    assert [each.organization.name for each in ours] == ["Another"]


def test_what_was_confirmed_stays(signed_up: Organization, mail: Mailbox) -> None:
    confirmed(mail.link())
    with later(days=400):
        assert lapsing.lapse() == 0
    signed_up.refresh_from_db()
    assert (has_login(), signed_up.is_active) == (True, True)


def test_an_organization_founded_by_an_operator_waits_for_its_owner(acme: Party) -> None:
    user_id = people.meet(EMAIL, None)
    with acme.tenant("account.manage"):
        people.join(user_id, Role.OWNER, Profile("Saraa", EMAIL), actor=household.oneself(user_id))
    with later(days=400):
        assert lapsing.lapse() == 0
    assert has_login()
    acme.organization.refresh_from_db()
    assert acme.organization.is_active


def test_a_closed_login_of_somebody_stays_a_member(acme: Party, saraa: Acting) -> None:
    User.objects.filter(pk=saraa.user_id).update(is_active=False)
    with later(days=400):
        assert lapsing.lapse() == 0
    assert Membership.objects.get(pk=saraa.membership_id).ended_at is None


def test_what_a_crash_left_is_finished(signed_up: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(membership: Membership) -> None:
        raise ZeroDivisionError

    with later(days=7, minutes=1):
        with monkeypatch.context() as patched:
            patched.setattr(lapsing, "close", crash)
            assert lapsing.lapse() == 1
        assert not has_login()
        lapsing.lapse()
    signed_up.refresh_from_db()
    assert not signed_up.is_active


def test_who_follows_an_invitation_meanwhile_keeps_the_login(
    signed_up: Organization, acme: Party, saraa: Acting
) -> None:
    user_id = _met_a_week_ago("bat@example.com")
    with acme.tenant("account.manage"):
        _, token = invitations.invite("bat@example.com", Role.SUPPORT_AGENT, by=saraa)
    terms, policy = current()
    joining.join_as_new(token, Profile("Bat", ""), PASSWORD, Agreeing(terms.digest, policy.digest))
    lapsing.lapse()
    assert signing_in.check_password("bat@example.com", PASSWORD, "203.0.113.7").user_id == user_id


def test_what_goes_wrong_with_one_login_stops_no_other(
    signed_up: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    Client().post("/sign-up/", form(email="bat@example.com", organization="Bat's"))
    forget, tried = lapsing._forget, []

    def crash_once(user_id: uuid.UUID) -> bool:
        tried.append(user_id)
        if len(tried) == 1:
            raise ZeroDivisionError
        return forget(user_id)

    with later(days=7, minutes=1):
        with monkeypatch.context() as patched:
            patched.setattr(lapsing, "_forget", crash_once)
            assert lapsing.lapse() == 1
        assert (lapsing.lapse(), len(tried)) == (1, 2)


def test_nobody_lapses_while_a_link_is_good(signed_up: Organization, mail: Mailbox) -> None:
    """The letter says three days, also when it was asked for on the seventh."""
    mail.deliver()
    with household.at_home():
        Person.objects.update(first_seen_at=timezone.now() - timedelta(days=6, hours=23))
    Client().post("/confirm/again/", {"email": EMAIL})
    link = mail.link()
    with later(days=2, hours=23):
        assert lapsing.lapse() == 0
        assert confirmed(link).status_code == 303


def test_who_is_invited_is_not_made_the_owner_of_what_a_stranger_signed_up(
    signed_up: Organization, acme: Party, saraa: Acting
) -> None:
    """The invitation named Acme only: what waits under the address is closed in the same step."""
    with acme.tenant("account.manage"):
        _, token = invitations.invite(EMAIL, Role.SUPPORT_AGENT, by=saraa)
    terms, policy = current()
    joining.join_as_new(token, Profile("Saraa", ""), PASSWORD, Agreeing(terms.digest, policy.digest))
    user_id = signing_in.check_password(EMAIL, PASSWORD, "203.0.113.7").user_id
    assert [each.organization_id for each in people.memberships_of(user_id)] == [acme.id]
    assert not signing_in.needs_second_factor(user_id)
    signed_up.refresh_from_db()
    assert (signed_up.is_active, signed_up.destroy_from is not None) == (False, True)
    with tenancy.tenant(signed_up.pk, "legal.requirement"):
        assert Member.objects.count() == 0


def test_what_was_given_up_and_not_closed_is_closed_later(signed_up: Organization) -> None:
    membership = Membership.objects.get()
    lapsing.give_up(membership.user_id, but=())
    assert lapsing.lapse() == 0
    signed_up.refresh_from_db()
    assert not signed_up.is_active
    assert lapsing._bereft() == []


def test_what_an_operator_founded_is_not_given_up(signed_up: Organization, acme: Party) -> None:
    user_id = Membership.objects.get().user_id
    with acme.tenant("account.manage"):
        people.join(user_id, Role.OWNER, Profile("Saraa", EMAIL), actor=household.oneself(user_id))
    joining.own_login(EMAIL, PASSWORD, "mn")
    assert [each.organization_id for each in people.memberships_of(user_id)] == [acme.id]


def test_a_strangers_sign_up_stops_no_operator(signed_up: Organization) -> None:
    operators.appoint(EMAIL, PASSWORD)
    user_id = operators.find(EMAIL)
    assert signing_in.check_password(EMAIL, PASSWORD, "203.0.113.7").user_id == user_id
    assert people.memberships_of(user_id) == []
    with pytest.raises(AlreadyKnown):
        operators.appoint(EMAIL, PASSWORD)


def test_a_strangers_sign_up_stops_no_founding_by_command(signed_up: Organization, mail: Mailbox) -> None:
    mail.deliver()
    call_command("found_organization", "Ours", "ours", owner=EMAIL)
    signed_up.refresh_from_db()
    assert not signed_up.is_active
    with pytest.raises(CommandError, match="login"):
        call_command("found_organization", "Ours too", "ours-too", owner=EMAIL)
    Client().post("/password-reset/", {"email": EMAIL})
    assert confirmed(mail.link()).status_code == 303
    user_id = signing_in.check_password(EMAIL, PASSWORD, "203.0.113.7").user_id
    assert [each.organization.name for each in people.memberships_of(user_id)] == ["Ours"]


def _met_a_week_ago(email: str) -> uuid.UUID:
    user_id = people.meet(email, None)
    with household.at_home():
        Person.objects.filter(pk=user_id).update(first_seen_at=timezone.now() - timedelta(days=8))
    return user_id
