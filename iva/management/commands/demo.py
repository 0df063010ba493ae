"""`manage.py demo`: make the demo once; `--show` prints how to sign in."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from iva import demo


class Command(BaseCommand):
    help = "Create the demo organizations with their conversations, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--show", action="store_true", help="only print how to sign in")
        parser.add_argument("--conversations", type=int, default=demo.CONVERSATIONS)

    def handle(self, *args: Any, show: bool, conversations: int, **options: Any) -> None:
        credentials = demo.credentials() if show else demo.make(conversations)
        for who, secret in credentials.items():
            kind = "password" if "@" in who else "API key"
            self.stdout.write(f"{who:24} {kind:8}  {secret}")
