"""Anchoring the heads of the chains outside the database."""

from celery import shared_task

from iva.audit import anchors


@shared_task(name="audit.anchor")
def anchor() -> None:
    """Write down every head that has moved."""
    anchors.anchor()
