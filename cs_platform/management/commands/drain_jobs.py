"""The loop that runs due jobs straight from the database, with or without a broker."""

import os
import random
import signal
import time
from argparse import ArgumentParser
from types import FrameType
from typing import Any

import structlog
from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections, connections

from accounts.services.jobs import run_due_jobs

BATCH = 20
IDLE_SECONDS = 1.0
ERROR_SECONDS = 5.0
log = structlog.get_logger("cs_platform.jobs")


class Command(BaseCommand):
    help = "Run due jobs until stopped (or, with --once, until none is due)."
    requires_system_checks = []  # as in run_worker

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        self.keep_on = True
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.request_stop)
        parent = os.getppid()
        while self.keep_on and os.getppid() == parent:
            pause = drain(lambda: self.keep_on)
            if options["once"] and pause:
                return
            time.sleep(pause)

    def request_stop(self, number: int, frame: FrameType | None) -> None:
        self.keep_on = False


def drain(keep_on: Any) -> float:
    """One look for work; returns how long to wait before the next one, in seconds.

    Several loops on several machines look at slightly different moments.
    """
    close_old_connections()
    try:
        done = run_due_jobs(limit=BATCH, keep_on=keep_on)
    except DatabaseError as error:
        log.error("jobs.database_away", error=type(error).__name__)
        connections.close_all()
        return ERROR_SECONDS
    return 0.0 if done == BATCH else IDLE_SECONDS * random.uniform(0.7, 1.3)  # jitter  # nosec B311
