"""Blind indexes: equal values meet, and only within one organization and one index."""

import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iva import tenancy
from iva.crypto import blind_index, cache, epochs
from iva.crypto.index_root import IndexRoot
from tests.crypto.conftest import founded

PHONE = "+97699112233"


def token(organization: uuid.UUID, index: str = "end_user.phone", value: str = PHONE) -> bytes:
    with tenancy.tenant(organization):
        return blind_index.token(index, value)


def test_equal_values_have_equal_tokens_of_16_bytes(organization: uuid.UUID) -> None:
    assert token(organization) == token(organization)
    assert len(token(organization)) == 16
    cache.forget_all()
    assert token(organization) == token(organization)


def test_the_same_phone_in_two_organizations_or_two_indexes_is_unrelated(
    organization: uuid.UUID, another: uuid.UUID
) -> None:
    found = {
        token(place, index)
        for place in (organization, another)
        for index in ("end_user.phone", "end_user.email")
    }
    assert len(found) == 4


def test_many_tokens_are_the_single_ones_in_order(organization: uuid.UUID) -> None:
    values = [PHONE, "", "ё", PHONE]
    with tenancy.tenant(organization):
        assert blind_index.tokens("x", values) == [blind_index.token("x", value) for value in values]


def test_tokens_survive_the_rolling_of_epochs(organization: uuid.UUID) -> None:
    before = token(organization)
    for _ in range(2):
        epochs.roll(lambda: [organization])
        cache.forget_all()
        assert token(organization) == before


def test_the_token_does_not_contain_the_value(organization: uuid.UUID) -> None:
    assert b"9911" not in token(organization)


def test_outside_a_tenant_there_are_no_tokens() -> None:
    with pytest.raises(tenancy.NoTenantActive):
        blind_index.token("end_user.phone", PHONE)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), min_size=2, max_size=20, unique=True))
def test_different_names_and_values_have_different_tokens(drawn: list[tuple[str, str]]) -> None:
    root = IndexRoot(bytes(32))
    assert len({root.token(name, value) for name, value in drawn}) == len(drawn)


def test_roots_differ_between_organizations(db: None, registered: None) -> None:
    assert len({token(founded()) for _ in range(5)}) == 5
