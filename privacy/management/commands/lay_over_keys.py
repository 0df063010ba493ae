"""`manage.py lay_over_keys`: after restoring a dump older than the last epoch roll, before any traffic."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from iva.crypto import key_copies


class Command(BaseCommand):
    help = "Replace the wrapped keys in the database by the copy that the last epoch roll has left."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--copy", type=Path, help="another copy than the newest")

    def handle(self, *args: Any, copy: Path | None = None, **options: Any) -> None:
        try:
            laid = key_copies.lay_over(copy)
        except key_copies.NoKeyCopy as error:
            raise CommandError(f"there is no copy of the keys in {error}") from None
        self.stdout.write(self.style.SUCCESS(f"{laid} data keys laid over; now run replay_erasures"))
