"""Periodic work of the privacy office."""

import structlog
from celery import shared_task

from iva.crypto.epochs import RollInProgress
from privacy import replaying, sealing

logger = structlog.get_logger("privacy.tasks")


@shared_task(name="privacy.complete_erasures")
def complete_erasures() -> None:
    """Finish what the ledger says was begun: no crash before the COMMIT leaves anybody half erased."""
    replayed = replaying.replay()
    if replayed:
        logger.warning("erasures completed", count=replayed)


@shared_task(name="privacy.roll_epoch")
def roll_epoch() -> None:
    """Roll the key epoch; a second beat finds the first roll in progress and leaves it alone."""
    try:
        report = sealing.roll_epoch()
    except RollInProgress:
        logger.info("epoch roll already in progress")
        return
    logger.info("epoch rolled", epoch=report.epoch, count=report.organizations)
