"""`manage.py roles`: the table of docs/roles.md."""

from typing import Any

from django.core.management.base import BaseCommand

from accounts import roles


class Command(BaseCommand):
    help = "Print who may do what, as docs/roles.md shows it."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(roles.as_markdown(), ending="")
