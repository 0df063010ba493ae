"""After a restored backup: erase again what had been erased since (P79; DESIGN 6).

The erasure ledger lives outside the database. A listed key is refused at once, whatever the database
holds; replaying also removes the rows that came back. No traffic is served before.
"""

import uuid
from collections.abc import Iterable

from django.db import connection

from iva import tenancy
from iva.audit import log as audit
from iva.audit.actors import SYSTEM
from iva.audit.events import Event
from iva.crypto import ledger
from privacy import erasure
from privacy.grounds import Ground

ALIVE = """
SELECT id FROM privacy_enduser WHERE organization_id = %s AND erased_at IS NULL AND id = ANY(%s)
"""


def outstanding() -> dict[uuid.UUID, list[uuid.UUID]]:
    """Organizations and the End Users in the ledger whose erasure the database does not know."""
    listed: dict[uuid.UUID, set[uuid.UUID]] = {}
    for entry in ledger.entries():
        listed.setdefault(entry.organization, set()).add(entry.subject)
    found = {organization: _resurrected(organization, people) for organization, people in listed.items()}
    return {organization: people for organization, people in found.items() if people}


def replay() -> int:
    """Erase everybody who came back with a backup. Returns how many; safe to repeat."""
    replayed = 0
    for organization_id, people in outstanding().items():
        for end_user_id in people:
            _erase_again(organization_id, end_user_id)
            replayed += 1
    return replayed


def _resurrected(organization_id: uuid.UUID, people: Iterable[uuid.UUID]) -> list[uuid.UUID]:
    with tenancy.tenant(organization_id, purpose="legal.requirement"), connection.cursor() as cursor:
        cursor.execute(ALIVE, [organization_id, list(people)])
        return sorted(row[0] for row in cursor.fetchall())


def _erase_again(organization_id: uuid.UUID, end_user_id: uuid.UUID) -> None:
    with tenancy.tenant(organization_id, purpose="legal.requirement"):
        record = erasure.erase(end_user_id, Ground.EARLIER_ERASURE, actor=SYSTEM)
        audit.record(Event.ERASURE_REPLAYED, end_user=end_user_id, erasure=record.pk)
    erasure.finish(organization_id, record.pk)
