"""A device that holds passkeys: what browser and authenticator do together (WebAuthn Level 3, CTAP 2)."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40
ORIGIN, SITE = "http://testserver", "testserver"


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "==")


@dataclass
class Credential:
    id: bytes
    key: ec.EllipticCurvePrivateKey
    user_handle: bytes


class Device:
    """`counts` False: the counter stays at nought, as with passkeys that are synchronized."""

    def __init__(self, *, counts: bool = True, origin: str = ORIGIN, verifies: bool = True) -> None:
        self.counts, self.origin, self.verifies = counts, origin, verifies
        self.credentials: list[Credential] = []
        self.count = 0
        self.site = SITE

    def create(self, options: dict[str, Any]) -> str:
        """navigator.credentials.create()"""
        excluded = {unb64(each["id"]) for each in options["excludeCredentials"]}
        if excluded & {credential.id for credential in self.credentials}:
            raise LookupError("InvalidStateError")
        credential = Credential(
            secrets.token_bytes(32), ec.generate_private_key(ec.SECP256R1()), unb64(options["user"]["id"])
        )
        self.credentials.append(credential)
        client = self._client("webauthn.create", options["challenge"])
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": self._registration(credential)})
        response = {"clientDataJSON": b64(client), "attestationObject": b64(attestation)}
        return self._said(credential, {**response, "transports": ["internal", "hybrid"]})

    def get(self, options: dict[str, Any]) -> str:
        """navigator.credentials.get()"""
        allowed = {unb64(each["id"]) for each in options.get("allowCredentials", [])}
        credential = next(each for each in self.credentials if not allowed or each.id in allowed)
        client = self._client("webauthn.get", options["challenge"])
        data = self._data(0)
        signature = credential.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        response = {
            "clientDataJSON": b64(client),
            "authenticatorData": b64(data),
            "signature": b64(signature),
            "userHandle": b64(credential.user_handle),
        }
        return self._said(credential, response)

    def _client(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _data(self, flags: int) -> bytes:
        self.count += self.counts
        flags |= PRESENT | (VERIFIED if self.verifies else 0)
        return hashlib.sha256(self.site.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _registration(self, credential: Credential) -> bytes:
        numbers = credential.key.public_key().public_numbers()
        x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
        key = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        return self._data(ATTESTED) + bytes(15) + b"\x07" + (32).to_bytes(2, "big") + credential.id + key

    def _said(self, credential: Credential, response: dict[str, Any]) -> str:
        known = b64(credential.id)
        return json.dumps({"id": known, "rawId": known, "type": "public-key", "response": response})
