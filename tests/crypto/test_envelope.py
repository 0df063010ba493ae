"""The envelope of a field: every bit of it matters, and nothing else passes for one."""

import os
import threading
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iva.crypto import aead
from iva.crypto.aead import Place, SealBroken

KEY_ID = 0x0123_4567_89AB_CDEF
CIPHER = aead.cipher(bytes(range(32)))
PLACE = Place.at(uuid.UUID(int=1), uuid.UUID(int=2), 3, 4, uuid.UUID(int=5))


@given(st.binary(max_size=2_000), st.integers(0, 2**63 - 1))
def test_what_was_sealed_opens_again(plaintext: bytes, key_id: int) -> None:
    sealed = aead.seal(CIPHER, key_id, PLACE, plaintext)
    assert len(sealed) == len(plaintext) + 40
    assert aead.key_id_of(sealed) == key_id
    assert aead.open(CIPHER, PLACE, sealed) == plaintext


@pytest.mark.parametrize("plaintext", [b"", b"x", "сайн байна уу".encode(), bytes(100)])
def test_no_bit_of_an_envelope_can_be_flipped(plaintext: bytes) -> None:
    sealed = aead.seal(CIPHER, KEY_ID, PLACE, plaintext)
    for bit in range(8 * len(sealed)):
        flipped = bytearray(sealed)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealBroken):
            aead.open(CIPHER, PLACE, bytes(flipped))


def test_an_envelope_can_be_neither_cut_nor_extended() -> None:
    sealed = aead.seal(CIPHER, KEY_ID, PLACE, b"forty bytes and more")
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            aead.open(CIPHER, PLACE, sealed[:length])
    for extra in (b"\x00", b" ", sealed, bytes(16)):
        with pytest.raises(SealBroken):
            aead.open(CIPHER, PLACE, sealed + extra)
        with pytest.raises(SealBroken):
            aead.open(CIPHER, PLACE, extra + sealed)


@given(st.one_of(st.binary(max_size=200), st.text(max_size=100).map(str.encode)))
def test_random_and_planted_bytes_are_refused(planted: bytes) -> None:
    with pytest.raises(SealBroken):
        aead.open(CIPHER, PLACE, planted)


@given(st.binary(min_size=28, max_size=100))
def test_random_bytes_under_a_true_header_are_refused(planted: bytes) -> None:
    with pytest.raises(SealBroken):
        aead.open(CIPHER, PLACE, aead.header(KEY_ID) + planted)


@pytest.mark.parametrize("offset, name", [(0, "magic"), (1, "suite"), (2, "flags"), (3, "version")])
def test_an_unknown_format_is_refused_before_anything_is_decrypted(offset: int, name: str) -> None:
    sealed = bytearray(aead.seal(CIPHER, KEY_ID, PLACE, b"x"))
    for value in set(range(256)) - {sealed[offset]}:
        sealed[offset] = value
        with pytest.raises(SealBroken, match="known format"):
            aead.key_id_of(bytes(sealed))


def test_an_envelope_opens_in_its_place_and_in_no_other() -> None:
    sealed = aead.seal(CIPHER, KEY_ID, PLACE, b"x")
    for part, width in zip(Place._fields, aead.PLACE_WIDTHS, strict=True):
        elsewhere = PLACE._replace(**{part: b"\xff" * width})
        with pytest.raises(SealBroken):
            aead.open(CIPHER, elsewhere, sealed)


@given(st.tuples(*[st.integers(0, 20)] * 5).filter(lambda widths: widths != aead.PLACE_WIDTHS))
def test_a_place_of_other_widths_is_refused(widths: tuple[int, ...]) -> None:
    place = Place(*(bytes(width) for width in widths))
    with pytest.raises(ValueError, match="fixed width"):
        aead.seal(CIPHER, KEY_ID, place, b"x")


def test_only_keys_of_32_bytes_are_keys() -> None:
    for length in (0, 16, 24, 31, 33):
        with pytest.raises(ValueError, match="32 bytes"):
            aead.cipher(bytes(length))


@settings(max_examples=20)
@given(st.binary(max_size=50))
def test_sealing_twice_never_gives_the_same_bytes(plaintext: bytes) -> None:
    assert len({aead.seal(CIPHER, KEY_ID, PLACE, plaintext) for _ in range(50)}) == 50


def nonces(many: int) -> list[bytes]:
    return [aead.seal(CIPHER, KEY_ID, PLACE, b"")[12:24] for _ in range(many)]


def test_four_threads_never_draw_the_same_nonce() -> None:
    drawn: list[bytes] = []
    threads = [threading.Thread(target=lambda: drawn.extend(nonces(25_000))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(drawn)) == len(drawn) == 100_000


def test_a_forked_child_draws_other_nonces_than_its_parent() -> None:
    nonces(1)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, b"".join(nonces(500)))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        theirs = pipe.read()
    os.waitpid(child, 0)
    drawn = [theirs[at : at + 12] for at in range(0, len(theirs), 12)] + nonces(500)
    assert len(set(drawn)) == len(drawn) == 1_000
