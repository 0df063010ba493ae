"""Writing down which pages members open: the declared fields, in the page's own transaction (P28, P29).

What a page fetches by itself is no activity of anybody's. Addresses stay as they are for thirty days
(`accounts.forgetting`); of the browser only its kind is kept.
"""

import uuid

from django.utils import timezone

from accounts import devices
from accounts.models import UsageRecord

LONGEST_ROUTE = 64


def note(subject_id: uuid.UUID, route: str, *, ip_address: str, browser: str) -> UsageRecord:
    """Somebody opened a page; inside `tenant()`, where `subject_id`, a membership or a person, has a key.

    `route` is the page's name, `browser` what the browser says of itself.
    """
    return UsageRecord.objects.create(
        subject_id=subject_id,
        route=route[:LONGEST_ROUTE],
        occurred_at=timezone.now(),
        ip_address=ip_address,
        browser=devices.describe(browser),
    )
