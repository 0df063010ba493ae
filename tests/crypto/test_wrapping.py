"""A wrapped data key opens for what it was wrapped for and commits to one key."""

import os
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iva.crypto import aead, wrapping
from iva.crypto.wrapping import KeyName, WrapBroken

UNDER = aead.cipher(bytes(range(32)))
NAME = KeyName(uuid.UUID(int=1), uuid.UUID(int=2), "end_user", 3, 4)
KEY = bytes(range(100, 132))


def test_a_wrapped_key_opens_again_and_has_108_bytes() -> None:
    wrapped = wrapping.wrap(UNDER, NAME, KEY)
    assert len(wrapped) == wrapping.LENGTH == 108
    assert wrapping.unwrap(UNDER, NAME, wrapped) == KEY
    assert wrapping.generation_of(wrapped) == 4
    assert KEY not in wrapped


def test_no_bit_of_a_wrapped_key_can_be_flipped() -> None:
    wrapped = wrapping.wrap(UNDER, NAME, KEY)
    for bit in range(8 * len(wrapped)):
        flipped = bytearray(wrapped)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(WrapBroken):
            wrapping.unwrap(UNDER, NAME, bytes(flipped))


@pytest.mark.parametrize(
    "other",
    [
        NAME._replace(organization_id=uuid.UUID(int=9)),
        NAME._replace(subject_id=uuid.UUID(int=9)),
        NAME._replace(purpose="organization"),
        NAME._replace(purpose="index"),
        NAME._replace(key_id=9),
        NAME._replace(generation=9),
    ],
)
def test_a_wrapped_key_is_of_no_use_to_anybody_else(other: KeyName) -> None:
    wrapped = wrapping.wrap(UNDER, NAME, KEY)
    with pytest.raises(WrapBroken):
        wrapping.unwrap(UNDER, other, wrapped)


def test_the_header_of_another_key_does_not_help() -> None:
    """The thief writes the victim's header over their own blob: the tag still knows."""
    victim = NAME._replace(subject_id=uuid.UUID(int=9), key_id=9)
    mine, theirs = wrapping.wrap(UNDER, NAME, KEY), wrapping.wrap(UNDER, victim, os.urandom(32))
    for cut in (16, 48, 60, 92):
        with pytest.raises(WrapBroken):
            wrapping.unwrap(UNDER, victim, theirs[:cut] + mine[cut:])


def test_a_blob_that_opens_to_another_key_than_it_commits_to_is_refused() -> None:
    """GCM alone would open it: somebody who knows the organization key wrote another commitment."""
    committed = wrapping.wrap(UNDER, NAME, KEY)[:48]
    nonce, other_key = bytes(12), os.urandom(32)
    forged = committed + nonce + UNDER.encrypt(nonce, other_key, wrapping._associated_data(committed, NAME))
    with pytest.raises(WrapBroken, match="committed"):
        wrapping.unwrap(UNDER, NAME, forged)


@given(st.binary(max_size=150))
def test_random_bytes_are_no_wrapped_key(planted: bytes) -> None:
    with pytest.raises(WrapBroken):
        wrapping.unwrap(UNDER, NAME, planted)
    with pytest.raises(WrapBroken):
        wrapping.generation_of(planted)


def test_key_ids_fit_a_signed_bigint_and_do_not_repeat() -> None:
    drawn = [wrapping.new_key_id() for _ in range(20_000)]
    assert all(0 < key_id < 2**63 for key_id in drawn)
    assert len(set(drawn)) == len(drawn)


def test_organization_contexts_are_injective() -> None:
    contexts = {
        wrapping.organization_context(uuid.UUID(int=organization), generation)
        for organization in (1, 2, 256)
        for generation in (1, 2, 256)
    }
    assert len(contexts) == 9
    assert {len(context) for context in contexts} == {len(wrapping.ORGANIZATION_KEY_LABEL) + 20}
