"""What Prometheus may count. Labels are routes and states, never ids or content.

Where PROMETHEUS_MULTIPROC_DIR names a folder (empty at the start), the processes of a server count together.
"""

import os

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.multiprocess import MultiProcessCollector

REQUESTS = Counter("iva_requests_total", "HTTP requests", ["method", "route", "status"])
REQUEST_SECONDS = Histogram("iva_request_seconds", "Time to answer a request", ["route"])
MESSAGES = Counter("iva_messages_total", "Messages kept", ["author"])
ANSWERS = Counter("iva_answers_total", "What the agent did with a message", ["outcome"])
ERASURES = Counter("iva_erasures_total", "Erasures executed")
BROKEN_CHAINS = Gauge("iva_broken_audit_chains", "Chains that did not verify", multiprocess_mode="mostrecent")
OUTBOX_WAITING = Gauge(
    "iva_outbox_waiting", "Work that is due and not yet taken", multiprocess_mode="mostrecent"
)
OUTBOX_OLDEST_SECONDS = Gauge(
    "iva_outbox_oldest_seconds", "Age of the oldest work that is due", multiprocess_mode="mostrecent"
)


def registry() -> CollectorRegistry:
    """This process's counts, or those of all processes that share the folder."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    together = CollectorRegistry()
    MultiProcessCollector(together)
    return together
