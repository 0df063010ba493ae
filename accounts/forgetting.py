"""Usage data grows old: addresses become networks after thirty days, everything goes after 180 (P28).

Every function does one bounded batch in a transaction of its own and says how many rows it reached; nought
means that nothing is due. They may run at any time and be killed at any time: what was committed is done,
the rest is found again.
"""

import uuid
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts import devices, household
from accounts.models import AddressChange, CookieChoice, SignIn, UsageRecord
from iva import tenancy
from iva.audit import log as audit
from iva.audit.events import Event
from iva.crypto import bulk
from iva.crypto.keys import KeyShredded
from iva.personal_data import Purpose

BATCH = 500
CHANGES_LAST = timedelta(days=30)
CHOICES_LAST = timedelta(days=365)


def forget_usage(organization_id: uuid.UUID) -> int:
    """Delete, then shorten, whatever is due in one organization or the household. How many rows it was."""
    return _until_nothing_is_left(lambda: drop(organization_id)) + _until_nothing_is_left(
        lambda: shorten(organization_id)
    )


def forget_of_the_household() -> int:
    """Delete old sign-ins, changes of addresses and choices about cookies. How many rows it was."""
    return sum(_until_nothing_is_left(verb) for verb in (drop_sign_ins, drop_address_changes, drop_choices))


def shorten(organization_id: uuid.UUID) -> int:
    """Put the network in place of addresses older than `IVA_SHORTEN_IP_DAYS`; one batch.

    What cannot be opened any more, because its member's key is gone, is deleted.
    """
    before = _days_ago(settings.IVA_SHORTEN_IP_DAYS)
    with tenancy.tenant(organization_id, Purpose.SECURITY_PLATFORM):
        due = UsageRecord.objects.filter(shortened_at=None, occurred_at__lt=before).order_by("occurred_at")
        batch = list(due.select_for_update(skip_locked=True)[:BATCH])
        bulk.reveal(batch, "ip_address")
        kept = [record for record in batch if _has_been_shortened(record)]
        bulk.seal(kept, "ip_address")
        UsageRecord.objects.bulk_update(kept, ["ip_address", "shortened_at"])
        dead = [record.pk for record in batch if record.shortened_at is None]
        UsageRecord.objects.filter(pk__in=dead).delete()
        if batch:
            audit.record(Event.USAGE_SHORTENED, count=len(batch))
        return len(batch)


def drop(organization_id: uuid.UUID) -> int:
    """Delete records older than `IVA_FORGET_USAGE_DAYS`, address, browser and page together; one batch."""
    with tenancy.tenant(organization_id, Purpose.SECURITY_PLATFORM):
        count = _delete(UsageRecord.objects.filter(occurred_at__lt=_days_ago(settings.IVA_FORGET_USAGE_DAYS)))
        if count:
            audit.record(Event.USAGE_DISPOSED, count=count)
        return count


def drop_sign_ins() -> int:
    """Delete sign-ins that began before the same time; all of them ended long ago."""
    with household.at_home(Purpose.SECURITY_PLATFORM):
        return _delete(SignIn.objects.filter(began_at__lt=_days_ago(settings.IVA_FORGET_USAGE_DAYS)))


def drop_address_changes() -> int:
    """Delete what remains of changes asked for more than thirty days ago."""
    with household.at_home(Purpose.ACCOUNT_MANAGE):
        return _delete(AddressChange.objects.filter(asked_at__lt=timezone.now() - CHANGES_LAST))


def drop_choices() -> int:
    """Delete choices about cookies that stopped counting half a year ago."""
    with household.at_home(Purpose.LEGAL_REQUIREMENT):
        return _delete(CookieChoice.objects.filter(chosen_at__lt=timezone.now() - CHOICES_LAST))


def _delete(rows: models.QuerySet[models.Model]) -> int:
    batch = rows.order_by("pk").select_for_update(skip_locked=True).values_list("pk", flat=True)[:BATCH]
    return rows.filter(pk__in=list(batch)).delete()[0]


def _has_been_shortened(record: UsageRecord) -> bool:
    try:
        record.ip_address = devices.shorten(record.ip_address)
    except KeyShredded:
        return False
    record.shortened_at = timezone.now()
    return True


def _days_ago(days: int) -> object:
    return timezone.now() - timedelta(days=days)


def _until_nothing_is_left(verb: Callable[[], int]) -> int:
    done = 0
    while count := verb():
        done += count
    return done
