"""What was written once opens forever. The files in tests/vectors are never changed, only added to.

Their nonces were fixed; the first envelope is taken apart here byte by byte with nothing of ours but the key.
"""

import hmac
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from iva.crypto import aead, wrapping
from iva.crypto.index_root import IndexRoot
from iva.crypto.kms.local import LocalKeyring

VECTORS = Path(__file__).parent.parent / "vectors"


def vectors(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))


def place(case: dict[str, Any]) -> aead.Place:
    return aead.Place.at(
        uuid.UUID(case["organization"]),
        uuid.UUID(case["subject"]),
        case["table"],
        case["column"],
        uuid.UUID(case["row"]),
    )


@pytest.mark.parametrize("case", vectors("envelope_v1"))
def test_an_envelope_of_format_1_opens(case: dict[str, Any]) -> None:
    sealed = bytes.fromhex(case["sealed"])
    assert aead.key_id_of(sealed) == int(case["key_id"])
    opened = aead.open(aead.cipher(bytes.fromhex(case["key"])), place(case), sealed)
    assert opened.hex() == case["plaintext"]


@pytest.mark.parametrize("case", vectors("envelope_v1"))
def test_an_envelope_of_format_1_is_still_written_so(case: dict[str, Any]) -> None:
    nonce = bytes.fromhex(case["nonce"])
    sealed = aead.seal(
        aead.cipher(bytes.fromhex(case["key"])),
        int(case["key_id"]),
        place(case),
        bytes.fromhex(case["plaintext"]),
        draw=lambda length: nonce,
    )
    assert sealed.hex() == case["sealed"]


def test_an_envelope_is_what_the_documentation_says_byte_by_byte() -> None:
    for case in vectors("envelope_v1"):
        sealed = bytes.fromhex(case["sealed"])
        header = bytes([0xFE, 1, 0, 1]) + int(case["key_id"]).to_bytes(8, "big")
        ids = [uuid.UUID(case[name]).bytes for name in ("organization", "subject", "row")]
        numbers = case["table"].to_bytes(4, "big") + case["column"].to_bytes(4, "big")
        bound = header + ids[0] + ids[1] + numbers + ids[2]
        assert sealed[:12] == header
        assert sealed[12:24].hex() == case["nonce"]
        opened = AESGCM(bytes.fromhex(case["key"])).decrypt(sealed[12:24], sealed[24:], bound)
        assert opened.hex() == case["plaintext"]


@pytest.mark.parametrize("case", vectors("wrapped_data_key_v1"))
def test_a_wrapped_data_key_of_format_1_opens_and_is_still_written_so(case: dict[str, Any]) -> None:
    under, nonce = aead.cipher(bytes.fromhex(case["organization_key"])), bytes.fromhex(case["nonce"])
    organization, subject = uuid.UUID(case["organization"]), uuid.UUID(case["subject"])
    name = wrapping.KeyName(organization, subject, case["purpose"], int(case["key_id"]), case["generation"])
    key, wrapped = bytes.fromhex(case["data_key"]), bytes.fromhex(case["wrapped"])
    assert wrapping.unwrap(under, name, wrapped) == key
    assert wrapping.wrap(under, name, key, draw=lambda length: nonce) == wrapped
    assert wrapped[16:48].hex() == case["commitment"]


def test_a_wrapped_data_key_is_what_the_documentation_says_byte_by_byte() -> None:
    for case in vectors("wrapped_data_key_v1"):
        wrapped, key_id = bytes.fromhex(case["wrapped"]), int(case["key_id"]).to_bytes(8, "big")
        purpose = {"end_user": 1, "organization": 2, "index": 3}[case["purpose"]]
        assert wrapped[:16] == bytes([0xFD, 1, 1, purpose]) + case["generation"].to_bytes(4, "big") + key_id
        ids = [uuid.UUID(case[name]).bytes for name in ("organization", "subject")]
        bound = b"iva/dek/v1" + wrapped[:48] + ids[0] + ids[1]
        key = AESGCM(bytes.fromhex(case["organization_key"])).decrypt(wrapped[48:60], wrapped[60:], bound)
        assert key.hex() == case["data_key"]
        assert hmac.digest(key, b"iva/commit/v1" + key_id, "sha256") == wrapped[16:48]


@pytest.mark.parametrize("case", vectors("blind_index_v1"))
def test_a_blind_index_of_format_1_finds_what_was_indexed(case: dict[str, Any]) -> None:
    token = IndexRoot(bytes.fromhex(case["root"])).token(case["index"], case["normalized"])
    assert token.hex() == case["token"]


def test_a_keyring_of_format_1_opens_what_it_wrapped(tmp_path: Path) -> None:
    case = vectors("keyring_v1")
    file = tmp_path / "keyring"
    file.touch(mode=0o600)
    file.write_text(json.dumps(case["keyring"]))
    context = wrapping.organization_context(uuid.UUID(case["organization"]), case["generation"])
    opened = LocalKeyring(str(file)).unwrap(case["epoch"], bytes.fromhex(case["wrapped"]), context)
    assert opened.hex() == case["key"]
