"""AWS KMS through boto3: one symmetric KMS key for each epoch, found by its alias `alias/iva-epoch-<n>`.

The context travels as the encryption context (base64, because AWS takes text). Credentials come from
boto3's own chain; the role needs CreateKey, TagResource, CreateAlias, DeleteAlias, ListAliases,
DescribeKey, Encrypt, Decrypt, DisableKey and ScheduleKeyDeletion, and must not have CancelKeyDeletion or
EnableKey.

AWS does not destroy at once. `destroy_epoch` disables the key, so that nothing opens any more, and
schedules its deletion; AWS deletes it seven days later and not before. During these days an administrator
with other rights than ours could still cancel. `destroy_epoch` therefore returns AWS's deletion date, and
certificates must say that day, not today.
"""

import base64
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.exceptions import ImproperlyConfigured

from iva.crypto.kms.promise import EpochDestroyed, KeyServiceUnavailable, WrapBroken

PREFIX = "alias/iva-epoch-"
SHORTEST_WAIT_DAYS = 7
TRIES = 10
CONTEXT = "iva"

GONE = {"NotFoundException", "DisabledException", "KMSInvalidStateException"}
BROKEN = {"InvalidCiphertextException", "IncorrectKeyException"}
_CONFIG = Config(connect_timeout=5, read_timeout=5, retries={"mode": "standard", "max_attempts": 3})


class AliasTaken(Exception):
    """Somebody else began an epoch of this number a moment ago."""


class AwsKms:
    """Epoch keys in AWS KMS. Implements `iva.crypto.kms.KeyService`."""

    def __init__(self, region: str, endpoint: str = "") -> None:
        if not region:
            raise ImproperlyConfigured("IVA_AWS_REGION names the region of the KMS")
        self._kms = boto3.client("kms", region_name=region, endpoint_url=endpoint or None, config=_CONFIG)

    def current_epoch(self) -> int:
        epochs = self.epochs()
        return epochs[-1] if epochs else self.begin_epoch()

    def epochs(self) -> list[int]:
        """A destroyed epoch's alias is removed last, so an interrupted destruction is listed again."""
        pages = self._call("list_aliases", Limit=100)
        aliases = list(pages["Aliases"])
        while pages.get("Truncated"):
            pages = self._call("list_aliases", Limit=100, Marker=pages["NextMarker"])
            aliases += pages["Aliases"]
        names = [alias["AliasName"].removeprefix(PREFIX) for alias in aliases if "TargetKeyId" in alias]
        return sorted(int(name) for name in names if name.isdecimal())

    def wrap(self, epoch: int, key: bytes, context: bytes) -> bytes:
        answer = self._call("encrypt", **_keyed(epoch, context), Plaintext=key)
        return bytes(answer["CiphertextBlob"])

    def unwrap(self, epoch: int, wrapped: bytes, context: bytes) -> bytes:
        if not wrapped:
            raise WrapBroken("nothing to unwrap")
        answer = self._call("decrypt", **_keyed(epoch, context), CiphertextBlob=wrapped)
        return bytes(answer["Plaintext"])

    def begin_epoch(self) -> int:
        """An alias can be taken only once: two who begin at the same time get two epochs."""
        epoch = max(self.epochs(), default=0) + 1
        made = self._call(
            "create_key",
            Description="IVA epoch",
            KeyUsage="ENCRYPT_DECRYPT",
            KeySpec="SYMMETRIC_DEFAULT",
            Tags=[{"TagKey": "purpose", "TagValue": "iva-epoch"}],
        )
        for number in range(epoch, epoch + TRIES):
            with suppress(AliasTaken):
                self._call(
                    "create_alias", AliasName=f"{PREFIX}{number}", TargetKeyId=made["KeyMetadata"]["KeyId"]
                )
                return number
        raise KeyServiceUnavailable("too many begin an epoch at once")

    def destroy_epoch(self, epoch: int) -> datetime:
        try:
            found = self._call("describe_key", KeyId=f"{PREFIX}{epoch}")["KeyMetadata"]
        except EpochDestroyed:
            return datetime.now(UTC)
        gone_at = found.get("DeletionDate") or self._schedule_deletion(found["KeyId"])
        self._call("delete_alias", AliasName=f"{PREFIX}{epoch}")
        return gone_at if isinstance(gone_at, datetime) else datetime.fromtimestamp(gone_at, UTC)

    def _schedule_deletion(self, key_id: str) -> Any:
        self._call("disable_key", KeyId=key_id)
        answer = self._call("schedule_key_deletion", KeyId=key_id, PendingWindowInDays=SHORTEST_WAIT_DAYS)
        return answer["DeletionDate"]

    def _call(self, operation: str, **arguments: Any) -> Any:
        try:
            return getattr(self._kms, operation)(**arguments)
        except ClientError as refusal:
            code = refusal.response["Error"]["Code"]
            if code in GONE:
                raise EpochDestroyed("AWS KMS holds no such epoch") from None
            if code == "AlreadyExistsException":
                raise AliasTaken from None
            if code in BROKEN:
                raise WrapBroken("AWS KMS does not open it: altered, or wrapped elsewhere") from None
            raise KeyServiceUnavailable(f"AWS KMS refused {operation}: {code}") from None
        except BotoCoreError as error:
            raise KeyServiceUnavailable(f"AWS KMS did not answer: {type(error).__name__}") from None


def _keyed(epoch: int, context: bytes) -> dict[str, Any]:
    return {
        "KeyId": f"{PREFIX}{epoch}",
        "EncryptionContext": {CONTEXT: base64.b64encode(context).decode("ascii")},
    }
