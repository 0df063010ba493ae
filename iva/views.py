"""The front page, health, readiness and metrics."""

import hmac
import math
import time

import redis
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from accounts import doors
from iva import metrics, problems
from iva.crypto import kms
from iva.outbox import draining
from privacy import replaying

LOOK_EVERY = 10.0
_looked_at = -LOOK_EVERY
_replay_is_due = False


@doors.anybody("GET")
def front(request: HttpRequest) -> HttpResponse:
    """What this is, and the ways in."""
    return render(request, "front.html", {"is_inside": doors.SIGN_IN in request.session})


@csrf_exempt
@require_safe
def alive(request: HttpRequest) -> HttpResponse:
    """The process answers; says nothing about what it depends on."""
    return JsonResponse({"status": "alive"})


@csrf_exempt
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Whether traffic may be served: database, broker, key service, and no erasure undone by a restore."""
    faults = {name: problem for name, check in CHECKS.items() if (problem := _fault(check))}
    status = "ready" if not faults else "not_ready"
    return JsonResponse({"status": status, "faults": sorted(faults)}, status=503 if faults else 200)


@csrf_exempt
@require_safe
def metrics_page(request: HttpRequest) -> HttpResponse:
    """Prometheus metrics, for whoever knows `IVA_METRICS_TOKEN`; without a token there is no such page."""
    expected = f"Bearer {settings.IVA_METRICS_TOKEN}"
    given = request.headers.get("Authorization", "")
    if not settings.IVA_METRICS_TOKEN or not hmac.compare_digest(given.encode(), expected.encode()):
        return problems.respond(404, "not_found", "There is nothing here.")
    _measure_the_outbox()
    return HttpResponse(generate_latest(metrics.registry()), content_type=CONTENT_TYPE_LATEST)


def _measure_the_outbox() -> None:
    """Not a number while the database is away: that is when somebody looks at the others."""
    count: float
    oldest: float
    try:
        count, oldest = draining.waiting()
    except DatabaseError:
        count = oldest = math.nan
    metrics.OUTBOX_WAITING.set(count)
    metrics.OUTBOX_OLDEST_SECONDS.set(oldest)


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _broker() -> None:
    redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1).ping()


def _key_service() -> None:
    kms.service().current_epoch()


def _erasures() -> None:
    """Asks the database at most every ten seconds, whoever asks for readiness."""
    global _looked_at, _replay_is_due
    if time.monotonic() - _looked_at > LOOK_EVERY or _replay_is_due:
        _replay_is_due = bool(replaying.outstanding())
        _looked_at = time.monotonic()
    if _replay_is_due:
        raise RuntimeError("erasures have to be replayed: manage.py replay_erasures")


CHECKS = {"database": _database, "broker": _broker, "key_service": _key_service, "erasures": _erasures}


def _fault(check: object) -> str:
    try:
        check()  # type: ignore[operator]
    except (DatabaseError, redis.RedisError, ImproperlyConfigured, OSError, RuntimeError) as error:
        return type(error).__name__
    return ""
