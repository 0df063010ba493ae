"""`manage.py found_organization`: a controller and its owner without the sign-up page."""

import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError

from accounts import api_keys, lapsing, organizations, people
from accounts.addresses import AddressInvalid
from accounts.one_line import NotOneLine
from accounts.people import AlreadyKnown, Profile
from accounts.roles import Role
from accounts.scopes import EVERY_SCOPE
from channels_cfg import connecting
from channels_cfg.models import ChannelKind
from iva import tenancy
from iva.audit.actors import SYSTEM
from iva.personal_data import Purpose

NEXT = """The owner asks for a password at /password-reset/, accepts the documents by the link in the letter,
signs in and sets up a second factor. Until then the API key opens only what End Users' rights need (P7)."""


class Command(BaseCommand):
    help = "Found an organization with its owner and an API channel, and print an API key, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("slug")
        parser.add_argument("--owner", required=True, help="the e-mail address of its responsible employee")

    def handle(self, *args: Any, name: str, slug: str, owner: str, **options: Any) -> None:
        try:
            user_id = _login(owner)
        except (AlreadyKnown, AddressInvalid) as error:
            raise CommandError(f"--owner: {type(error).__doc__}") from None
        try:
            organization = organizations.found(name, slug)
        except IntegrityError:
            raise CommandError(f"there is an organization called {slug}") from None
        except NotOneLine as error:
            raise CommandError(f"name: {type(error).__doc__}") from None
        with tenancy.tenant(organization.pk, Purpose.ACCOUNT_MANAGE):
            profile = Profile(owner.partition("@")[0], owner)
            people.join(user_id, Role.OWNER, profile, actor=SYSTEM, is_responsible=True)
        with tenancy.tenant(organization.pk):
            connecting.connect(ChannelKind.API, "API", actor=SYSTEM)
            _, token = api_keys.issue("first key", EVERY_SCOPE, actor=SYSTEM)
        self.stdout.write(f"{organization.pk}  {slug}\n{token}\n{NEXT}")


def _login(email: str) -> uuid.UUID:
    """A new one, or one with which a stranger only signed up; its owner confirms it by a letter."""
    try:
        return people.meet(email, None)
    except AlreadyKnown:
        return lapsing.emptied(email)
