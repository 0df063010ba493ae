"""`manage.py found_organization`: the first steps of a new controller, until there is a sign-up."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError

from accounts import api_keys, organizations
from accounts.scopes import EVERY_SCOPE
from channels_cfg import connecting
from channels_cfg.models import ChannelKind
from iva import tenancy
from iva.audit.actors import SYSTEM


class Command(BaseCommand):
    help = "Found an organization with an API channel, and print an API key that may do everything, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("slug")

    def handle(self, *args: Any, name: str, slug: str, **options: Any) -> None:
        try:
            organization = organizations.found(name, slug)
        except IntegrityError:
            raise CommandError(f"there is an organization called {slug}") from None
        with tenancy.tenant(organization.pk):
            connecting.connect(ChannelKind.API, "API", actor=SYSTEM)
            _, token = api_keys.issue("first key", EVERY_SCOPE, actor=SYSTEM)
        self.stdout.write(f"{organization.pk}  {slug}\n{token}")
