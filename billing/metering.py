"""Counting use in the transaction that causes it, so that it is counted exactly once."""

from django.db import connection
from django.utils import timezone

from billing.models import Meter
from iva import tenancy

COUNT = """
INSERT INTO billing_usage (organization_id, id, meter, used_on, count) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (organization_id, meter, used_on) DO UPDATE SET count = billing_usage.count + EXCLUDED.count
"""


def record(meter: Meter, count: int = 1) -> None:
    """Add to today's counter of the active organization, when the transaction commits."""
    active = tenancy.active()
    counted: dict[Meter, int] = active.memo.setdefault(__name__, {})
    if not counted:
        active.before_commit(_write)
    counted[meter] = counted.get(meter, 0) + count


def _write() -> None:
    active = tenancy.active()
    counted: dict[Meter, int] = active.memo.pop(__name__)
    today = timezone.now().date()
    with connection.cursor() as cursor:
        for meter, count in sorted(counted.items()):
            cursor.execute(COUNT, [active.organization_id, tenancy.new_id(), meter.value, today, count])
