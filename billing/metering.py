"""Counting use in the transaction that causes it, so that it is counted exactly once."""

from typing import Any

from django.db import connection
from django.utils import timezone

from billing.models import Meter
from iva import tenancy

COUNT = """
INSERT INTO billing_usage (organization_id, id, meter, used_on, count) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (organization_id, meter, used_on) DO UPDATE SET count = billing_usage.count + EXCLUDED.count
"""

# One more, where the statement's `kept` has a row: for a statement that keeps and counts at once.
COUNT_KEPT = """
INSERT INTO billing_usage (organization_id, id, meter, used_on, count)
SELECT %(organization)s, %(usage)s, %(meter)s, %(used_on)s, 1 FROM kept
ON CONFLICT (organization_id, meter, used_on) DO UPDATE SET count = billing_usage.count + EXCLUDED.count
RETURNING count
"""


def counting(meter: Meter) -> dict[str, Any]:
    """The parameters of `COUNT_KEPT`."""
    return {"usage": tenancy.new_id(), "meter": meter.value, "used_on": timezone.now().date()}


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
