"""`manage.py publish_documents`: what lies in `accounts/legal/` goes out; what is out stays as it is."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import agreements
from accounts.agreements import shelf


class Command(BaseCommand):
    help = "Draft, approve and publish the legal documents of accounts/legal/. May be repeated."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            published = shelf.publish_all()
        except (shelf.PublishedDiffers, agreements.NotNewer, agreements.PolicyNotInOrder) as error:
            raise CommandError(f"{type(error).__name__}: {error}") from None
        for document in published:
            when = f"{document.effective_at:%Y-%m-%d %H:%M} UTC"
            self.stdout.write(f"{document.kind} {document.version}  {document.digest}  effective {when}")
