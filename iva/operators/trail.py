"""What operators look at is written down where it belongs: in the picked organization's trail, or ours."""

import uuid

from django.http import HttpRequest

from accounts import household
from iva.audit import log as audit
from iva.audit.events import Event
from iva.operators.entering import operator
from iva.personal_data import Purpose


def looked(request: HttpRequest, page: str, row: uuid.UUID | None = None) -> None:
    """A page was opened; inside `tenant()`. `page` is `app.model` or a name of ours."""
    audit.record(Event.OPERATOR_LOOKED, actor=operator(request), page=page, row=row)


def searched(request: HttpRequest, page: str, by: list[str], found: int) -> None:
    """A list was searched or narrowed: by which parameters, for which id, and how much was found.

    Words that were typed are not kept: they may be somebody's name.
    """
    audit.record(
        Event.OPERATOR_SEARCHED,
        actor=operator(request),
        page=page,
        by=".".join(by)[:64],
        sought=_id(request.GET.get("q", "")),
        found=found,
    )


def at_home(request: HttpRequest, page: str, row: uuid.UUID | None = None) -> None:
    """A page of the platform was opened."""
    with household.at_home(Purpose.SUPPORT_TECHNICAL):
        looked(request, page, row)


def _id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text.strip())
    except ValueError:
        return None
