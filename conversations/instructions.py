"""What an organization has told us to do with its End Users' data, and since when (P10, P27).

Without an instruction nothing is done. The newest counts; earlier ones stay as evidence. Every verb runs
inside `tenancy.tenant()`.
"""

import uuid

from conversations.models import Instruction, Processing
from iva.audit import log as audit
from iva.audit.actors import Actor, ActorKind
from iva.audit.events import Event


def give(processing: Processing, *, is_on: bool, actor: Actor) -> Instruction:
    """Instruct us to process from now on, or to stop. Repeating what counts already changes nothing."""
    newest = current(processing)
    if newest is not None and newest.is_on == is_on:
        return newest
    given_by = uuid.UUID(str(actor.id)) if actor.kind == ActorKind.MEMBER else None
    instruction = Instruction.objects.create(processing=processing, is_on=is_on, given_by=given_by)
    audit.record(
        Event.INSTRUCTION_GIVEN,
        actor=actor,
        instruction=instruction.pk,
        processing=processing,
        after="on" if is_on else "off",
    )
    return instruction


def current(processing: Processing) -> Instruction | None:
    """The instruction that counts, None where none was ever given."""
    return Instruction.objects.filter(processing=processing).order_by("-id").first()


def demands(processing: Processing) -> bool:
    """Whether the organization wants this done; asked every time, so that revoking stops the next piece."""
    newest = current(processing)
    return newest is not None and newest.is_on
