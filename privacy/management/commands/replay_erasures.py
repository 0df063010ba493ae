"""`manage.py replay_erasures`: after a restored backup, before any traffic (DESIGN 6)."""

from typing import Any

from django.core.management.base import BaseCommand

from privacy import replaying


class Command(BaseCommand):
    help = "Erase again everybody whom a restored backup brought back. Safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        replayed = replaying.replay()
        self.stdout.write(self.style.SUCCESS(f"{replayed} erasures replayed"))
