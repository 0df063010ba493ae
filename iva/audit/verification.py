"""Checking a chain from its first event to the head, and against the heads kept outside (P58)."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db import connection

from iva import tenancy
from iva.audit import anchors, chain
from iva.audit.models import AuditEvent, AuditHead

PAGE = 5_000


@dataclass
class Verdict:
    """What was found for one organization. `faults` is empty when the chain is whole."""

    organization_id: uuid.UUID
    events: int = 0
    anchors: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        return not self.faults


def verify_all() -> Iterator[Verdict]:
    """A verdict for every organization that has, or once had, a chain."""
    known = set(AuditHead.objects.values_list("organization_id", flat=True)) | anchors.organizations()
    for organization_id in sorted(known):
        yield verify(organization_id)


def verify(organization_id: uuid.UUID) -> Verdict:
    """Recompute every digest, then compare with the head and with each anchored head.

    Stops at the first broken link and names its sequence; an anchored head beyond the end means that
    the tail was cut off, one with another digest that the chain was written anew.
    """
    verdict = Verdict(organization_id)
    anchored = {anchor.sequence: anchor.digest for anchor in anchors.anchors(organization_id)}
    with tenancy.tenant(organization_id):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        digest = _walk(verdict, anchored)
        _compare_with_head(verdict, digest)
    beyond = [sequence for sequence in anchored if sequence > verdict.events]
    if beyond and verdict.is_whole:
        verdict.faults.append(f"cut off after {verdict.events}: event {max(beyond)} was anchored")
    return verdict


def _walk(verdict: Verdict, anchored: dict[int, str]) -> bytes:
    digest = chain.genesis(verdict.organization_id)
    for event in _events():
        expected = verdict.events + 1
        if event.sequence != expected:
            verdict.faults.append(f"event {expected} is missing")
            break
        digest = chain.link(digest, event.sequence, _payload(event))
        if digest != bytes(event.digest):
            verdict.faults.append(f"event {event.sequence} was altered")
            break
        verdict.events = event.sequence
        if event.sequence in anchored:
            verdict.anchors += 1
            if anchored[event.sequence] != digest.hex():
                verdict.faults.append(f"rewritten: event {event.sequence} differs from its anchored head")
                break
    return digest


def _compare_with_head(verdict: Verdict, digest: bytes) -> None:
    if verdict.faults:
        return
    head = AuditHead.objects.filter(organization_id=verdict.organization_id).first()
    if head is None:
        verdict.faults.append("the head is missing")
    elif (head.sequence, bytes(head.digest)) != (verdict.events, digest):
        verdict.faults.append(f"the head says {head.sequence} events, the chain ends at {verdict.events}")


def _events() -> Iterator[AuditEvent]:
    last = 0
    while page := list(AuditEvent.objects.filter(sequence__gt=last).order_by("sequence")[:PAGE]):
        yield from page
        last = page[-1].sequence


def _payload(event: AuditEvent) -> bytes:
    return chain.payload(
        event.organization_id, event.pk, event.event, event.actor, event.occurred_at, event.ids
    )
