"""`manage.py roll_epoch`: from now on no older backup opens what was erased (DESIGN 4)."""

from typing import Any

from django.core.management.base import BaseCommand

from privacy import sealing


class Command(BaseCommand):
    help = "Roll the key epoch: re-wrap what lives, destroy the old key-encryption key."

    def handle(self, *args: Any, **options: Any) -> None:
        report = sealing.roll_epoch()
        self.stdout.write(
            self.style.SUCCESS(
                f"epoch {report.epoch}: {report.organizations} organizations, {len(report.rotated)} rotated, "
                f"{report.data_keys} data keys re-wrapped, epochs destroyed: {report.destroyed}"
            )
        )
