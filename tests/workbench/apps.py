"""Registers the job kind `workbench.make_account` and the step `workbench_note`."""

import time
from datetime import timedelta

from django.apps import AppConfig

KIND = "workbench.make_account"
WORK_SECONDS = 0.05


def make_numbered_account(number: int) -> None:
    """Writes one account, slowly enough to be killed in the middle."""
    from tests.builders import make_account

    make_account(f"made-{number}")
    time.sleep(WORK_SECONDS)


class WorkbenchConfig(AppConfig):
    name = "tests.workbench"

    def ready(self) -> None:
        from accounts.registry import JobKind, job_kinds
        from tests.workbench import sequence_steps

        job_kinds.register(JobKind(KIND, make_numbered_account, lease=timedelta(seconds=2), max_attempts=50))
        sequence_steps.register()
