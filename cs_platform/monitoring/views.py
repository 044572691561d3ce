"""Health checks for load balancers and people, metrics for a scraper."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import REGISTRY, CollectorRegistry, Metric, multiprocess
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest

from cs_platform.monitoring.jobs import WaitingJobs
from cs_platform.monitoring.nights import nights_are_done

BROKER_SECONDS = 1.0


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 while the process can answer at all; touches nothing else."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """503 without a database. A missing broker or a late night is reported as degraded, with 200.

    Work is found through the database even when the broker is away, so traffic need not be turned off.
    """
    parts = {"database": checked(ask_database), "broker": checked(ask_broker)}
    if parts["database"] != "ok":
        return JsonResponse({"status": "down", "parts": parts}, status=503)
    parts["nights"] = "ok" if nights_are_done(timezone.now()) else "late"
    status = "ok" if all(value == "ok" for value in parts.values()) else "degraded"
    return JsonResponse({"status": status, "parts": parts})


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """OpenMetrics for whoever has `METRICS_TOKEN` as bearer token; for everybody else the page does not exist."""
    expected = f"Bearer {settings.METRICS_TOKEN}" if settings.METRICS_TOKEN else ""
    if not expected or not constant_time_compare(request.headers.get("Authorization", ""), expected):
        raise Http404
    return HttpResponse(generate_latest(Everything()), content_type=CONTENT_TYPE_LATEST)


class Everything:
    """The numbers of all web processes together where they share a folder, else of this one; and the jobs."""

    def collect(self) -> Iterator[Metric]:
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            shared = CollectorRegistry()
            multiprocess.MultiProcessCollector(shared)
            yield from shared.collect()
        else:
            yield from REGISTRY.collect()
        yield from WaitingJobs().collect()


def checked(ask: Callable[[], Any]) -> str:
    try:
        ask()
    except (DatabaseError, redis.RedisError, OSError):
        return "down"
    return "ok"


def ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def ask_broker() -> None:
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=BROKER_SECONDS, socket_connect_timeout=BROKER_SECONDS
    )
    try:
        client.ping()
    finally:
        client.close()
