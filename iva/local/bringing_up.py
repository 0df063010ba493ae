"""Bringing both servers up, with the roles and the database IVA expects, and saying where they are."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from iva import roles
from iva.local import unprivileged, wheels
from iva.local.folder import Folder, default_data
from iva.local.postgres import Postgres
from iva.local.valkey import Valkey

LOCAL_HOSTS = "localhost,127.0.0.1,[::1]"


@dataclass
class Servers:
    """A PostgreSQL with IVA's roles and empty or earlier database, and a Valkey, both on loopback ports."""

    folder: Folder
    postgres: Postgres
    valkey: Valkey

    @property
    def data(self) -> Path:
        """Ours: passwords, keyring, ledger, logs. The servers' own files are in `home`."""
        return self.folder.data

    @property
    def home(self) -> Path:
        """Holds `postgres/` and `valkey/`, the servers' files on disk."""
        return self.folder.home

    @property
    def superuser_url(self) -> str:
        """Role postgres, database postgres."""
        return self.postgres.superuser_url

    @property
    def owner_url(self) -> str:
        return self._url(roles.OWNER)

    @property
    def app_url(self) -> str:
        return self._url(roles.APP)

    @property
    def backup_url(self) -> str:
        return self._url(roles.BACKUP)

    @property
    def redis_url(self) -> str:
        return self.valkey.url

    def _url(self, role: str) -> str:
        return self.postgres.url(role, self.folder.password(role), roles.DATABASE)

    def environment(self) -> dict[str, str]:
        """IVA_* variables for everything, migrating included; drop IVA_OWNER_DATABASE_URL for serving."""
        return {
            "IVA_DATABASE_URL": self.app_url,
            "IVA_OWNER_DATABASE_URL": self.owner_url,
            "IVA_REDIS_URL": self.redis_url,
            "IVA_SECRET_KEY": str(self.folder.recall("secret key", lambda: secrets.token_urlsafe(64))),
            "IVA_KEY_SERVICE": "local",
            "IVA_KEYRING_PATH": str(self.folder.own_folder("keys") / "keyring"),
            "IVA_ERASURE_LEDGER_PATH": str(self.folder.own_folder("ledger") / "erasures"),
            "IVA_KEY_COPIES_PATH": str(self.folder.own_folder("key-copies")),
            "IVA_AUDIT_HEADS_PATH": str(self.folder.own_folder("audit") / "heads"),
            "IVA_DEMO_CREDENTIALS_PATH": str(self.folder.own_folder("demo") / "credentials"),
            "IVA_METRICS_TOKEN": str(self.folder.recall("metrics token", lambda: secrets.token_urlsafe(24))),
            "IVA_STATIC_ROOT": str(self.folder.own_folder("static")),
            "IVA_ALLOWED_HOSTS": LOCAL_HOSTS,
            "IVA_LOOPBACK_HTTP": "1",
        }

    def postgres_binary(self, name: str) -> Path:
        """`psql`, `pg_dump`, `pg_restore`, `pg_basebackup`, `pg_waldump` … of the server's version."""
        return self.postgres.programs.postgres(name)

    def start_postgres(self) -> None:
        self.postgres.start()

    def stop_postgres(self, *, immediate: bool = True) -> None:
        """Kill every process of it at once, or with immediate=False shut it down in order."""
        self.postgres.stop(immediate=immediate)

    def start_valkey(self) -> None:
        self.valkey.start()

    def stop_valkey(self, *, immediate: bool = True) -> None:
        self.valkey.stop(immediate=immediate)

    def prepare_roles(self) -> None:
        """Roles and database as `manage.py prepare_database` makes them in a deployment."""
        passwords = {role: self.folder.password(role) for role in (roles.OWNER, roles.APP, roles.BACKUP)}
        roles.prepare(self.superuser_url, passwords)


def described(data: Path, *, durable: bool = True) -> Servers:
    """The servers of a folder, not started."""
    folder = Folder(data)
    programs = wheels.programs(folder.account)
    return Servers(
        folder, Postgres(folder, programs, durable=durable), Valkey(folder, programs, durable=durable)
    )


@contextmanager
def servers(data: Path | None = None, durable: bool = True) -> Iterator[Servers]:
    """Both servers up, roles made, until the block ends. Works as root and as any user.

    Without `data`: the checkout's own folder if durable, otherwise a temporary one, removed afterwards.
    Raises AlreadyRunning when another run holds the folder, ServerDidNotStart with the last log lines.
    """
    if data is None and not durable:
        with _temporary_folder() as temporary, _up(temporary, durable=False) as both:
            yield both
    else:
        with _up(data or default_data(), durable=durable) as both:
            yield both


@contextmanager
def _up(data: Path, *, durable: bool) -> Iterator[Servers]:
    both = described(data, durable=durable)
    with both.folder.held():
        try:
            both.start_postgres()
            both.start_valkey()
            both.prepare_roles()
            yield both
        finally:
            both.stop_valkey(immediate=not durable)
            both.stop_postgres(immediate=not durable)
            if both.folder.was_moved and not durable:
                shutil.rmtree(both.home)


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    """A fresh folder where the servers' account can get, also when root's own TMPDIR is private."""
    account = unprivileged.account()
    places = [Path(tempfile.gettempdir()), Path("/var/tmp")]
    place = next((place for place in places if account.may_enter(place)), None)
    folder = Path(tempfile.mkdtemp(prefix="iva-local-", dir=place))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
