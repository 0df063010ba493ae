"""`manage.py release_legal_hold`: what was held may be deleted again."""

import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from iva import tenancy
from iva.management.naming import operator_called, organization_called
from retention import holds
from retention.models import LegalHold


class Command(BaseCommand):
    help = "End a legal hold; without an id, list those in force."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("hold", nargs="?", type=uuid.UUID)
        parser.add_argument("--operator", required=True, help="the e-mail address of who releases it")

    def handle(self, *args: Any, slug: str, hold: uuid.UUID | None, operator: str, **options: Any) -> None:
        actor = operator_called(operator)
        with tenancy.tenant(organization_called(slug).pk, "legal.requirement"):
            for found in LegalHold.objects.filter(released_at=None).order_by("placed_at"):
                whom = f"End User {found.subject_id}" if found.subject_id else "the whole organization"
                if hold is None:
                    self.stdout.write(f"{found.pk}  {found.matter}  {whom}")
                elif found.pk == hold:
                    holds.release(found, actor=actor)
                    self.stdout.write(f"{found.pk}  {found.matter}  released")
                    return
        if hold is not None:
            raise CommandError(f"{slug} has no hold {hold} in force")
