"""How far a legal document has come."""

from datetime import datetime

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.models import LegalDocument


def standing(row: LegalDocument) -> tuple[str, str | Promise]:
    if row.superseded_at is not None:
        return "", gettext_lazy("Superseded")
    if row.published_at is not None:
        due = row.effective_at is not None and row.effective_at <= timezone.now()
        return ("good", gettext_lazy("Effective")) if due else ("accent", gettext_lazy("Published"))
    return ("accent", gettext_lazy("Approved")) if row.approved_at else ("warn", gettext_lazy("Draft"))


def steps(row: LegalDocument) -> list[tuple[str | Promise, datetime | None]]:
    """The way of a version, with the dates of the steps it has taken."""
    in_force = row.effective_at if row.effective_at and row.effective_at <= timezone.now() else None
    return [
        (gettext_lazy("Draft"), row.drafted_at),
        (gettext_lazy("Approved"), row.approved_at),
        (gettext_lazy("Published"), row.published_at),
        (gettext_lazy("Effective"), in_force),
        (gettext_lazy("Superseded"), row.superseded_at),
    ]
