"""The Celery application and the one list of periodic work."""

import os
from pathlib import Path
from typing import Any

from celery import Celery, signals
from celery.schedules import crontab
from django.db import close_old_connections

from iva.crypto.hardening import forbid_core_dumps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iva.settings")

app = Celery("iva")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.set_default()

app.conf.beat_schedule = {
    "sweep the outbox": {"task": "conversations.drain", "schedule": 5.0, "options": {"expires": 5}},
    "anchor audit heads": {"task": "audit.anchor", "schedule": 10.0, "options": {"expires": 10}},
    "complete erasures": {"task": "privacy.complete_erasures", "schedule": 60.0, "options": {"expires": 60}},
    "verify audit chains": {"task": "audit.verify", "schedule": crontab(hour=18, minute=10)},
    "clear sessions": {"task": "accounts.clear_sessions", "schedule": crontab(hour=18, minute=40)},
    "forget usage": {"task": "accounts.forget_usage_everywhere", "schedule": crontab(minute=50)},
    "let sign-ups lapse": {"task": "accounts.let_sign_ups_lapse", "schedule": crontab(minute=25)},
    "send letters of address changes": {
        "task": "accounts.send_address_letters",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "mail invitations": {
        "task": "accounts.mail_invitations_everywhere",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    "announce legal documents": {"task": "accounts.announce_everywhere", "schedule": crontab(minute="*/10")},
    "let legal documents take effect": {
        "task": "accounts.take_effect",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "resolve idle conversations": {
        "task": "conversations.resolve_idle_everywhere",
        "schedule": crontab(minute=17),
    },
    "count conversations": {"task": "conversations.count_everywhere", "schedule": crontab(minute="*/10")},
    "roll the key epoch": {"task": "privacy.roll_epoch", "schedule": crontab(hour=19, minute=30)},
}


@signals.worker_process_init.connect
def protect_memory(**_: Any) -> None:
    """Keys live in the worker's memory; a crash must not write it to disk."""
    forbid_core_dumps()


@signals.worker_ready.connect
def say_ready(**_: Any) -> None:
    """Tell whoever started the worker that it takes work from now on (`IVA_WORKER_READY_FILE`)."""
    if path := os.environ.get("IVA_WORKER_READY_FILE"):
        Path(path).touch()


@signals.task_prerun.connect
def begin_on_a_living_connection(**_: Any) -> None:
    """Workers keep their connections between tasks; one that has died would fail every task from then on."""
    close_old_connections()


@signals.setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """Celery would install handlers of its own, which write arguments and messages."""
