"""`manage.py reset_factors`: who has lost every second factor, or was given a thief's, begins anew."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import lost_factors
from accounts.addresses import AddressInvalid
from accounts.lost_factors import NobodyKnown
from accounts.references import NotAReference


class Command(BaseCommand):
    help = (
        "Take away every second factor and the password of a login and end its sign-ins. "
        "They are written to, with a link to a new password. Make sure first who is asking."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--reference", required=True, help="the number of the ticket, such as SUP-1042")

    def handle(self, *args: Any, email: str, reference: str, **options: Any) -> None:
        try:
            person_id = lost_factors.reset(email, reference)
        except (NobodyKnown, AddressInvalid):
            raise CommandError("nobody with this address has a login") from None
        except NotAReference:
            raise CommandError("the reference is the number of a ticket, such as SUP-1042") from None
        self.stdout.write(f"{person_id}\nThey choose a new password by the link we have written to them.")
