"""manage.py prepare_database: make the roles and the database on a real PostgreSQL, once per deployment."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from psycopg import conninfo

from iva import roles
from iva.settings import knob


class Command(BaseCommand):
    help = (
        "Makes the roles iva_owner, iva_app and iva_backup and their database as IVA_SUPERUSER_DATABASE_URL. "
        "Passwords come from IVA_OWNER_DATABASE_URL, IVA_DATABASE_URL and IVA_BACKUP_PASSWORD (without it "
        "iva_backup may not sign in). May be repeated; that is also how a password is changed."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        database, passwords = self._database_and_passwords()
        passwords[roles.BACKUP] = knob("BACKUP_PASSWORD", "") or None
        roles.prepare(knob("SUPERUSER_DATABASE_URL"), passwords, database)
        self.stdout.write(f"Database {database} and roles {', '.join(passwords)} are ready.")

    def _database_and_passwords(self) -> tuple[str, dict[str, str | None]]:
        owner = _parts("OWNER_DATABASE_URL", roles.OWNER)
        app = _parts("DATABASE_URL", roles.APP)
        if owner["dbname"] != app["dbname"]:
            raise CommandError("IVA_OWNER_DATABASE_URL and IVA_DATABASE_URL name two databases.")
        return app["dbname"], {roles.OWNER: owner["password"], roles.APP: app["password"]}


def _parts(name: str, role: str) -> dict[str, str]:
    """User, password and database of a URL; CommandError unless it has all three, the right user."""
    parts = {key: str(value) for key, value in conninfo.conninfo_to_dict(knob(name)).items()}
    if parts.get("user") != role or not parts.get("password") or not parts.get("dbname"):
        raise CommandError(f"IVA_{name} must name the user {role}, a password and a database.")
    return parts
