"""The kinds of work that this app does in the background."""

from __future__ import annotations

from datetime import timedelta

from accounts.registry import JobKind, job_kinds
from accounts.services import retention, workspace_export
from accounts.services.billing_order_running import run_order
from accounts.services.billing_orders import ORDER_JOB
from accounts.services.import_jobs import check_upload, import_upload, undo_by_job
from accounts.services.import_undo import UNDO_JOB
from accounts.services.import_uploads import CHECK_JOB, RUN_JOB
from accounts.services.mail import SEND_JOB, send_email
from accounts.services.person_erasure import ERASE_JOB, run_erasure
from accounts.services.person_export import EXPORT_JOB, run_person_export
from accounts.services.webhooks import DELIVER_JOB, deliver_webhook


def register() -> None:
    long = timedelta(minutes=10)
    job_kinds.register(JobKind(workspace_export.EXPORT_JOB, workspace_export.run_export, in_scope=False))
    job_kinds.register(JobKind(retention.PRUNE_JOB, retention.run_pruning, in_scope=False, lease=long))
    job_kinds.register(JobKind(EXPORT_JOB, run_person_export, in_scope=False, lease=long))
    job_kinds.register(JobKind(ERASE_JOB, run_erasure, in_scope=False, lease=long))
    job_kinds.register(
        JobKind(
            SEND_JOB,
            send_email,
            in_scope=False,
            max_attempts=30,
            retry_after=timedelta(seconds=20),
            is_outside=True,
        )
    )
    job_kinds.register(JobKind(DELIVER_JOB, deliver_webhook, in_scope=False, is_outside=True))
    # Killed or failed again and again, an order still has an outcome that somebody must learn.
    job_kinds.register(
        JobKind(ORDER_JOB, run_order, in_scope=False, max_attempts=50, is_outside=True, is_prepared=True)
    )
    # A killed worker costs an attempt, and every attempt goes on where the one before stopped.
    for name, handler in ((CHECK_JOB, check_upload), (RUN_JOB, import_upload), (UNDO_JOB, undo_by_job)):
        wait = timedelta(seconds=5)
        job_kinds.register(JobKind(name, handler, in_scope=False, max_attempts=10, retry_after=wait))
