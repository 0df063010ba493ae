"""`manage.py place_legal_hold`: keep data whatever else would delete it (P85)."""

import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from iva import tenancy
from iva.management.naming import operator_called, organization_called
from privacy import subjects
from retention import holds


class Command(BaseCommand):
    help = "Hold an End User's data, or the whole organization's, in a matter with a reference number."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("matter")
        parser.add_argument("--operator", required=True, help="the e-mail address of who places it")
        parser.add_argument("--end-user", type=uuid.UUID)

    def handle(
        self, *args: Any, slug: str, matter: str, operator: str, end_user: uuid.UUID | None, **options: Any
    ) -> None:
        actor = operator_called(operator)
        with tenancy.tenant(organization_called(slug).pk, "legal.requirement"):
            try:
                if end_user is not None:
                    subjects.get(end_user)
                hold = holds.place(matter, actor=actor, subject_id=end_user)
            except subjects.NoSuchEndUser:
                raise CommandError(f"{slug} has no End User {end_user}, or has erased them") from None
            except holds.NotAMatterNumber:
                raise CommandError("a matter is a reference number, such as 2026/17") from None
        self.stdout.write(str(hold.pk))
