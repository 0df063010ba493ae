"""HashiCorp Vault's Transit engine over its HTTP API: one named key, `iva-epoch-<n>`, for each epoch.

The keys are made with `exportable` and `allow_plaintext_backup` off, so they never leave Vault. The
context travels as `associated_data`. Destroying an epoch allows the key's deletion and deletes it, which
Vault does at once. Vault's own storage backups are its operator's: they hold deleted keys, sealed, for as
long as they are kept.

The token is read from its file for every call, so that an agent may renew it. Its policy needs, for
`<mount>/keys/iva-epoch-*`: create, read, update, delete, list, and for `<mount>/encrypt/iva-epoch-*` and
`<mount>/decrypt/iva-epoch-*`: update, not create, because Vault makes a missing key when encryption asks
for one and the policy lets it.
"""

import base64
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from django.core.exceptions import ImproperlyConfigured

from iva.crypto.kms.promise import EpochDestroyed, KeyServiceUnavailable, WrapBroken

PREFIX = "iva-epoch-"
SECONDS = 5.0
NOT_FOUND = 404


class RefusedByVault(Exception):
    """Vault understood the request and said no; `reasons` is its own text."""

    def __init__(self, status: int, reasons: str) -> None:
        super().__init__(reasons)
        self.status, self.reasons = status, reasons


class VaultTransit:
    """Epoch keys in Vault. Implements `iva.crypto.kms.KeyService`."""

    def __init__(self, address: str, token_file: str, mount: str = "transit") -> None:
        if not (address and token_file and mount):
            raise ImproperlyConfigured("IVA_VAULT_ADDR and IVA_VAULT_TOKEN_FILE name the Vault")
        self._token_file = Path(token_file)
        self._client = httpx.Client(
            base_url=f"{address.rstrip('/')}/v1/{mount}/",
            timeout=SECONDS,
            trust_env=False,
            verify=ssl.create_default_context(),
        )

    def current_epoch(self) -> int:
        epochs = self.epochs()
        return epochs[-1] if epochs else self.begin_epoch()

    def epochs(self) -> list[int]:
        try:
            listed = self._ask("LIST", "keys")
        except RefusedByVault as refusal:
            if refusal.status == NOT_FOUND:
                return []
            raise _unavailable(refusal) from None
        names = [name.removeprefix(PREFIX) for name in listed["data"]["keys"] if name.startswith(PREFIX)]
        return sorted(int(name) for name in names if name.isdecimal())

    def wrap(self, epoch: int, key: bytes, context: bytes) -> bytes:
        self._require(epoch)
        body = {"plaintext": _base64(key), "associated_data": _base64(context)}
        try:
            answer = self._ask("POST", f"encrypt/{PREFIX}{epoch}", body)
        except RefusedByVault as refusal:
            raise _told_apart(refusal) from None
        return str(answer["data"]["ciphertext"]).encode("ascii")

    def unwrap(self, epoch: int, wrapped: bytes, context: bytes) -> bytes:
        body = {"ciphertext": wrapped.decode("ascii", "replace"), "associated_data": _base64(context)}
        try:
            answer = self._ask("POST", f"decrypt/{PREFIX}{epoch}", body)
        except RefusedByVault as refusal:
            raise _told_apart(refusal) from None
        return base64.b64decode(answer["data"]["plaintext"])

    def begin_epoch(self) -> int:
        """Vault does not replace a key that exists: two who begin at once share an epoch."""
        epoch = max(self.epochs(), default=0) + 1
        body = {
            "type": "aes256-gcm96",
            "exportable": False,
            "allow_plaintext_backup": False,
            "derived": False,
        }
        try:
            self._ask("POST", f"keys/{PREFIX}{epoch}", body)
        except RefusedByVault as refusal:
            raise _unavailable(refusal) from None
        return epoch

    def destroy_epoch(self, epoch: int) -> datetime:
        try:
            self._ask("POST", f"keys/{PREFIX}{epoch}/config", {"deletion_allowed": True})
            self._ask("DELETE", f"keys/{PREFIX}{epoch}")
        except RefusedByVault as refusal:
            if epoch in self.epochs():
                raise _unavailable(refusal) from None
        return datetime.now(UTC)

    def _require(self, epoch: int) -> None:
        try:
            self._ask("GET", f"keys/{PREFIX}{epoch}")
        except RefusedByVault as refusal:
            if refusal.status == NOT_FOUND:
                raise EpochDestroyed(f"Vault holds no epoch {epoch}") from None
            raise _unavailable(refusal) from None

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Vault's answer. Raises RefusedByVault when it says why not, else KeyServiceUnavailable."""
        try:
            headers = {"X-Vault-Token": self._token_file.read_text(encoding="ascii").strip()}
            answer = self._client.request(method, path, json=body, headers=headers)
            content = answer.json() if answer.content else None
        except (OSError, ValueError, httpx.HTTPError) as error:
            raise KeyServiceUnavailable(f"Vault did not answer: {type(error).__name__}") from None
        if answer.is_success:
            return content
        reasons = "; ".join(content.get("errors", [])) if isinstance(content, dict) else ""
        # Vault has answered 400 and, in some versions, 500 when a ciphertext does not open.
        if answer.status_code in {400, NOT_FOUND} or "message authentication failed" in reasons:
            raise RefusedByVault(answer.status_code, reasons)
        raise KeyServiceUnavailable(f"Vault answered {answer.status_code}")


def _told_apart(refusal: RefusedByVault) -> Exception:
    if refusal.status == NOT_FOUND or "encryption key not found" in refusal.reasons:
        return EpochDestroyed("Vault holds no such epoch")
    return WrapBroken("Vault does not open it: the wrapped key was altered or belongs elsewhere")


def _unavailable(refusal: RefusedByVault) -> KeyServiceUnavailable:
    return KeyServiceUnavailable(f"Vault refused: {refusal.status} {refusal.reasons}")


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
