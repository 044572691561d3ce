"""Registers the job kinds `workbench.*` and the step `workbench_note`."""

import os
import signal
import time
from datetime import timedelta

from django.apps import AppConfig
from django.utils import timezone

KIND = "workbench.make_account"
WORK_SECONDS = 0.05
LATE_KIND, LATE_SECONDS, LATE_LEASE = "workbench.write_late", 0.5, timedelta(seconds=1)
DEADLY_KIND, DEADLY_ATTEMPTS = "workbench.kill_worker", 3
QUICK_KIND = "workbench.write_quickly"


def make_numbered_account(number: int) -> None:
    """Writes one account, slowly enough to be killed in the middle."""
    from tests.builders import make_account

    make_account(f"made-{number}")
    time.sleep(WORK_SECONDS)


def write_note(number: int) -> None:
    """Writes one note: nothing unique, so that only the fence can keep a second one out."""
    from accounts.models import Account, Note

    Note.objects.create(account=Account.objects.earliest("pk"), body=str(number), created_at=timezone.now())


def write_note_late(number: int) -> None:
    """Leaves time to be frozen before the write."""
    time.sleep(LATE_SECONDS)
    write_note(number)


def kill_worker(number: int) -> None:
    """The worst job there is: no worker survives it."""
    os.kill(os.getpid(), signal.SIGKILL)


class WorkbenchConfig(AppConfig):
    name = "tests.workbench"

    def ready(self) -> None:
        from accounts.registry import JobKind, job_kinds
        from tests.workbench import sequence_steps

        job_kinds.register(JobKind(KIND, make_numbered_account, lease=timedelta(seconds=2), max_attempts=50))
        job_kinds.register(JobKind(QUICK_KIND, write_note))
        job_kinds.register(JobKind(LATE_KIND, write_note_late, lease=LATE_LEASE, max_attempts=50))
        job_kinds.register(
            JobKind(DEADLY_KIND, kill_worker, lease=timedelta(seconds=1), max_attempts=DEADLY_ATTEMPTS)
        )
        sequence_steps.register()
