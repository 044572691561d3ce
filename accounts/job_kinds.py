"""The kinds of work that this app does in the background."""

from __future__ import annotations

from datetime import timedelta

from accounts.registry import JobKind, job_kinds
from accounts.services.mail import SEND_JOB, send_email
from accounts.services.webhooks import DELIVER_JOB, deliver_webhook


def register() -> None:
    job_kinds.register(
        JobKind(SEND_JOB, send_email, in_scope=False, max_attempts=30, retry_after=timedelta(seconds=20))
    )
    job_kinds.register(JobKind(DELIVER_JOB, deliver_webhook, in_scope=False))
