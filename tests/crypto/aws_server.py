"""AWS KMS, as far as the product speaks with it: the JSON 1.1 protocol, its operations and exceptions.

https://docs.aws.amazon.com/kms/latest/APIReference/ describes the format.
"""

import base64
import json
import os
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.crypto.speaking_http import Reply, Request

JSON = "application/x-amz-json-1.1"
PAGE = 2
DAY = 86_400


class Refused(Exception):
    """An exception of AWS, by its name."""


@dataclass
class Key:
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    secret: AESGCM = field(default_factory=lambda: AESGCM(os.urandom(32)))
    state: str = "Enabled"
    deletion_date: float | None = None

    def metadata(self) -> dict[str, Any]:
        date = {} if self.deletion_date is None else {"DeletionDate": self.deletion_date}
        return {"KeyId": self.id, "KeyState": self.state, "Enabled": self.state == "Enabled", **date}


@dataclass
class AwsServer:
    """A region's KMS. `throttled` makes it refuse everything."""

    keys: dict[str, Key] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=lambda: {"alias/aws/ebs": ""})
    throttled: bool = False

    def answer(self, request: Request) -> Reply:
        if "AWS4-HMAC-SHA256" not in request.headers.get("authorization", ""):
            return Reply(400, {"__type": "MissingAuthenticationTokenException"}, JSON)
        operation = request.headers["x-amz-target"].removeprefix("TrentService.")
        try:
            if self.throttled:
                raise Refused("ThrottlingException")
            return Reply(200, getattr(self, operation)(**request.body) or {}, JSON)
        except Refused as refusal:
            return Reply(400, {"__type": str(refusal), "message": "refused"}, JSON)

    def CreateKey(self, Description: str, KeyUsage: str, KeySpec: str, Tags: list[Any]) -> dict[str, Any]:  # noqa: N802, N803
        key = Key()
        self.keys[key.id] = key
        return {"KeyMetadata": key.metadata()}

    def CreateAlias(self, AliasName: str, TargetKeyId: str) -> None:  # noqa: N802, N803
        if AliasName in self.aliases:
            raise Refused("AlreadyExistsException")
        self.aliases[AliasName] = self.keys[TargetKeyId].id

    def DeleteAlias(self, AliasName: str) -> None:  # noqa: N802, N803
        self.found(AliasName)
        del self.aliases[AliasName]

    def ListAliases(self, Limit: int, Marker: str = "0") -> dict[str, Any]:  # noqa: N802, N803
        """AWS's own aliases have no target until they are used. Pages are short here."""
        begin = int(Marker)
        names = sorted(self.aliases)[begin : begin + PAGE]
        more = begin + PAGE < len(self.aliases)
        listed = [
            {"AliasName": name, **({"TargetKeyId": self.aliases[name]} if self.aliases[name] else {})}
            for name in names
        ]
        return {"Aliases": listed, "Truncated": more, **({"NextMarker": str(begin + PAGE)} if more else {})}

    def DescribeKey(self, KeyId: str) -> dict[str, Any]:  # noqa: N802, N803
        return {"KeyMetadata": self.found(KeyId).metadata()}

    def Encrypt(self, KeyId: str, Plaintext: str, EncryptionContext: dict[str, str]) -> dict[str, Any]:  # noqa: N802, N803
        key, nonce = self.usable(KeyId), os.urandom(12)
        sealed = key.secret.encrypt(nonce, base64.b64decode(Plaintext), canonical(EncryptionContext))
        blob = key.id.encode() + nonce + sealed
        return {"KeyId": key.id, "CiphertextBlob": base64.b64encode(blob).decode()}

    def Decrypt(self, KeyId: str, CiphertextBlob: str, EncryptionContext: dict[str, str]) -> dict[str, Any]:  # noqa: N802, N803
        key, blob = self.usable(KeyId), base64.b64decode(CiphertextBlob)
        named = blob[:36].decode("ascii", "replace")
        if named not in self.keys:
            raise Refused("InvalidCiphertextException")
        if named != key.id:
            raise Refused("IncorrectKeyException")
        try:
            opened = key.secret.decrypt(blob[36:48], blob[48:], canonical(EncryptionContext))
        except (InvalidTag, ValueError):
            raise Refused("InvalidCiphertextException") from None
        return {"KeyId": key.id, "Plaintext": base64.b64encode(opened).decode()}

    def DisableKey(self, KeyId: str) -> None:  # noqa: N802, N803
        self.found(KeyId).state = "Disabled"

    def ScheduleKeyDeletion(self, KeyId: str, PendingWindowInDays: int) -> dict[str, Any]:  # noqa: N802, N803
        key = self.found(KeyId)
        key.state, key.deletion_date = "PendingDeletion", time.time() + PendingWindowInDays * DAY
        return {"KeyId": key.id, "DeletionDate": key.deletion_date, "KeyState": key.state}

    def refuse(self) -> None:
        raise Refused("ThrottlingException")

    def found(self, name: str) -> Key:
        key = self.keys.get(self.aliases.get(name, name))
        if key is None:
            raise Refused("NotFoundException")
        return key

    def usable(self, name: str) -> Key:
        key = self.found(name)
        if key.state == "Disabled":
            raise Refused("DisabledException")
        if key.state != "Enabled":
            raise Refused("KMSInvalidStateException")
        return key


def canonical(context: dict[str, str]) -> bytes:
    return json.dumps(context, sort_keys=True).encode()
