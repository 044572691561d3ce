"""Celery's side of the jobs: a hint that there is work. The rows decide."""

from __future__ import annotations

import structlog
from celery import shared_task
from kombu.exceptions import OperationalError

from accounts.services.jobs import run_due_jobs

log = structlog.get_logger(__name__)


@shared_task(name="accounts.run_jobs")
def run_jobs(limit: int = 200) -> int:
    return run_due_jobs(limit=limit)


def nudge() -> None:
    """Tell a worker to look now. A broker that is down costs delay, never work."""
    try:
        run_jobs.apply_async(retry=False, ignore_result=True, expires=60)
    except (OperationalError, OSError):
        log.info("jobs.nudge_failed")
