"""Processes that send mails until they are killed; run as `python -m tests.accounts.mail_workers COUNT`.

The parent forks quickly, so that a hundred kills do not cost a hundred starts of Django; it prints the
process id of each child.
"""

from __future__ import annotations

import os
import sys
import time

import django

KIND = "test.survey"


def register() -> None:
    from accounts.registry import MailKind, mail_kinds

    if KIND not in mail_kinds:
        mail_kinds.register(
            MailKind(
                KIND,
                "transactional_survey",
                "mail/invitation-subject.txt",
                "mail/invitation-body",
                motion="survey",
                category="surveys",
            )
        )


def child() -> None:
    from accounts.services.jobs import run_due_jobs
    from accounts.services.mail import SEND_JOB

    while os.getppid() != 1:
        if not run_due_jobs(limit=50, kind=SEND_JOB):
            time.sleep(0.02)


def main(count: int) -> None:
    django.setup()
    register()
    running: set[int] = set()
    while True:
        while len(running) < count:
            pid = os.fork()
            if pid == 0:
                child()
                os._exit(0)
            running.add(pid)
            print(pid, flush=True)
        gone, _ = os.wait()
        running.discard(gone)


if __name__ == "__main__":
    main(int(sys.argv[1]))
