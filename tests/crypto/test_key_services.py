"""One promise, three key services: each has to keep all of it."""

import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from django.core.exceptions import ImproperlyConfigured

from iva.crypto import kms, wrapping
from iva.crypto.kms import EpochDestroyed, KeyService, KeyServiceUnavailable, WrapBroken, aws
from iva.crypto.kms.aws import AwsKms
from iva.crypto.kms.vault import VaultTransit
from tests.crypto.aws_server import AwsServer
from tests.crypto.speaking_http import serving
from tests.crypto.vault_server import VaultServer

KEY = bytes(range(32))
CONTEXT = wrapping.organization_context(uuid.UUID(int=1), 1)
ANOTHER = wrapping.organization_context(uuid.UUID(int=1), 2)


@pytest.fixture
def vault(settings: Any, tmp_path: Path) -> Iterator[VaultServer]:
    server = VaultServer()
    token = tmp_path / "vault-token"
    token.write_text(server.token + "\n")
    with serving(server.answer) as address:
        settings.IVA_KEY_SERVICE, settings.IVA_VAULT_ADDR = "vault", address
        settings.IVA_VAULT_TOKEN_FILE, settings.IVA_VAULT_MOUNT = str(token), "transit"
        yield server
        kms.service()._client.close()  # type: ignore[attr-defined]


@pytest.fixture(name="aws_server")
def aws_of_the_tests(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsServer]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "of-the-tests")
    monkeypatch.setattr(aws, "_CONFIG", aws._CONFIG.merge(Config(retries={"total_max_attempts": 1})))
    server = AwsServer()
    with serving(server.answer) as address:
        settings.IVA_KEY_SERVICE = "aws"
        settings.IVA_AWS_REGION, settings.IVA_AWS_KMS_ENDPOINT = "ap-northeast-1", address
        yield server
        kms.service()._kms.close()  # type: ignore[attr-defined]


@pytest.fixture(params=["local", "vault", "aws"])
def service(request: pytest.FixtureRequest) -> KeyService:
    """Each of them in turn, chosen by the settings as the product does."""
    if request.param != "local":
        request.getfixturevalue({"vault": "vault", "aws": "aws_server"}[request.param])
    return kms.service()


def test_a_wrapped_key_opens_again(service: KeyService) -> None:
    epoch = service.current_epoch()
    wrapped = service.wrap(epoch, KEY, CONTEXT)
    assert KEY not in wrapped
    assert service.unwrap(epoch, wrapped, CONTEXT) == KEY
    assert service.wrap(epoch, KEY, CONTEXT) != wrapped


def test_the_first_epoch_begins_by_itself_and_stays(service: KeyService) -> None:
    assert service.epochs() == []
    first = service.current_epoch()
    assert service.current_epoch() == first
    assert service.epochs() == [first]


def test_epochs_count_upwards_and_the_newest_is_current(service: KeyService) -> None:
    begun = [service.current_epoch(), *(service.begin_epoch() for _ in range(11))]
    assert begun == sorted(set(begun))
    assert service.epochs() == begun
    assert service.current_epoch() == begun[-1]


def test_an_older_epoch_still_opens_what_it_wrapped(service: KeyService) -> None:
    old = service.current_epoch()
    wrapped = service.wrap(old, KEY, CONTEXT)
    service.begin_epoch()
    assert service.unwrap(old, wrapped, CONTEXT) == KEY


def test_another_context_does_not_open(service: KeyService) -> None:
    epoch = service.current_epoch()
    wrapped = service.wrap(epoch, KEY, CONTEXT)
    for context in (ANOTHER, b"", CONTEXT + b"\x00", CONTEXT[:-1]):
        with pytest.raises(WrapBroken):
            service.unwrap(epoch, wrapped, context)


def test_another_epoch_does_not_open(service: KeyService) -> None:
    old = service.current_epoch()
    wrapped = service.wrap(old, KEY, CONTEXT)
    with pytest.raises(WrapBroken):
        service.unwrap(service.begin_epoch(), wrapped, CONTEXT)


def test_altered_bytes_do_not_open(service: KeyService) -> None:
    epoch = service.current_epoch()
    wrapped = service.wrap(epoch, KEY, CONTEXT)
    altered = [wrapped[:-1], wrapped + b"\x00", b"", b"\xff\xfe", os.urandom(len(wrapped))]
    for at in range(0, len(wrapped), 7):
        altered.append(wrapped[:at] + bytes([wrapped[at] ^ 1]) + wrapped[at + 1 :])
    for attempt in altered:
        with pytest.raises(WrapBroken):
            service.unwrap(epoch, attempt, CONTEXT)


def test_a_destroyed_epoch_opens_nothing_and_wraps_nothing(service: KeyService) -> None:
    old = service.current_epoch()
    wrapped = service.wrap(old, KEY, CONTEXT)
    new = service.begin_epoch()
    service.destroy_epoch(old)
    assert service.epochs() == [new]
    with pytest.raises(EpochDestroyed):
        service.unwrap(old, wrapped, CONTEXT)
    with pytest.raises(EpochDestroyed):
        service.wrap(old, KEY, CONTEXT)
    assert service.epochs() == [new]


def test_an_epoch_that_never_was_is_as_good_as_destroyed(service: KeyService) -> None:
    service.current_epoch()
    with pytest.raises(EpochDestroyed):
        service.wrap(99, KEY, CONTEXT)
    with pytest.raises(EpochDestroyed):
        service.unwrap(99, b"anything", CONTEXT)


def test_destroying_twice_is_harmless(service: KeyService) -> None:
    old = service.current_epoch()
    new = service.begin_epoch()
    service.destroy_epoch(old)
    service.destroy_epoch(old)
    assert service.epochs() == [new]


def test_destroying_one_epoch_leaves_the_others(service: KeyService) -> None:
    first = service.current_epoch()
    second, third = service.begin_epoch(), service.begin_epoch()
    kept = {epoch: service.wrap(epoch, KEY, CONTEXT) for epoch in (first, third)}
    service.destroy_epoch(second)
    assert service.epochs() == [first, third]
    assert all(service.unwrap(epoch, wrapped, CONTEXT) == KEY for epoch, wrapped in kept.items())


def test_the_time_from_which_a_destruction_is_final_is_told(service: KeyService) -> None:
    old = service.current_epoch()
    service.begin_epoch()
    before = datetime.now(UTC)
    wait = timedelta(days=7) if isinstance(service, AwsKms) else timedelta()
    told = service.destroy_epoch(old)
    assert before + wait - timedelta(seconds=1) <= told <= datetime.now(UTC) + wait


def test_vault_is_asked_for_keys_that_cannot_leave_it(vault: VaultServer) -> None:
    kms.service().current_epoch()
    made = vault.keys["iva-epoch-1"].created_with
    assert made == {
        "type": "aes256-gcm96",
        "exportable": False,
        "allow_plaintext_backup": False,
        "derived": False,
    }


def test_keys_of_others_in_the_same_vault_are_no_epochs(vault: VaultServer) -> None:
    kms.service().current_epoch()
    for name in ("payments", "iva-epoch-old", "iva-epoch-"):
        vault.keys[name] = vault.keys["iva-epoch-1"]
    assert kms.service().epochs() == [1]


def test_wrapping_under_a_destroyed_epoch_does_not_make_vault_begin_it_again(vault: VaultServer) -> None:
    kms.service().current_epoch()
    with pytest.raises(EpochDestroyed):
        kms.service().wrap(2, KEY, CONTEXT)
    assert set(vault.keys) == {"iva-epoch-1"}


def test_vaults_older_error_for_a_wrong_ciphertext_is_understood(vault: VaultServer) -> None:
    vault.old_errors = True
    epoch = kms.service().current_epoch()
    with pytest.raises(WrapBroken):
        kms.service().unwrap(epoch, kms.service().wrap(epoch, KEY, CONTEXT), ANOTHER)


def test_a_renewed_token_is_used_at_once_and_a_lost_one_is_an_outage(
    vault: VaultServer, settings: Any
) -> None:
    service, file = kms.service(), Path(settings.IVA_VAULT_TOKEN_FILE)
    epoch = service.current_epoch()
    vault.token = "hvs.renewed"
    with pytest.raises(KeyServiceUnavailable):
        service.wrap(epoch, KEY, CONTEXT)
    file.write_text(vault.token)
    wrapped = service.wrap(epoch, KEY, CONTEXT)
    file.unlink()
    with pytest.raises(KeyServiceUnavailable):
        service.unwrap(epoch, wrapped, CONTEXT)


def every_call(service: KeyService, epoch: int, wrapped: bytes) -> list[Any]:
    return [
        service.current_epoch,
        service.epochs,
        service.begin_epoch,
        lambda: service.wrap(epoch, KEY, CONTEXT),
        lambda: service.unwrap(epoch, wrapped, CONTEXT),
        lambda: service.destroy_epoch(epoch),
    ]


def test_a_sealed_vault_is_an_outage_and_nothing_else(vault: VaultServer) -> None:
    service = kms.service()
    epoch = service.current_epoch()
    calls = every_call(service, epoch, service.wrap(epoch, KEY, CONTEXT))
    vault.sealed = True
    for call in calls:
        with pytest.raises(KeyServiceUnavailable):
            call()
    vault.sealed = False
    assert service.epochs() == [epoch]


def test_a_vault_that_is_not_there_is_an_outage(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("hvs.of-the-tests")
    service = VaultTransit("http://127.0.0.1:9", str(token))
    for call in every_call(service, 1, b"vault:v1:AAAA"):
        with pytest.raises(KeyServiceUnavailable):
            call()


def test_aws_refusing_everything_is_an_outage_and_nothing_else(aws_server: AwsServer) -> None:
    service = kms.service()
    epoch = service.current_epoch()
    calls = every_call(service, epoch, service.wrap(epoch, KEY, CONTEXT))
    aws_server.throttled = True
    for call in calls:
        with pytest.raises(KeyServiceUnavailable):
            call()
    aws_server.throttled = False
    assert service.epochs() == [epoch]


def test_an_interrupted_destruction_in_aws_is_completed_by_repeating(
    aws_server: AwsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = kms.service()
    old = service.current_epoch()
    service.begin_epoch()
    with monkeypatch.context() as outage:
        outage.setattr(AwsServer, "DeleteAlias", lambda self, **named: aws_server.found("gone"))
        with pytest.raises(EpochDestroyed):
            service.destroy_epoch(old)
    assert old in service.epochs()
    told = service.destroy_epoch(old)
    assert told > datetime.now(UTC) + timedelta(days=6)
    assert old not in service.epochs()


def test_an_epoch_in_aws_is_disabled_before_its_deletion_is_scheduled(
    aws_server: AwsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = kms.service()
    old = service.current_epoch()
    wrapped = service.wrap(old, KEY, CONTEXT)
    monkeypatch.setattr(AwsServer, "ScheduleKeyDeletion", lambda self, **named: aws_server.refuse())
    with pytest.raises(KeyServiceUnavailable):
        service.destroy_epoch(old)
    with pytest.raises(EpochDestroyed):
        service.unwrap(old, wrapped, CONTEXT)


def test_two_who_begin_an_epoch_in_aws_get_two(
    aws_server: AwsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = kms.service()
    monkeypatch.setattr(service, "epochs", list)
    assert [service.begin_epoch(), service.begin_epoch()] == [1, 2]


def test_a_service_without_its_settings_is_refused() -> None:
    for build in (
        lambda: VaultTransit("", "token"),
        lambda: VaultTransit("http://vault", ""),
        lambda: AwsKms(""),
    ):
        with pytest.raises(ImproperlyConfigured):
            build()
