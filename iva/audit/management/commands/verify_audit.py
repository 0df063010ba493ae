"""`manage.py verify_audit`: prove the audit trail whole, or name where it is broken."""

import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from iva.audit import verification


class Command(BaseCommand):
    help = (
        "Recompute every organization's audit chain and compare it with the heads kept outside the database."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", type=uuid.UUID, help="only this organization")

    def handle(self, *args: Any, organization: uuid.UUID | None = None, **options: Any) -> None:
        verdicts = [verification.verify(organization)] if organization else list(verification.verify_all())
        for verdict in verdicts:
            state = "whole" if verdict.is_whole else "BROKEN: " + "; ".join(verdict.faults)
            self.stdout.write(
                f"{verdict.organization_id}  {verdict.events} events, {verdict.anchors} anchors  {state}"
            )
        if not all(verdict.is_whole for verdict in verdicts):
            raise CommandError("the audit trail is not whole")
        self.stdout.write(self.style.SUCCESS(f"{len(verdicts)} chains verified, all whole"))
