"""`manage.py demo_codes`: the six digits the demo members' authenticator apps show now."""

import time
from typing import Any

from django.core.management.base import BaseCommand

from accounts import factors
from iva import demo_credentials, demo_members


class Command(BaseCommand):
    help = "Print the current six digits of the demo members that have a second factor."

    def handle(self, *args: Any, **options: Any) -> None:
        now = time.time()
        for member, code in demo_members.codes(demo_credentials.load(), now):
            self.stdout.write(f"{member.email:40} {code}")
        left = factors.STEP_SECONDS - int(now) % factors.STEP_SECONDS
        self.stdout.write(f"Good for another {left} seconds, and each code once.")
