"""When each periodic task last came round, and how it went: so that a beat that stopped is seen."""

from typing import Any

from celery import current_app, signals
from django.utils import timezone

from iva.models import Round


def remember(task: str, figures: dict[str, int], failure: str = "") -> None:
    """Write down a round that has just ended. A failed one leaves the figures of the last that did not."""
    now = timezone.now()
    kept = {"succeeded_at": now, "figures": figures} if not failure else {}
    Round.objects.update_or_create(task=task, defaults={"ended_at": now, "failure": failure, **kept})


def expected() -> dict[str, Any]:
    """Each periodic task with its schedule, as the one list has it that `iva.celery` sets."""
    return {entry["task"]: entry["schedule"] for entry in current_app.conf.beat_schedule.values()}


@signals.task_postrun.connect
def notice(task: Any = None, retval: Any = None, state: str = "", **_: Any) -> None:
    """Whatever ran it, beat or a nudge: the task has come round."""
    name = getattr(task, "name", "")
    if name not in expected():
        return
    if state == "SUCCESS":
        remember(name, retval if isinstance(retval, dict) else {})
    else:
        remember(name, {}, type(retval).__name__)
