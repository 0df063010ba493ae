"""`manage.py revoke_api_key`: list an organization's API keys, or end one."""

import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import api_keys
from accounts.models import ApiKey
from iva import tenancy
from iva.audit.actors import SYSTEM
from iva.management.naming import organization_called


class Command(BaseCommand):
    help = "Revoke an API key of an organization; without an id, list its keys."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("key", nargs="?", type=uuid.UUID)

    def handle(self, *args: Any, slug: str, key: uuid.UUID | None, **options: Any) -> None:
        with tenancy.tenant(organization_called(slug).pk, "account.authenticate"):
            for found in ApiKey.objects.order_by("issued_at"):
                if key is None:
                    self.stdout.write(f"{found.pk}  {found.name}  {_state(found)}  {' '.join(found.scopes)}")
                elif found.pk == key:
                    api_keys.revoke(found, actor=SYSTEM)
                    self.stdout.write(f"{found.pk}  {found.name}  revoked")
                    return
        if key is not None:
            raise CommandError(f"{slug} has no API key {key}")


def _state(key: ApiKey) -> str:
    if key.revoked_at:
        return f"revoked {key.revoked_at:%Y-%m-%d}"
    return f"used {key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never used"
