"""NIST's and the RFCs' own test vectors, run through the very calls the product makes."""

import hmac
import re
from collections.abc import Iterator
from importlib import resources

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from iva.crypto import aead
from iva.crypto.index_root import IndexRoot

VECTORS = resources.files("cryptography_vectors")


def lines(*path: str) -> Iterator[str]:
    return iter(VECTORS.joinpath(*path).read_text().splitlines())


def gcm_cases(name: str) -> Iterator[dict[str, str]]:
    """Each case of a CAVP response file: the section's lengths, then its own members; FAIL as a flag."""
    section: dict[str, str] = {}
    case: dict[str, str] = {}
    for line in [*lines("ciphers", "AES", "GCM", name), ""]:
        if found := re.fullmatch(r"\[(\w+) = (\w+)\]", line):
            section[found[1]] = found[2]
        elif line == "FAIL":
            case["FAIL"] = line
        elif " =" in line:
            member, _, value = line.partition(" =")
            case[member] = value.strip()
        elif case:
            yield section | case
            case = {}


def ours(cases: Iterator[dict[str, str]]) -> list[dict[str, str]]:
    """The cases of our parameters: 256-bit key, 96-bit nonce, 128-bit tag."""
    lengths = {"Keylen": "256", "IVlen": "96", "Taglen": "128"}
    return [case for case in cases if lengths.items() <= case.items()]


def test_aes_256_gcm_encrypts_as_nist_says() -> None:
    cases = ours(gcm_cases("gcmEncryptExtIV256.rsp"))
    for case in cases:
        key, nonce, text, data, sealed, tag = (
            bytes.fromhex(case[member]) for member in ("Key", "IV", "PT", "AAD", "CT", "Tag")
        )
        assert aead.cipher(key).encrypt(nonce, text, data) == sealed + tag
        assert aead.cipher(key).decrypt(nonce, sealed + tag, data) == text
    assert len(cases) == 375


def test_aes_256_gcm_opens_and_refuses_as_nist_says() -> None:
    cases = ours(gcm_cases("gcmDecrypt256.rsp"))
    for case in cases:
        key, nonce, data, sealed, tag = (
            bytes.fromhex(case[member]) for member in ("Key", "IV", "AAD", "CT", "Tag")
        )
        if "FAIL" in case:
            with pytest.raises(aead.InvalidTag):
                aead.cipher(key).decrypt(nonce, sealed + tag, data)
        else:
            assert aead.cipher(key).decrypt(nonce, sealed + tag, data) == bytes.fromhex(case["PT"])
    refused = sum("FAIL" in case for case in cases)
    assert (len(cases), refused) == (375, 191)


def test_hmac_sha_256_is_that_of_rfc_4231() -> None:
    key, message, done = b"", b"", 0
    for line in lines("HMAC", "rfc-4231-sha256.txt"):
        member, _, value = line.partition(" = ")
        if member == "Key":
            key = bytes.fromhex(value)
        elif member == "Msg":
            message = bytes.fromhex(value)
        elif member == "MD":
            assert hmac.digest(key, message, "sha256").hex() == value
            done += 1
    assert done == 6


def hkdf_cases() -> Iterator[dict[str, str]]:
    case: dict[str, str] = {}
    for name in ("rfc-5869-HKDF-SHA256.txt",):
        for line in lines("KDF", name):
            member, equals, value = line.partition("=")
            if equals:
                case[member.strip()] = value.strip()
            if member.strip() == "OKM":
                yield case
                case = {}


def test_hkdf_sha_256_is_that_of_rfc_5869() -> None:
    cases = list(hkdf_cases())
    for case in cases:
        salt, info, key = (bytes.fromhex(case[member]) for member in ("salt", "info", "IKM"))
        derived = HKDF(algorithm=SHA256(), length=int(case["L"]), salt=salt, info=info).derive(key)
        assert derived.hex() == case["OKM"]
    assert len(cases) == 3


def test_a_blind_index_is_hkdf_then_hmac_computed_here_a_second_time() -> None:
    root = bytes(range(32))
    pseudorandom = hmac.digest(bytes(32), root, "sha256")
    key = hmac.digest(pseudorandom, b"iva/blind-index/v1|end_user.phone" + b"\x01", "sha256")
    expected = hmac.digest(key, b"+97699112233", "sha256")[:16]
    assert IndexRoot(root).token("end_user.phone", "+97699112233") == expected
