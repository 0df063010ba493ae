"""How far a legal document has come."""

from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts import agreements
from accounts.agreements import Edition, State
from accounts.models import LegalDocument

STANDINGS: dict[State, tuple[str, str | Promise]] = {
    State.PUBLISHED: ("accent", gettext_lazy("Published")),
    State.EFFECTIVE: ("good", gettext_lazy("Effective")),
    State.SUPERSEDED: ("", gettext_lazy("Superseded")),
}
HELD_BACK = ("warn", gettext_lazy("Held back: letters are missing"))


def standing(row: LegalDocument) -> tuple[str, str | Promise]:
    """What a list says of a version. Only one that is published and not superseded costs a question."""
    if row.published_at is None:
        return ("accent", gettext_lazy("Approved")) if row.approved_at else ("warn", gettext_lazy("Draft"))
    if row.superseded_at is not None:
        return STANDINGS[State.SUPERSEDED]
    edition = agreements.edition(row)
    return HELD_BACK if edition.is_held_back else STANDINGS[edition.state]


def steps(row: LegalDocument, edition: Edition) -> list[tuple[str | Promise, datetime | None]]:
    """The way of a version, with the dates of the steps it has taken."""
    return [
        (gettext_lazy("Draft"), row.drafted_at),
        (gettext_lazy("Approved"), row.approved_at),
        (gettext_lazy("Published"), row.published_at),
        (gettext_lazy("Effective"), edition.since),
        (gettext_lazy("Superseded"), row.superseded_at),
    ]
