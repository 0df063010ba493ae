"""An organization signs up whole, with what it accepted, or not at all."""

import psycopg
import pytest

from accounts import agreements, household, people, signing_in, signing_up
from accounts.addresses import AddressInvalid
from accounts.models import Acceptance, LegalDocument, Membership, Organization, User
from accounts.passwords import PasswordRefused
from accounts.people import AlreadyKnown, Profile
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


def sign_up(slug: str = "acme", profile: Profile = SARAA, password: str = PASSWORD) -> Founded:
    where = agreements.Where("203.0.113.7", "Firefox")
    return signing_up.sign_up("Acme", slug, profile, password, shown(), where)


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
    first_factor = signing_in.check_password("saraa@example.com", PASSWORD, "203.0.113.7")
    assert (first_factor.user_id, first_factor.must_enroll) == (founded.user_id, True)


def test_who_was_shown_other_documents_founds_nothing_and_is_given_the_current_ones(
    first: LegalDocument,
) -> None:
    stale = shown()
    documents.published("1.0.1")
    with pytest.raises(agreements.DocumentsChanged) as changed:
        signing_up.sign_up("Acme", "acme", SARAA, PASSWORD, stale)
    assert changed.value.current.terms.digest == shown().terms
    assert organizations() == set()
    assert not User.objects.exists()


def test_before_there_are_documents_nobody_signs_up(db: None) -> None:
    with pytest.raises(agreements.NothingInEffect):
        signing_up.sign_up("Acme", "acme", SARAA, PASSWORD, Accepted("x", "y"))
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("profile", "password", "error"),
    [
        (SARAA._replace(email="no address"), PASSWORD, AddressInvalid),
        (SARAA._replace(phone="12"), PASSWORD, AddressInvalid),
        (SARAA, "qwerty123456", PasswordRefused),
    ],
)
def test_rubbish_founds_nothing(
    first: LegalDocument, profile: Profile, password: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        sign_up(profile=profile, password=password)
    assert organizations() == set()
    assert not Membership.objects.exists()


def test_a_name_that_is_taken_founds_nothing_and_can_be_tried_again_with_another(
    acme: Party, first: LegalDocument
) -> None:
    with pytest.raises(NameTaken):
        sign_up()
    assert not Membership.objects.exists()
    founded = sign_up("acme-two", password="another good password")
    assert (
        signing_in.check_password("saraa@example.com", "another good password", "::1").user_id
        == founded.user_id
    )


def test_whoever_has_a_login_is_not_replaced(first: LegalDocument) -> None:
    founded = sign_up()
    with pytest.raises(AlreadyKnown):
        sign_up("globex", password="a password of a thief")
    people.verify(founded.user_id)
    with pytest.raises(AlreadyKnown):
        sign_up("globex", password="a password of a thief")
    assert organizations() == {"acme"}
    assert signing_in.check_password("saraa@example.com", PASSWORD, "203.0.113.7")


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
