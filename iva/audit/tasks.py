"""Anchoring the heads of the chains outside the database, and verifying the chains every day (P58)."""

import structlog
from celery import shared_task

from iva import metrics
from iva.audit import anchors, verification

logger = structlog.get_logger("iva.audit")


@shared_task(name="audit.anchor")
def anchor() -> None:
    """Write down every head that has moved."""
    anchors.anchor()


@shared_task(name="audit.verify")
def verify() -> dict[str, int]:
    """Recompute every chain; a broken one is an error in the log and a count to be alerted on."""
    verdicts = list(verification.verify_all())
    broken = [verdict.organization_id for verdict in verdicts if not verdict.is_whole]
    metrics.BROKEN_CHAINS.set(len(broken))
    for organization_id in broken:
        logger.error("audit chain broken", organization=str(organization_id))
    return {"chains": len(verdicts), "broken": len(broken)}
