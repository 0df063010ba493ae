"""An organization signs up whole, with what it accepted, or not at all."""

from collections.abc import Callable

import psycopg
import pytest

from accounts import agreements, household, invitations, joining, people, signing_in, signing_up
from accounts.addresses import AddressInvalid
from accounts.invitations import Agreeing
from accounts.models import Acceptance, LegalDocument, Membership, Organization, User
from accounts.people import Acting, AlreadyKnown, Profile
from accounts.roles import Role
from accounts.signing_up import Accepted, Founded, NameTaken
from iva import tenancy
from iva.audit import verification
from tests.agreements import documents
from tests.cast import Party
from tests.faults.together import together

PASSWORD = "correct horse battery staple"
SARAA = Profile("Сараа", "saraa@example.com", "Захирал", "9911 2233", "mn")


def shown() -> Accepted:
    current = agreements.current()
    return Accepted(current.terms.digest, current.privacy_policy.digest)


def sign_up(slug: str = "acme", profile: Profile = SARAA) -> Founded:
    where = agreements.Where("203.0.113.7", "Firefox")
    return signing_up.sign_up("Acme", slug, profile, shown(), where)


def organizations() -> set[str]:
    return set(Organization.objects.exclude(pk=household.HOUSEHOLD).values_list("slug", flat=True))


def test_an_organization_comes_with_its_owner_and_both_acceptances(first: LegalDocument) -> None:
    founded = sign_up()
    acting = people.enter(founded.user_id, founded.organization.pk)
    assert acting.role is Role.OWNER
    with tenancy.tenant(founded.organization.pk, "account.manage"):
        assert [r.email for r in people.responsible()] == ["saraa@example.com"]
        accepted = list(Acceptance.objects.filter(user_id=founded.user_id))
    assert {each.document_id for each in accepted} == {document.pk for document in agreements.current()}
    assert {each.method for each in accepted} == {"registration"}
    assert agreements.standing(founded.organization.pk, founded.user_id).is_open
    assert verification.verify(founded.organization.pk).is_whole
    assert not User.objects.get(pk=founded.user_id).has_usable_password(), "it is chosen by the link"
    assert signing_in.needs_second_factor(founded.user_id)


def test_who_was_shown_other_documents_founds_nothing_and_is_given_the_current_ones(
    first: LegalDocument,
) -> None:
    stale = shown()
    documents.published("1.0.1")
    with pytest.raises(agreements.DocumentsChanged) as changed:
        signing_up.sign_up("Acme", "acme", SARAA, stale)
    assert changed.value.current.terms.digest == shown().terms
    assert organizations() == set()
    assert not User.objects.exists()


def test_before_there_are_documents_nobody_signs_up(db: None) -> None:
    with pytest.raises(agreements.NothingInEffect):
        signing_up.sign_up("Acme", "acme", SARAA, Accepted("x", "y"))
    assert not User.objects.exists()


@pytest.mark.parametrize("profile", [SARAA._replace(email="no address"), SARAA._replace(phone="12")])
def test_rubbish_founds_nothing(first: LegalDocument, profile: Profile) -> None:
    with pytest.raises(AddressInvalid):
        sign_up(profile=profile)
    assert organizations() == set()
    assert not Membership.objects.exists()


def test_a_name_that_is_taken_founds_nothing_and_can_be_tried_again_with_another(
    acme: Party, first: LegalDocument
) -> None:
    with pytest.raises(NameTaken):
        sign_up()
    assert not Membership.objects.exists()
    founded = sign_up("acme-two")
    assert Membership.objects.get().user_id == founded.user_id


def test_whoever_has_confirmed_their_login_is_not_replaced(first: LegalDocument) -> None:
    founded = sign_up()
    people.verify(founded.user_id)
    Membership.objects.update(ended_at="2026-01-01T00:00:00Z")
    with pytest.raises(AlreadyKnown) as known:
        sign_up("globex")
    assert known.value.user_id == founded.user_id
    assert organizations() == {"acme"}


def test_of_those_who_sign_up_unconfirmed_the_newest_counts(first: LegalDocument) -> None:
    older, newer = sign_up(), sign_up("globex")
    assert older.user_id == newer.user_id
    assert [each.organization_id for each in people.memberships_of(older.user_id)] == [newer.organization.pk]
    older.organization.refresh_from_db()
    assert not older.organization.is_active


def test_an_organization_that_an_operator_founded_is_not_replaced(acme: Party, first: LegalDocument) -> None:
    user_id = people.meet(SARAA.email, None)
    with acme.tenant("account.manage"):
        people.join(user_id, Role.OWNER, SARAA, actor=household.oneself(user_id))
    with pytest.raises(AlreadyKnown):
        sign_up("globex")
    assert [each.organization_id for each in people.memberships_of(user_id)] == [acme.id]
    assert not Organization.objects.filter(slug="globex").exists()


def test_of_eight_at_once_with_one_address_one_remains(
    first: LegalDocument, superuser: psycopg.Connection
) -> None:
    household.found()

    def attempt(number: int) -> bool:
        try:
            sign_up(f"acme-{number}")
        except AlreadyKnown:
            return False
        return True

    founded = sum(together([lambda n=n: attempt(n) for n in range(8)]))  # type: ignore[misc]
    assert (len(organizations()), User.objects.count()) == (founded, 1)
    assert Membership.objects.filter(ended_at=None).count() == 1
    assert Organization.objects.exclude(pk=household.HOUSEHOLD).filter(suspended_at=None).count() == 1


def test_who_signs_up_while_somebody_follows_an_invitation_gets_nothing_of_it(
    acme: Party, saraa: Acting, first: LegalDocument
) -> None:
    """Both at once, in every order the database finds: the invited one's login is theirs alone."""
    with acme.tenant("account.manage"):
        _, token = invitations.invite("bat@example.com", Role.SUPPORT_AGENT, by=saraa)
    agreeing = Agreeing(*shown(), agreements.Where("203.0.113.7", "Firefox"))
    bat = Profile("Bat", "bat@example.com")

    def sign_up_bat(slug: str) -> bool:
        try:
            sign_up(slug, bat)
        except AlreadyKnown:
            return False
        return True

    def join() -> bool:
        return bool(joining.join_as_new(token, bat, PASSWORD, agreeing))

    thieves: list[Callable[[], bool]] = [lambda n=n: sign_up_bat(f"bogus-{n}") for n in range(3)]  # type: ignore[misc]
    together([*thieves, join])
    user_id = signing_in.check_password("bat@example.com", PASSWORD, "203.0.113.7").user_id
    assert acme.id in {each.organization_id for each in people.memberships_of(user_id)}


def test_a_failed_join_leaves_a_login_that_nobody_else_takes(
    first: LegalDocument,
) -> None:
    joining.own_login("bat@example.com", PASSWORD, "mn")
    with pytest.raises(AlreadyKnown):
        sign_up("globex", Profile("Thief", "bat@example.com"))
    assert signing_in.check_password("bat@example.com", PASSWORD, "203.0.113.7")


def test_eight_at_once_for_one_name_found_one_organization(
    first: LegalDocument, superuser: psycopg.Connection
) -> None:
    household.found()

    def attempt(number: int) -> bool:
        try:
            sign_up(profile=SARAA._replace(email=f"saraa{number}@example.com"))
        except NameTaken:
            return False
        return True

    assert sum(together([lambda n=n: attempt(n) for n in range(8)])) == 1
    assert organizations() == {"acme"}
    rows = superuser.execute("SELECT count(*) FROM accounts_acceptance").fetchone()
    assert rows == (2,)
