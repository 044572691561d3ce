"""Celery's side of the jobs: a hint that there is work. The rows decide."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts.services.billing_reconcile import request_reconciliations
from accounts.services.digests import send_due_digests
from accounts.services.jobs import run_due_jobs
from accounts.services.retention import request_pruning
from accounts.services.workspace_deletion import delete_due_workspaces

log = structlog.get_logger(__name__)


@shared_task(name="accounts.run_jobs")
def run_jobs(limit: int = 200) -> int:
    return run_due_jobs(limit=limit)


@shared_task(name="accounts.send_due_digests")
def send_digests() -> int:
    return send_due_digests(timezone.now())


@shared_task(name="accounts.prune")
def prune() -> int:
    return request_pruning()


@shared_task(name="accounts.delete_due_workspaces")
def delete_workspaces() -> int:
    return delete_due_workspaces(timezone.now())


@shared_task(name="accounts.reconcile_billing")
def reconcile_billing() -> int:
    return request_reconciliations(timezone.now())


def nudge() -> None:
    """Tell a worker to look now. A broker that is down costs delay, never work."""
    try:
        run_jobs.apply_async(retry=False, ignore_result=True, expires=60)
    except (OperationalError, OSError):
        log.info("jobs.nudge_failed")
