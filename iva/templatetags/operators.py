"""How the operators' overview says codes and lengths of time."""

from datetime import timedelta

from django import template
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.timesince import timesince

from iva.audit.models import AuditEvent
from iva.operators import columns, labels

register = template.Library()


@register.filter
def task(name: str) -> str | Promise:
    return columns.said(name, labels.TASKS)


@register.filter
def event(code: str) -> str | Promise:
    return columns.said(code, labels.EVENTS)


@register.filter
def whose(row: AuditEvent) -> str:
    return str(columns.acting(row.actor, f"actor-{row.pk}"))


@register.filter
def lasting(seconds: float) -> str:
    """`3 minutes`, in the language of the page."""
    now = timezone.now()
    return timesince(now - timedelta(seconds=seconds), now)
