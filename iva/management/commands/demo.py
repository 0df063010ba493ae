"""`manage.py demo`: make the demo once; `--show` prints how to sign in."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from iva import demo, demo_credentials
from iva.demo_credentials import Credentials


class Command(BaseCommand):
    help = "Create the demo organizations with their members and conversations, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--show", action="store_true", help="only print how to sign in")
        parser.add_argument("--conversations", type=int, default=demo.CONVERSATIONS)

    def handle(self, *args: Any, show: bool, conversations: int, **options: Any) -> None:
        credentials = demo_credentials.load() if show else demo.make(conversations)
        for line in told(credentials):
            self.stdout.write(line)


def told(credentials: Credentials) -> Iterator[str]:
    """Members first: that is what a newcomer wants to see. `*` marks whoever is asked for six digits."""
    for organization, api_key in credentials.api_keys.items():
        for member in credentials.of(organization):
            mark = "*" if member.authenticator else " "
            yield f"  {member.email:40} {member.password}  {mark}"
        yield f"{organization:24} API key   {api_key}"
    for operator in credentials.operators:
        yield f"  {operator.email:40} {operator.password}  *"
    yield "  * also six digits: make codes"
