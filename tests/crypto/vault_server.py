"""Vault's Transit engine, as far as the product speaks with it: paths, members, statuses and error texts.

https://developer.hashicorp.com/vault/api-docs/secret/transit describes the format.
"""

import base64
import os
import re
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.crypto.speaking_http import Reply, Request


@dataclass
class Key:
    created_with: dict[str, Any]
    secret: AESGCM = field(default_factory=lambda: AESGCM(os.urandom(32)))
    deletion_allowed: bool = False


@dataclass
class VaultServer:
    """An unsealed Vault. `sealed` and `old_errors` make it answer as a sealed or an older one does."""

    token: str = "hvs.of-the-tests"
    keys: dict[str, Key] = field(default_factory=dict)
    sealed: bool = False
    old_errors: bool = False

    def answer(self, request: Request) -> Reply:
        if self.sealed:
            return refused(503, "Vault is sealed")
        if request.headers.get("x-vault-token") != self.token:
            return refused(403, "permission denied")
        found = re.fullmatch(r"/v1/transit/(keys|encrypt|decrypt)(?:/([\w-]+))?(/config)?", request.path)
        if not found:
            return refused(404, "no handler for route")
        room, name, config = found.groups()
        if room == "keys":
            return self.key(request, name, bool(config))
        return self.encrypt(name, request.body) if room == "encrypt" else self.decrypt(name, request.body)

    def key(self, request: Request, name: str | None, config: bool) -> Reply:
        if name is None:
            known = {"data": {"keys": sorted(self.keys)}}
            return Reply(200, known) if self.keys else refused(404)
        if request.method == "POST" and not config:
            self.keys.setdefault(name, Key(request.body))
            return Reply(200, self.described(name))
        if name not in self.keys:
            missing = "no existing key named " + name + " could be found"
            return refused(404) if request.method == "GET" else refused(400, missing)
        if request.method == "GET":
            return Reply(200, self.described(name))
        if request.method == "POST":
            self.keys[name].deletion_allowed = request.body["deletion_allowed"]
            return Reply(200, self.described(name))
        if not self.keys[name].deletion_allowed:
            return refused(400, "error deleting policy " + name + ": deletion is not allowed for this key")
        del self.keys[name]
        return Reply(204)

    def described(self, name: str) -> dict[str, Any]:
        return {"data": {"name": name, "deletion_allowed": self.keys[name].deletion_allowed}}

    def encrypt(self, name: str, body: dict[str, str]) -> Reply:
        """A missing key is made, as Vault does for a token that may create."""
        key, nonce = self.keys.setdefault(name, Key({})), os.urandom(12)
        plaintext, bound = base64.b64decode(body["plaintext"]), base64.b64decode(body["associated_data"])
        sealed = base64.b64encode(nonce + key.secret.encrypt(nonce, plaintext, bound)).decode()
        return Reply(200, {"data": {"ciphertext": f"vault:v1:{sealed}", "key_version": 1}})

    def decrypt(self, name: str, body: dict[str, str]) -> Reply:
        if name not in self.keys:
            return refused(400, "encryption key not found")
        if not body["ciphertext"].startswith("vault:v1:"):
            return refused(400, "invalid ciphertext: no prefix")
        try:
            sealed = base64.b64decode(body["ciphertext"].removeprefix("vault:v1:"), validate=True)
        except ValueError:
            return refused(400, "invalid ciphertext: could not decode base64")
        try:
            bound = base64.b64decode(body["associated_data"])
            opened = self.keys[name].secret.decrypt(sealed[:12], sealed[12:], bound)
        except (InvalidTag, ValueError):
            return refused(500 if self.old_errors else 400, "cipher: message authentication failed")
        return Reply(200, {"data": {"plaintext": base64.b64encode(opened).decode()}})


def refused(status: int, *errors: str) -> Reply:
    return Reply(status, {"errors": list(errors)})
