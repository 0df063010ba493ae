"""`manage.py create_operator`: who may open the operators' pages. The first one comes from here."""

import getpass
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import operators
from accounts.addresses import AddressInvalid
from accounts.models.documents import LOCALES
from accounts.passwords import PasswordRefused
from accounts.people import AlreadyKnown


class Command(BaseCommand):
    help = "Make a login for a new operator. The password is asked for, or read from a pipe."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--locale", choices=LOCALES, default=LOCALES[0])

    def handle(self, *args: Any, email: str, locale: str, **options: Any) -> None:
        try:
            user_id = operators.appoint(email, _password(), locale=locale)
        except AlreadyKnown:
            raise CommandError("somebody with this address has a login") from None
        except AddressInvalid:
            raise CommandError("this is not an e-mail address") from None
        except PasswordRefused as refused:
            raise CommandError(f"the password was refused: {refused}") from None
        self.stdout.write(f"{user_id}\nThey sign in at /sign-in/ and enroll a second factor there.")


def _password() -> str:
    """Typed twice at a terminal; otherwise the one line that comes through the pipe."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("Password: ")
    if first != getpass.getpass("Once more: "):
        raise CommandError("these were two different passwords")
    return first
