"""`manage.py dismiss_operator`: somebody who left opens nothing any more, at once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import operators
from accounts.addresses import AddressInvalid
from accounts.operators import NoSuchOperator


class Command(BaseCommand):
    help = "Take an operator's access away and end their sign-ins."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        try:
            operators.dismiss(operators.find(email))
        except (NoSuchOperator, AddressInvalid):
            raise CommandError("there is no operator with this address") from None
