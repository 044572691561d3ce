"""The kinds of work that this app does in the background."""

from __future__ import annotations

from datetime import timedelta

from accounts.registry import JobKind, job_kinds
from accounts.services.mail import SEND_JOB, send_email


def register() -> None:
    job_kinds.register(
        JobKind(SEND_JOB, send_email, in_scope=False, max_attempts=8, retry_after=timedelta(seconds=20))
    )
