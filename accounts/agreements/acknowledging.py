"""What is about to change, for members: shown until they say that they have seen it (P95)."""

import uuid

from django.db import IntegrityError, transaction

from accounts.agreements import publishing
from accounts.models.documents import Acknowledgement, LegalDocument
from iva.audit import log as audit
from iva.audit.actors import Actor
from iva.audit.events import Event


class NothingAhead(LookupError):
    """No such significant version is waiting to take effect."""


def ahead() -> list[LegalDocument]:
    """The significant terms that are published and have not taken effect, without texts."""
    return [document for document in publishing.waiting() if document.is_significant]


def unseen(user_id: uuid.UUID) -> LegalDocument | None:
    """The next change that this member of the active organization has not acknowledged."""
    waiting = ahead()
    if not waiting:
        return None
    seen = set(
        Acknowledgement.objects.filter(
            user_id=user_id, document_id__in=[document.pk for document in waiting]
        ).values_list("document_id", flat=True)
    )
    return next((document for document in waiting if document.pk not in seen), None)


def acknowledge(user_id: uuid.UUID, document_id: uuid.UUID, *, actor: Actor) -> None:
    """They have seen it, in the active organization. Accepts nothing. Again changes nothing.

    Raises NothingAhead.
    """
    known = {document.pk: document for document in ahead()}
    if document_id not in known:
        raise NothingAhead
    try:
        with transaction.atomic():
            Acknowledgement.objects.create(user_id=user_id, document_id=document_id)
    except IntegrityError:
        return
    version = known[document_id].version
    audit.record(Event.DOCUMENT_ACKNOWLEDGED, actor=actor, document=document_id, version=version)
