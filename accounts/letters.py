"""Writing to people: promised inside the transaction of what it is about, sent after it (`posting`).

What is written down are ids. A letter for an address without a login is written to nobody, with the same
statements as any other, so that nobody learns from waiting who has one.
"""

import uuid

from accounts.models import Letter, LetterKind
from iva.outbox import promising
from iva.outbox.models import Work


def write(kind: LetterKind, person_id: uuid.UUID | None, about_id: uuid.UUID | None = None) -> Letter:
    """Promise a letter ; inside `household.at_home()`."""
    letter = Letter.objects.create(kind=kind, person_id=person_id, about_id=about_id)
    promising.promise(Work.LETTER, letter.pk)
    return letter
