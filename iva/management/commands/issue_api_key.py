"""`manage.py issue_api_key`: a narrower key for an integrator, shown once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts import api_keys
from accounts.scopes import Scope
from iva import tenancy
from iva.audit.actors import SYSTEM
from iva.management.naming import organization_called


class Command(BaseCommand):
    help = "Issue an API key of an organization with the scopes named."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("name")
        parser.add_argument("scopes", nargs="+", choices=[scope.value for scope in Scope])

    def handle(self, *args: Any, slug: str, name: str, scopes: list[str], **options: Any) -> None:
        with tenancy.tenant(organization_called(slug).pk):
            key, token = api_keys.issue(name, [Scope(scope) for scope in scopes], actor=SYSTEM)
        self.stdout.write(f"{key.pk}  {name}\n{token}")
