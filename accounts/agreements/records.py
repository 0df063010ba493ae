"""What an organization can see of its own agreements: who accepted what, and who was told (P6, P94).

Called inside `tenant()`. Addresses and browsers stay sealed: nobody needs them to know how things stand.
"""

import uuid
from collections.abc import Collection

from accounts.agreements import in_effect
from accounts.models.documents import Acceptance, LegalDocument, Notice

PAGE = 100


def acceptances(before: uuid.UUID | None = None) -> list[Acceptance]:
    """A hundred acceptances, the newest first, from a position on."""
    found = Acceptance.objects.defer("ip_address", "browser")
    if before is not None:
        found = found.filter(id__lt=before)
    return list(found.order_by("-id")[:PAGE])


def notices() -> list[Notice]:
    """The last hundred notices of changes to this organization, the newest first."""
    return list(Notice.objects.defer("email", "reply").order_by("-id")[:PAGE])


def documents(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, LegalDocument]:
    """These versions, without their texts."""
    return LegalDocument.objects.defer(*in_effect.TEXTS).in_bulk(list(ids))
