"""The local keyring file: nobody else reads it, no crash harms it, and both copies forget."""

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from iva.crypto import kms
from iva.crypto.kms import EpochDestroyed, keyring_file
from iva.crypto.kms.keyring_file import KeyringDamaged, KeyringExposed, backup_of
from iva.crypto.kms.local import LocalKeyring

KEY, CONTEXT = bytes(range(32)), b"context"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "own-keyring"


@pytest.fixture
def keyring(file: Path) -> LocalKeyring:
    keyring = LocalKeyring(str(file))
    keyring.current_epoch()
    return keyring


def test_the_keyring_and_everything_beside_it_has_mode_0600(keyring: LocalKeyring, file: Path) -> None:
    modes = {found.name: found.stat().st_mode & 0o777 for found in file.parent.glob("own-keyring*")}
    assert modes == {"own-keyring": 0o600, "own-keyring.bak": 0o600, "own-keyring.lock": 0o600}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660, 0o644, 0o700 | 0o070])
def test_a_keyring_that_others_may_touch_is_refused(file: Path, keyring: LocalKeyring, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(KeyringExposed):
        LocalKeyring(str(file)).epochs()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_keyring_of_another_owner_is_refused(file: Path, keyring: LocalKeyring) -> None:
    os.chown(file, 12_345, -1)
    with pytest.raises(KeyringExposed):
        LocalKeyring(str(file)).epochs()


def test_a_link_instead_of_a_keyring_is_refused(file: Path, keyring: LocalKeyring, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(file)
    with pytest.raises(KeyringExposed):
        LocalKeyring(str(link)).epochs()


def test_the_backup_opens_what_the_keyring_wrapped(file: Path, keyring: LocalKeyring) -> None:
    wrapped = keyring.wrap(1, KEY, CONTEXT)
    file.unlink()
    with pytest.raises(KeyringDamaged):
        keyring.unwrap(1, wrapped, CONTEXT)
    backup_of(file).rename(file)
    assert keyring.unwrap(1, wrapped, CONTEXT) == KEY


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "null",
        '{"format": 2, "last": 0, "epochs": {}}',
        '{"format": 1, "last": 1, "epochs": {"1": "AAAA"}}',
        '{"format": 1, "last": 1, "epochs": {"1": "?"}}',
        '{"format": 1, "last": 0, "epochs": {"1": "' + "A" * 43 + '="}}',
    ],
)
def test_something_that_is_no_keyring_is_never_replaced_by_a_new_one(file: Path, content: str) -> None:
    file.touch(mode=0o600)
    file.write_text(content)
    for act in (LocalKeyring.current_epoch, LocalKeyring.begin_epoch, LocalKeyring.epochs):
        with pytest.raises(KeyringDamaged):
            act(LocalKeyring(str(file)))
    assert file.read_text() == content


def test_a_destroyed_epoch_is_in_neither_file_and_its_old_bytes_are_overwritten(
    file: Path, keyring: LocalKeyring
) -> None:
    secret = json.loads(file.read_text())["epochs"]["1"]
    keyring.begin_epoch()
    before = [os.open(path, os.O_RDONLY) for path in (file, backup_of(file))]
    keyring.destroy_epoch(1)
    for path in file.parent.iterdir():
        assert secret not in path.read_text()
    for descriptor in before:
        assert secret.encode() not in os.pread(descriptor, 10_000, 0)
        os.close(descriptor)


def test_numbers_are_not_given_again_after_their_epoch_was_destroyed(keyring: LocalKeyring) -> None:
    assert keyring.begin_epoch() == 2
    keyring.destroy_epoch(2)
    keyring.destroy_epoch(1)
    assert keyring.epochs() == []
    assert keyring.current_epoch() == 3


def test_a_crash_between_backup_and_keyring_is_completed_by_repeating(
    file: Path, keyring: LocalKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring.begin_epoch()
    replace = keyring_file._replace

    def only_the_backup(path: Path, content: bytes) -> None:
        if path == file:
            raise OSError("the power went out")
        replace(path, content)

    with monkeypatch.context() as outage:
        outage.setattr(keyring_file, "_replace", only_the_backup)
        with pytest.raises(OSError, match="power"):
            keyring.destroy_epoch(1)
    assert keyring.epochs() == [1, 2]
    keyring.destroy_epoch(1)
    assert keyring.epochs() == [2]
    assert json.loads(backup_of(file).read_text()) == json.loads(file.read_text())


def test_another_process_s_change_is_seen_at_once(file: Path, keyring: LocalKeyring) -> None:
    wrapped = keyring.wrap(1, KEY, CONTEXT)
    other = LocalKeyring(str(file))
    other.begin_epoch()
    assert keyring.current_epoch() == 2
    other.destroy_epoch(1)
    with pytest.raises(EpochDestroyed):
        keyring.unwrap(1, wrapped, CONTEXT)


def test_readers_go_on_while_the_keyring_is_replaced_again_and_again(
    file: Path, keyring: LocalKeyring
) -> None:
    wrapped = keyring.wrap(1, KEY, CONTEXT)
    failures: list[BaseException] = []
    over = threading.Event()

    def read() -> None:
        try:
            while not over.is_set():
                assert LocalKeyring(str(file)).unwrap(1, wrapped, CONTEXT) == KEY
        except BaseException as failure:
            failures.append(failure)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for _ in range(100):
        keyring.destroy_epoch(keyring.begin_epoch())
    over.set()
    for reader in readers:
        reader.join()
    assert failures == []


def test_two_who_begin_the_first_epoch_begin_one(file: Path) -> None:
    meeting = threading.Barrier(8)
    begun: list[int] = []

    def begin() -> None:
        meeting.wait()
        begun.append(LocalKeyring(str(file)).current_epoch())

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert begun == [1] * 8


def test_the_keyring_does_not_show_its_keys(file: Path, keyring: LocalKeyring) -> None:
    assert "keys" not in repr(keyring_file.read(file))


def test_the_setting_chooses_the_service(settings: Any, tmp_path: Path) -> None:
    assert isinstance(kms.service(), LocalKeyring)
    assert kms.service() is kms.service()
    first = kms.service()
    settings.IVA_KEYRING_PATH = str(tmp_path / "another")
    assert kms.service() is not first
    settings.IVA_KEYRING_PATH = ""
    with pytest.raises(ImproperlyConfigured):
        kms.service()
    settings.IVA_KEY_SERVICE = "paper"
    with pytest.raises(ImproperlyConfigured, match="'paper'"):
        kms.service()
